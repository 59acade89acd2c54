"""Does SqueezeNet stay foolable when its last layer learns evolved images as class 1,001 (Nguyen et al. 2015, §3.5)?

Learnt from: 100 photographs, one of every tenth class, and every second genome of the bank ``imagenet-cppn``. Tested
on: 100 photographs of classes that were not learnt from, and the other genomes. Images are then evolved anew for every
twentieth class, against the network as given and against each hardened one, with as many evaluations. All layers but
the last stay as they are; in one variant nothing but the new class's own weights is trained.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

import evofool
from evofool import encodings
from evofool.attacks.statistics import wilson
from evofool.config.budget import Budget
from evofool.config.evolve import EvolveOptions
from evofool.encodings.initial import initial_genomes
from evofool.search.evolution import Evolution
from evofool.targets.torch_target import TorchTarget

from .common import Row, imagenet_weights, shared, table

EVALUATIONS = int(os.environ.get("EVOFOOL_EVALUATIONS", "6000"))
CLASSES = tuple(range(0, 1000, 20))
FOOLING = 1000
"""The index of the new class."""

EPOCHS, BATCH, RATE = 20, 64, 0.01


class Examples(NamedTuple):
    """Images as the last layer sees them."""

    maps: Tensor
    """(N, 512, 13, 13) float32."""
    labels: Tensor
    """(N,) int64."""

    def every_other(self, first: int) -> Examples:
        """Return every second of them, from one on."""
        return Examples(self.maps[first::2], self.labels[first::2])


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure the network as given, with the new class's weights trained, and with all of its last layer trained."""
    rows: list[Row] = []
    given = evofool.load_target(
        "torchvision:squeezenet1_1", weights=imagenet_weights("squeezenet1_1"), device="cpu", precision="float32"
    )
    photographs, bank = _seen(given, *_photographs()), _seen(given, *_bank(given))
    for seed in range(seeds or 1):
        for name in ("as given", "new class alone", "last layer"):
            head = _widened(given)
            if name != "as given":
                _train(head, photographs.every_other(0), bank.every_other(0), seed, new_alone=name != "last layer")
            target = given if name == "as given" else _hardened(given, head)
            tested, fooling = photographs.every_other(1), bank.every_other(1)
            of_photographs, of_bank = (_guesses(head, each.maps) for each in (tested, fooling))
            right = int((of_photographs == tested.labels).sum())
            evolution = _evolution(target, seed)
            *_, last = evolution.run(Budget(evaluations=EVALUATIONS))
            sure = np.sort(evolution.archive.surest_confidence())
            rows.append(
                {
                    "trained": name,
                    "seed": seed,
                    "photographs right": f"{right} of {len(tested.labels)}",
                    "interval": wilson(right, len(tested.labels)),
                    "photographs rejected": int((of_photographs == FOOLING).sum()),
                    "bank rejected": f"{int((of_bank == FOOLING).sum())} of {len(of_bank)}",
                    "evaluations": last.evaluations,
                    "classes": len(CLASSES),
                    "median": last.median,
                    "quartiles": [float(np.quantile(sure, share)) for share in (0.25, 0.75)],
                    "classes at 50 %": int((sure >= 0.5).sum()),
                    "highest": float(sure[-1]),
                }
            )
            table(rows)
            yield rows


def _photographs() -> tuple[Tensor, Tensor]:
    """Return the photographs (N, 3, 224, 224) uint8, shorter side to 256 and cropped, and their classes."""
    if (folder := shared()) is None:
        raise SystemExit("the photographs of ImageNet are missing: set EVOFOOL_SHARED")
    files = sorted((folder / "data" / "imagenet-samples").glob("*.jpg"))
    return torch.stack(list(map(_cropped, files))), torch.tensor([int(file.name.split("_")[0]) for file in files])


def _cropped(file: Path) -> Tensor:
    picture = Image.open(file).convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BILINEAR)
    left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
    return torch.from_numpy(np.asarray(picture.crop((left, top, left + 224, top + 224))).transpose(2, 0, 1).copy())


def _bank(target: TorchTarget) -> tuple[Tensor, Tensor]:
    """Return the pictures (N, 3, 224, 224) uint8 of the bank's genomes, with the new class."""
    encoding = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, "cpu")
    genomes = initial_genomes("imagenet-cppn", encoding)
    count = len(genomes)
    pictures = [
        encoding.decode(genomes.take(np.arange(first, min(first + 50, count)))) for first in range(0, count, 50)
    ]
    return torch.cat(pictures), torch.full((count,), FOOLING)


@torch.no_grad()
def _seen(target: TorchTarget, images: Tensor, labels: Tensor) -> Examples:
    """Return images as the last layer sees them."""
    mean, std = (torch.tensor(each)[:, None, None] for each in (target.mean, target.std))
    batches = [target.network.features((batch.float() / 255 - mean) / std) for batch in images.split(25)]
    return Examples(torch.cat(batches), labels)


def _widened(target: TorchTarget) -> nn.Conv2d:
    """Return the last layer with a class more, whose weights are the mean of the others'."""
    old = target.network.classifier[1]
    head = nn.Conv2d(512, FOOLING + 1, 1)
    for name, value in (("weight", old.weight), ("bias", old.bias)):
        getattr(head, name).data = torch.cat([value.detach(), value.detach().mean(0, keepdim=True)])
    return head


def _logits(head: nn.Module, maps: Tensor) -> Tensor:
    return F.relu(head(maps)).mean((2, 3))


@torch.no_grad()
def _guesses(head: nn.Module, maps: Tensor) -> Tensor:
    return _logits(head, maps).argmax(1)


def _train(head: nn.Conv2d, photographs: Examples, bank: Examples, seed: int, *, new_alone: bool) -> None:
    """Train the last layer: half of every batch are photographs, with their classes, and half the bank's images."""
    optimizer = torch.optim.SGD(head.parameters(), lr=RATE, momentum=0.9)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS * len(photographs.labels) // (BATCH // 2)):
        rows = [torch.randint(len(each.labels), (BATCH // 2,), generator=generator) for each in (photographs, bank)]
        maps = torch.cat([photographs.maps[rows[0]], bank.maps[rows[1]]])
        labels = torch.cat([photographs.labels[rows[0]], bank.labels[rows[1]]])
        optimizer.zero_grad()
        F.cross_entropy(_logits(head, maps), labels).backward()
        if new_alone:
            for parameter in head.parameters():
                parameter.grad[:FOOLING] = 0  # type: ignore[index]
        optimizer.step()


def _hardened(target: TorchTarget, head: nn.Conv2d) -> TorchTarget:
    """Return the network with another last layer."""
    network = nn.Sequential(target.network.features, head, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return TorchTarget(
        network,
        classes=[*target.classes, "fooling"],
        image_shape=target.image_shape,
        mean=target.mean,
        std=target.std,
        name="squeezenet1_1:hardened",
        device="cpu",
        precision="float32",
    )


def _evolution(target: TorchTarget, seed: int) -> Evolution:
    """Return an evolution of CPPNs for some classes."""
    encoding = encodings.build("cppn", encodings.preset("cppn", "default"), target.image_shape, target.device)
    return Evolution(target, encoding, EvolveOptions(seed=seed, classes=CLASSES, precision="float32"))
