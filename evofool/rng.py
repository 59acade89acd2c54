"""Randomness of a run: everything is drawn from generators that one seed made and a checkpoint restores."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


class Rng:
    """A numpy generator for decisions on the host and a torch generator for tensors on the device.

    Both are children of one ``SeedSequence``; no global generator is touched.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        host, tensors = np.random.SeedSequence(seed).spawn(2)
        self.host = np.random.Generator(np.random.PCG64(host))
        self.tensors = torch.Generator(device)
        self.tensors.manual_seed(int(tensors.generate_state(1, np.uint64)[0] >> np.uint64(1)))

    @property
    def device(self) -> torch.device:
        return self.tensors.device

    def seeds(self, n: int) -> NDArray[np.uint64]:
        """(n,) seeds for streams of random numbers of their own."""
        return self.host.integers(2**64, size=n, dtype=np.uint64)

    def state(self) -> dict[str, np.ndarray]:
        """Both states as arrays, for a checkpoint."""
        host = json.dumps(self.host.bit_generator.state)
        return {
            "host": np.frombuffer(host.encode(), np.uint8),
            "tensors": self.tensors.get_state().cpu().numpy(),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take up the states that :meth:`state` gave."""
        host: Any = json.loads(state["host"].tobytes())
        self.host.bit_generator.state = host
        self.tensors.set_state(torch.from_numpy(state["tensors"].copy()))
