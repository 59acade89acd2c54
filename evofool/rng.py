"""The random numbers of a job: one seed makes all generators, and a checkpoint restores them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


class Rng:
    """A numpy generator for decisions on the host and a torch generator for tensors on the device.

    Both are children of one ``SeedSequence``. No global generator is touched.

    Args:
        seed: A whole number of any size, at least 0.
        device: Where the torch generator draws.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        host, tensors = np.random.SeedSequence(seed).spawn(2)
        self.host = np.random.Generator(np.random.PCG64(host))
        self.tensors = torch.Generator(device)
        self.tensors.manual_seed(int(tensors.generate_state(1, np.uint64)[0] >> np.uint64(1)))

    @property
    def device(self) -> torch.device:
        """The device of the torch generator."""
        return self.tensors.device

    def seeds(self, n: int) -> NDArray[np.uint64]:
        """Draw (n,) seeds for independent streams of random numbers."""
        return self.host.integers(2**64, size=n, dtype=np.uint64)

    def state(self) -> dict[str, np.ndarray]:
        """Return the states of both generators as uint8 arrays, for a checkpoint."""
        host = json.dumps(self.host.bit_generator.state)
        return {
            "host": np.frombuffer(host.encode(), np.uint8),
            "tensors": self.tensors.get_state().cpu().numpy(),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Set both generators to what :meth:`state` returned."""
        host: Any = json.loads(state["host"].tobytes())
        self.host.bit_generator.state = host
        self.tensors.set_state(torch.from_numpy(state["tensors"].copy()))


@contextmanager
def seeded_globals(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Seed the global generators of Python, numpy and torch for a block, and put them back as they were.

    Functions of a user's own may draw from them, as DEAP's operators do.

    Args:
        seed: A whole number from 0 to 2^63 − 1.
        device: A GPU whose generator of torch is seeded beside the host's. Those of other devices are left alone.
    """
    generators, place = [torch.default_generator], torch.device(device)
    if place.type == "cuda":
        index = torch.cuda.current_device() if place.index is None else place.index
        generators.append(torch.cuda.default_generators[index])
    host, legacy = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    states = [generator.get_state() for generator in generators]
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        for generator in generators:
            generator.manual_seed(seed)
        yield
    finally:
        random.setstate(host)
        np.random.set_state(legacy)  # noqa: NPY002
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
