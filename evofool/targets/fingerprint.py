"""What tells a network from others of the same name and shape: a digest of its tensors, or what it says of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import TargetError
from .checks import first_line

WRAPPERS = ("module.", "_orig_mod.")
"""What ``DataParallel`` and ``torch.compile`` put before the names of a network's tensors."""

MAX_LENGTH = 200
"""Largest number of characters of a fingerprint that a target gives itself."""


def tensors_digest(network: nn.Module) -> str | None:
    """Return the SHA-256 of a network's tensors: their names, types, shapes and bytes, buffers included.

    Returns:
        64 hexadecimal digits; None where the network has no tensors, or some that can't be read.
    """
    digest, found = hashlib.sha256(), False
    try:
        state = {**dict(network.named_buffers()), **network.state_dict()}
        for name, tensor in sorted(_tensors(state), key=lambda item: item[0]):
            found = True
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(_bytes(tensor))
    except Exception:  # a user's module may hold tensors of any kind
        return None
    return digest.hexdigest() if found else None


def own_fingerprint(target: object) -> str | None:
    """Return what an object says that it is, in its attribute or method ``fingerprint``; None where it says nothing.

    Raises:
        TargetError: That is no text, or a long one.
    """
    said = getattr(target, "fingerprint", None)
    if isinstance(said, nn.Module | Tensor):  # a part of a network that is called so
        return None
    try:
        text = said() if callable(said) else said
    except Exception as error:  # a user's method may raise anything
        raise TargetError(f"`fingerprint` of {type(target).__name__} failed: {first_line(error)}") from error
    if text is not None and (not isinstance(text, str) or not 0 < len(text) <= MAX_LENGTH):
        raise TargetError(
            f"`fingerprint` of {type(target).__name__} must be text of 1 to {MAX_LENGTH} characters, got {text!r:.60}"
        )
    return text


def _tensors(state: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in a state dict by name, also those in tuples, as quantised layers have them."""
    if isinstance(state, Tensor):
        while name.startswith(WRAPPERS):
            name = name.partition(".")[2]
        yield name, state
    elif isinstance(state, Mapping):
        for key, value in state.items():
            yield from _tensors(value, f"{name}.{key}" if name else str(key))
    elif isinstance(state, tuple | list):
        for number, value in enumerate(state):
            yield from _tensors(value, f"{name}.{number}")


def _bytes(tensor: Tensor) -> Any:
    """Return a tensor's bytes as a buffer."""
    plain = tensor.detach()
    if plain.is_quantized:
        plain = plain.dequantize()
    return plain.to_dense().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
