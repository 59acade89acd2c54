"""The files of a training: its state while it works, and the weights at its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from ...errors import ConfigError, in_words
from ...io.files import write_atomically

PARTS = ("reports", "step", "order", "total_loss", "network", "averaged", "optimizer", "generator")
"""What a state holds besides the fingerprint of its training."""


def write_state(path: Path, fingerprint: str, state: Mapping[str, Any]) -> None:
    """Write the state of a training.

    Args:
        path: The file.
        fingerprint: What tells the training from others.
        state: :data:`PARTS` by name.
    """
    write_atomically(path, lambda file: torch.save({"training": fingerprint, **state}, file))


def read_state(path: Path, fingerprint: str) -> dict[str, Any]:
    """Return the state of a training.

    Raises:
        ConfigError: The file is none, or that of another training.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = state["training"]
        if lacking := [name for name in PARTS if name not in state]:
            raise KeyError(f"it lacks {', '.join(lacking)}")
    except Exception as error:
        raise ConfigError(f"{path} is not a training state ({in_words(error)}); remove it to start anew") from error
    if found != fingerprint:
        raise ConfigError(f"{path} belongs to a training with other settings; remove it to start anew")
    return state


def write_weights(path: Path, tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write weights as a safetensors file whose bytes depend on nothing else.

    Args:
        path: The file.
        tensors: The weights by name, on the CPU.
        metadata: What the file says of itself; safetensors metadata holds strings only.
    """
    write_atomically(path, _ordered(save(tensors, metadata=dict(metadata))))


def _ordered(blob: bytes) -> bytes:
    """Return a safetensors file with its metadata sorted, which the library writes in any order."""
    length = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + blob[8 + length :]
