"""The trainer of ``zoo train`` and of the experiments that train networks: seeded and resumable.

    network = seeded(lambda: CifarResNet(20), seed)     # or any network with weights to start from
    training = Training(network, TrainingData(train, test), Recipe(epochs=10, pad=4, mirror=True), mean, std, seed=seed)
    for epoch in training.run(Path("weights.safetensors.training")):    # goes on from that file if it is there
        print(epoch.loss, epoch.accuracy, epoch.to_go)
    write_weights(Path("weights.safetensors"), training.weights(), {"network": "cifar10"})

It is stochastic gradient descent with Nesterov momentum on a one-cycle learning rate (Smith & Topin 2018). What a
training ends with is an exponential moving average of the weights over its steps. Labels are not smoothed, because
targets are meant to be as sure of themselves as networks usually are.

An adversary perturbs every batch. Half of the loss is that of the perturbed images (Goodfellow et al. 2015, §6), or all
of it with ``perturbed=1`` (Madry et al. 2018, §2). ``autocast`` runs the network in bfloat16 where the device has it.

The state is kept after every epoch, and every half a minute within long ones. A training that goes on from it ends with
the same bytes as one that nobody stopped; ``training.reports`` then has the epochs that were done before, too.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import ConfigError
from .augmentation import cropped
from .data import Split, TrainingData
from .recipe import Epoch, Recipe
from .state import read_state, write_state

SAVE_SECONDS = 30.0
"""Minimum seconds between two states within an epoch; a killed training repeats at most this much."""

ROWS = 500
"""Images per forward pass where accuracy is measured."""

Adversary: TypeAlias = "Callable[[Any, Tensor, Tensor, torch.Generator], Tensor]"
"""Perturbs pixels (B, C, H, W) float in [0, 1] with their labels (B,), given a network with ``logits`` and a generator
on the CPU for what is random. Its ``repr`` says all that it depends on."""


def seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Return a network whose first weights are drawn by a seed. Torch's global generator stays as it is."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


class Training:
    """A network while it is trained.

    Args:
        network: The network, from normalised images (B, C, H, W) to (B, K) logits. Its weights are where the training
            begins, and they change.
        images: The labelled images that it learns from, and those held out, on which accuracy is measured.
        recipe: The settings.
        mean, std: How pixels in [0, 1] are normalised, by channel.
        seed: Seed of the order of the images, of crops, and of what is random in the adversary.
        device: Where to train.
        adversary: Perturbs every batch.
        perturbed: Share of the loss that is the perturbed images', in (0, 1]; with 1 nothing else is learnt from.
        autocast: Whether the network runs in bfloat16.
        name: What messages call the network.

    Attributes:
        averaged: The network with the moving average of the weights, in evaluation mode.
        epoch, step: How many are done.
        reports: A report of every epoch that is done. Those of earlier sessions took 0 seconds.

    Raises:
        ConfigError: There is no image to learn from.
    """

    def __init__(
        self,
        network: nn.Module,
        images: TrainingData,
        recipe: Recipe,
        mean: Sequence[float],
        std: Sequence[float],
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
        adversary: Adversary | None = None,
        perturbed: float = 0.5,
        autocast: bool = False,
        name: str = "network",
    ) -> None:
        if not len(images.train):
            raise ConfigError(f"{name}: there are no images to learn from")
        self.images, self.recipe, self.seed, self.device, self.name = images, recipe, seed, torch.device(device), name
        self.adversary, self.perturbed, self.autocast = adversary, perturbed, autocast
        self._beginning = _digest(network.state_dict())
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval()
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        spared = [p for p in self.network.parameters() if p.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": recipe.decay}, {"params": spared}]
        self._optimizer = torch.optim.SGD(groups, lr=recipe.peak, momentum=0.9, nesterov=True)
        self._generator = torch.Generator().manual_seed(seed)
        self._steps_an_epoch = max(1, len(images.train) // recipe.batch)
        self._mean = torch.tensor(mean, device=self.device)[:, None, None]
        self._std = torch.tensor(std, device=self.device)[:, None, None]
        self._settings = (
            sorted(asdict(recipe).items()),
            (tuple(mean), tuple(std), seed, adversary, perturbed, autocast),
        )
        self._order, self._total_loss = torch.empty(0, dtype=torch.int64), torch.zeros((), device=self.device)
        self.step, self.reports = 0, list[Epoch]()

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.reports)

    @property
    def within_epoch(self) -> bool:
        """Whether an epoch has begun and not ended."""
        return len(self._order) > 0

    @cached_property
    def fingerprint(self) -> str:
        """What tells this training from others: settings, images, and the weights it began with."""
        train = self.images.train
        return repr((*self._settings, self._beginning, _digest({"images": train.images, "labels": train.labels})))

    def run(self, state: Path | None = None, *, until: int | None = None) -> Iterator[Epoch]:
        """Train, from where a state file left it.

        Args:
            state: Where the state is kept; None where nothing is.
            until: Stop when so many epochs are done; None: all.

        Yields:
            A report after every epoch that this call ends.

        Raises:
            ConfigError: The state file is none, or that of another training.
        """
        if state is not None and state.exists():
            self._restore(read_state(state, self.fingerprint))
        last = self.recipe.epochs if until is None else min(until, self.recipe.epochs)
        while self.epoch < last:
            report = self._run_epoch(state)
            if state is not None:
                self._save(state)
            yield report

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits (B, K) of float images in [0, 1] by the network that is trained."""
        with self._precision():
            logits: Tensor = self.network(self._normalise(pixels))
        return logits.float()

    @torch.inference_mode()
    def accuracy(self, split: Split) -> float:
        """Return the accuracy of the averaged weights, in [0, 1]; 0 where there is no image."""
        hits = 0
        for start in range(0, len(split), ROWS):
            images, labels = split.images[start : start + ROWS], split.labels[start : start + ROWS]
            pixels = images.to(self.device).float() / 255
            hits += int((self.averaged(self._normalise(pixels)).argmax(1).cpu() == labels).sum())
        return hits / max(1, len(split))

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights, by name, on the CPU."""
        state = self.averaged.state_dict()
        return {
            name: value.cpu().contiguous() for name, value in state.items() if not name.endswith("num_batches_tracked")
        }

    def _run_epoch(self, state: Path | None) -> Epoch:
        """Train for one epoch, or for the rest of it."""
        started, saved = time.perf_counter(), time.monotonic()
        recipe, train = self.recipe, self.images.train
        if not len(self._order):
            self._order = torch.randperm(len(train), generator=self._generator)
            self._total_loss = torch.zeros((), device=self.device)
        self.network.train()
        for index in range(self.step - self.epoch * self._steps_an_epoch, self._steps_an_epoch):
            rows = self._order[index * recipe.batch : (index + 1) * recipe.batch]
            images = self._augment(train.images[rows]).to(self.device).float() / 255
            loss = self._loss(images, train.labels[rows].to(self.device))
            self._set_rate()
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            self._average()
            self._total_loss += loss.detach()
            self.step += 1
            if state is not None and time.monotonic() >= saved + SAVE_SECONDS:
                self._save(state)
                saved = time.monotonic()
        self._order = self._order[:0]
        mean_loss, accuracy = float(self._total_loss) / self._steps_an_epoch, self.accuracy(self.images.test)
        report = Epoch(self.epoch + 1, recipe.epochs, mean_loss, accuracy, time.perf_counter() - started)
        self.reports.append(report)
        return report

    def _loss(self, pixels: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross-entropy; with an adversary, a share of it is that of the perturbed images."""
        if self.adversary is None:
            return F.cross_entropy(self.logits(pixels), labels)
        clean = 0.0 if self.perturbed == 1 else (1 - self.perturbed) * F.cross_entropy(self.logits(pixels), labels)
        self.network.eval()  # its statistics are those of the images, not of the adversary's search
        perturbed = self.adversary(self, pixels, labels, self._generator)
        self.network.train()
        return clean + self.perturbed * F.cross_entropy(self.logits(perturbed), labels)

    def _set_rate(self) -> None:
        """Set the learning rate of the next step."""
        progress = self.step / (self._steps_an_epoch * self.recipe.epochs)
        warmup = self.recipe.warmup
        if progress < warmup:
            share = 0.05 + 0.95 * progress / warmup
        else:
            share = 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.peak * share

    def _augment(self, images: Tensor) -> Tensor:
        """Return random crops (of the padded images, or smaller early on) and mirror images, (B, C, H, W) uint8."""
        size, pad, (share, edge) = images.shape[-1], self.recipe.pad, self.recipe.small
        if self.epoch < share * self.recipe.epochs:
            size, pad = edge, 0
        return cropped(images, size, pad, self.recipe.mirror, self._generator)

    def _normalise(self, pixels: Tensor) -> Tensor:
        return ((pixels - self._mean) / self._std).contiguous(memory_format=torch.channels_last)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.autocast)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        latest = self.network.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(latest[name], 1 - decay)

    def _save(self, path: Path) -> None:
        """Write the state."""
        state = {
            "reports": [(report.loss, report.accuracy) for report in self.reports],
            "step": self.step,
            "order": self._order,
            "total_loss": self._total_loss,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
        }
        write_state(path, self.fingerprint, state)

    def _restore(self, state: dict[str, Any]) -> None:
        """Take up a state that :meth:`_save` wrote."""
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"])
        self.step, self._order = state["step"], state["order"]
        self._total_loss = state["total_loss"].to(self.device)
        total = self.recipe.epochs
        told = enumerate(state["reports"])
        self.reports = [Epoch(row + 1, total, loss, accuracy, 0.0) for row, (loss, accuracy) in told]


def trained_until(begin: Callable[[], Training], state: Path, epochs: int) -> Training:
    """Return a training when some of its epochs are done, for work that is done epoch by epoch.

    The state file is a cache here: one that is damaged, of another training, or further on is removed, and the training
    begins anew. It ends with the same bytes either way.

    Args:
        begin: Returns the training at its beginning.
        state: Where the state is kept.
        epochs: How many epochs are to be done.
    """
    training = begin()
    try:
        deque(training.run(state, until=epochs), maxlen=0)
        if training.epoch == epochs and not training.within_epoch:
            return training
    except ConfigError:
        pass
    state.unlink(missing_ok=True)
    training = begin()
    deque(training.run(state, until=epochs), maxlen=0)
    return training


def _digest(tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of tensors and their names."""
    digest = hashlib.sha256()
    for name, value in tensors.items():
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()
