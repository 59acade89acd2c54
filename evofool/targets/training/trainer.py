"""The training of the embedded networks: seeded, resumable, with a report after every epoch.

It is stochastic gradient descent with Nesterov momentum on a one-cycle learning rate (Smith & Topin 2018). The shipped
weights are an exponential moving average over the steps. Augmentation is vectorised: random crops of the padded image
and, where the pictures allow it, mirror images. Labels are not smoothed, because the targets are meant to be as sure of
themselves as networks usually are.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from ...errors import ConfigError, in_words
from ...io.files import write_atomically
from ..cards import Card
from ..doors.embedded import CARDS
from ..networks import CifarResNet, DigitsNet, LeNet, LogisticRegression
from . import data as datasets
from .data import Split, TrainingData
from .trained import check_trained, state_beside


@dataclass(frozen=True)
class Recipe:
    """All that decides how a network is trained, besides the seed and its card's normalisation.

    Attributes:
        network: Makes the network.
        data: Reads the images, from a folder.
        epochs: How often every image is seen.
        batch: Images per step.
        peak: Highest learning rate of the cycle.
        warmup: Share of the steps in which the learning rate rises to the peak.
        decay: Weight decay of the weights; biases and batch normalisations have none.
        pad: Pixels of zero padding for random crops.
        mirror: Whether half of the images are mirrored.
        small: (Share of the epochs, edge): early epochs learn from smaller crops, which cost less.
        average: Decay of the moving average of the weights, per step.
    """

    network: Callable[[], nn.Module]
    data: Callable[[Path], TrainingData]
    epochs: int
    batch: int = 128
    peak: float = 0.1
    warmup: float = 0.15
    decay: float = 5e-4
    pad: int = 0
    mirror: bool = False
    small: tuple[float, int] = (0.0, 0)
    average: float = 0.998


RECIPES = {
    "digits": Recipe(DigitsNet, lambda _: datasets.digits(), epochs=60, batch=64, peak=0.05, pad=1),
    "mnist": Recipe(LeNet, datasets.mnist, epochs=20, peak=0.05, pad=2),
    "mnist:logistic": Recipe(LogisticRegression, datasets.mnist, epochs=10, peak=0.05, decay=1e-4),
    "cifar10": Recipe(
        lambda: CifarResNet(20), datasets.cifar10, epochs=34, peak=0.2, pad=4, mirror=True, small=(0.35, 24)
    ),
}
"""How each network is trained, by its target's name."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch did.

    Attributes:
        number: Which epoch it was, from 1.
        total: The number of epochs.
        loss: Mean cross-entropy over its steps.
        accuracy: Accuracy of the averaged weights on the held-out images, in [0, 1].
        seconds: How long it took.
    """

    number: int
    total: int
    loss: float
    accuracy: float
    seconds: float


Adversary: TypeAlias = "Callable[[Any, Tensor, Tensor], Tensor]"
"""Perturbs pixels (B, C, H, W) float in [0, 1] with their labels (B,), given a network with ``logits``. Its ``repr``
says all that it depends on."""


def train(
    name: str,
    data: Path,
    out: Path,
    *,
    seed: int = 0,
    epochs: int | None = None,
    device: str = "cpu",
    adversary: Adversary | None = None,
) -> Iterator[Epoch]:
    """Train an embedded network and write its weights.

    After every epoch the state is kept in ``out`` + ``.training``. The same call goes on from there and ends with the
    same weights as an undisturbed one. The file is removed at the end.

    Args:
        name: A key of ``RECIPES``.
        data: Where the images are, or are downloaded to.
        out: The weights file to write.
        seed: Random seed.
        epochs: How many epochs, instead of the recipe's.
        device: Where to train.
        adversary: Perturbs every batch; half of the loss is that of the perturbed images (Goodfellow et al. 2015, §6).

    Yields:
        A report after every epoch.

    Raises:
        ConfigError: The name has no recipe, the data is missing, or the state file is of another training.
    """
    check_trained(name)
    recipe = RECIPES[name]
    total = recipe.epochs if epochs is None else epochs
    if total < 1:
        raise ConfigError(f"`epochs` must be at least 1, got {total}")
    images = recipe.data(data)
    trainer = _Trainer(recipe, CARDS[name], images, seed, total, torch.device(device), adversary)
    state_file = state_beside(out)
    if state_file.exists():
        trainer.restore(state_file)
    while trainer.epoch < total:
        report = trainer.run_epoch()
        trainer.save(state_file)
        yield report
    write_atomically(out, _ordered(save(trainer.weights(), metadata=trainer.provenance(name))))
    state_file.unlink(missing_ok=True)


def _ordered(blob: bytes) -> bytes:
    """Return a safetensors file with its metadata sorted, which the library writes in any order."""
    length = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + blob[8 + length :]


class _Trainer:
    """A network while it is trained."""

    def __init__(
        self,
        recipe: Recipe,
        card: Card,
        images: TrainingData,
        seed: int,
        epochs: int,
        device: torch.device,
        adversary: Adversary | None,
    ) -> None:
        self.adversary, self.name = adversary, card.name
        self.recipe, self.images, self.device, self.epochs, self.seed = recipe, images, device, epochs, seed
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = recipe.network().to(device)
        self.network = self.network.to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval()
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        spared = [p for p in self.network.parameters() if p.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": recipe.decay}, {"params": spared}]
        self.optimizer = torch.optim.SGD(
            groups,
            lr=recipe.peak,
            momentum=0.9,
            nesterov=True,
        )
        self.generator = torch.Generator().manual_seed(seed)
        self.steps_an_epoch = len(images.train) // recipe.batch
        self.epoch = self.step = 0
        self.card = card
        self.mean = torch.tensor(card.mean, device=device)[:, None, None]
        self.std = torch.tensor(card.std, device=device)[:, None, None]

    def run_epoch(self) -> Epoch:
        """Train for one epoch."""
        started, total_loss = time.perf_counter(), torch.zeros((), device=self.device)
        order = torch.randperm(len(self.images.train), generator=self.generator)
        self.network.train()
        for index in range(self.steps_an_epoch):
            rows = order[index * self.recipe.batch : (index + 1) * self.recipe.batch]
            images, labels = self.images.train.images[rows], self.images.train.labels[rows]
            loss = self._loss(self._augment(images).to(self.device).float() / 255, labels.to(self.device))
            self._set_rate()
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self._average()
            total_loss += loss.detach()
            self.step += 1
        self.epoch += 1
        mean_loss = float(total_loss) / self.steps_an_epoch
        accuracy = self.accuracy(self.images.test)
        return Epoch(self.epoch, self.epochs, mean_loss, accuracy, time.perf_counter() - started)

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the network's logits (B, K) of float images in [0, 1]."""
        logits: Tensor = self.network(self._normalise(pixels))
        return logits

    def _loss(self, pixels: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross-entropy; with an adversary, half of it is that of the perturbed images."""
        clean = F.cross_entropy(self.logits(pixels), labels)
        if self.adversary is None:
            return clean
        self.network.eval()  # its statistics are those of the images, not of the adversary's search
        perturbed = self.adversary(self, pixels, labels)
        self.network.train()
        return 0.5 * clean + 0.5 * F.cross_entropy(self.logits(perturbed), labels)

    def _set_rate(self) -> None:
        progress = self.step / (self.steps_an_epoch * self.epochs)
        warmup = self.recipe.warmup
        if progress < warmup:
            share = 0.05 + 0.95 * progress / warmup
        else:
            share = 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.peak * share

    def _augment(self, images: Tensor) -> Tensor:
        """Return random crops (of the padded images, or smaller early on) and mirror images, (B, C, H, W) uint8."""
        size, pad, draw = images.shape[-1], self.recipe.pad, self.generator
        share, edge = self.recipe.small
        if self.epoch < share * self.epochs:
            size, pad = edge, 0
        padded = F.pad(images, (pad, pad, pad, pad))
        offsets = torch.randint(0, padded.shape[-1] - size + 1, (2, len(images), 1), generator=draw)
        span = torch.arange(size)
        rows, columns = offsets[0] + span, offsets[1] + span
        if self.recipe.mirror:
            mirrored = torch.rand(len(images), 1, generator=draw) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        batch = torch.arange(len(images))[:, None, None]
        return padded[batch, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    def _normalise(self, pixels: Tensor) -> Tensor:
        return ((pixels - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        latest = self.network.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(latest[name], 1 - decay)

    @torch.inference_mode()
    def accuracy(self, split: Split) -> float:
        """Return the accuracy of the averaged weights, in [0, 1]."""
        hits = 0
        for start in range(0, len(split), 500):
            images, labels = split.images[start : start + 500], split.labels[start : start + 500]
            pixels = images.to(self.device).float() / 255
            hits += int((self.averaged(self._normalise(pixels)).argmax(1).cpu() == labels).sum())
        return hits / len(split)

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights, by name."""
        state = self.averaged.state_dict()
        return {
            name: value.cpu().contiguous() for name, value in state.items() if not name.endswith("num_batches_tracked")
        }

    def provenance(self, name: str) -> dict[str, str]:
        """Return what the weights file says of itself; safetensors metadata holds strings only."""
        digest = hashlib.sha256(self.images.train.images.numpy().tobytes()).hexdigest()
        return {
            "network": name,
            "seed": str(self.seed),
            "epochs": str(self.epochs),
            "test_accuracy": f"{self.accuracy(self.images.test):.4f}",
            "test_images": str(len(self.images.test)),
            "train_images_sha256": digest,
            "torch": torch.__version__,
        } | ({} if self.adversary is None else {"adversary": repr(self.adversary)})

    def _fingerprint(self) -> str:
        """Return what tells this training from others."""
        settings = {name: value for name, value in asdict(self.recipe).items() if not callable(value)}
        return repr((sorted(settings.items()), self.card.mean, self.card.std, self.seed, self.epochs, self.adversary))

    def _state(self) -> dict[str, Any]:
        return {
            "training": self._fingerprint(),
            "epoch": self.epoch,
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }

    def save(self, path: Path) -> None:
        """Write the state of the training."""
        state = self._state()
        write_atomically(path, lambda file: torch.save(state, file))

    def restore(self, path: Path) -> None:
        """Take up a state that :meth:`save` wrote.

        Raises:
            ConfigError: The file is none, or belongs to another training.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            fingerprint = state["training"]
            lacking = self._state().keys() - state.keys()
            if lacking:
                raise KeyError(f"it lacks {', '.join(sorted(lacking))}")
        except Exception as error:
            raise ConfigError(f"{path} is not a training state ({in_words(error)}); remove it to start anew") from error
        if fingerprint != self._fingerprint():
            raise ConfigError(f"{path} belongs to a training with other settings; remove it to start anew")
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.epoch, self.step = state["epoch"], state["step"]
