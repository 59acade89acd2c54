"""Helpers that tests of several modules use."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evofool import Target, encodings
from evofool.encodings.direct.batch import DirectBatch
from evofool.search.archive import Archive
from evofool.search.niche_genomes import NicheGenomes

PRESETS = [(name, preset) for name, (_, _, presets) in encodings.ENCODINGS.items() for preset in presets]


def genomes_of(archive: Archive) -> Any:
    """A batch with the genome of every niche."""
    return archive.genomes.take(np.arange(len(archive)))


def shared_again(archive: Archive) -> NicheGenomes:
    """The genomes of an archive as a checkpoint brings them back."""
    return NicheGenomes(*archive.genomes.distinct())


def tiny_network(channels: int = 3, classes: int = 4, size: int = 8, seed: int = 0) -> nn.Module:
    """A small network whose scores spread over [0, 1]; building it leaves torch's global generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(6 * size * size, classes),
        )
    with torch.no_grad():
        network[3].weight.mul_(6.0)
    return network


def tiny_target(channels: int = 3, classes: int = 4, size: int = 8, **options: Any) -> Target:
    """A target around :func:`tiny_network`; options go to :class:`Target`."""
    options = {
        "classes": [f"class {index}" for index in range(classes)],
        "image_shape": (channels, size, size),
        "mean": 0.5,
        "std": 0.25,
        "name": "tiny",
        "device": "cpu",
        "precision": "float32",
        **options,
    }
    return Target(tiny_network(channels, classes, size), **options)


def random_images(n: int, shape: tuple[int, ...] = (3, 8, 8), seed: int = 0) -> Tensor:
    """(n, *shape) uint8, uniform."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=generator)


def labelled_batch(labels: list[int]) -> DirectBatch:
    """Direct genomes of one pixel each, whose value tells them apart."""
    return DirectBatch(torch.tensor(labels, dtype=torch.uint8).reshape(-1, 1, 1, 1))


def build(encoding: str, preset: str, shape: tuple[int, int, int] = (3, 8, 8), **changes: Any) -> Any:
    """An encoding from a preset, with some settings changed, on the CPU."""
    return encodings.build(encoding, encodings.preset(encoding, preset) | changes, shape, "cpu")


def assert_same_arrays(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    """The same names with the same types, shapes and bytes."""
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].dtype == theirs[name].dtype, name
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def frozen(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copies that nobody else holds."""
    return {name: np.array(value) for name, value in arrays.items()}


@contextmanager
def global_random_untouched() -> Iterator[None]:
    """Fail when the block draws from, or seeds, a global generator of Python, numpy or torch."""

    def states() -> tuple[Any, ...]:
        numpy_state = np.random.get_state(legacy=True)  # noqa: NPY002
        return (
            random.getstate(),
            (numpy_state[0], numpy_state[1].tolist(), *numpy_state[2:]),
            torch.get_rng_state().tolist(),
        )

    before = states()
    yield
    for name, old, new in zip(("random", "numpy", "torch"), before, states(), strict=True):
        assert old == new, f"the global generator of {name} was touched"


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Fail where the block has more than ``size`` bytes of Python's and numpy's memory at a time."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= size, f"{peak:,} bytes"
