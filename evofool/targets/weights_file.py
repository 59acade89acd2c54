"""What stands in a file of weights, read without ever running code from it."""

from __future__ import annotations

import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from ..errors import WeightsError
from ..io.interrupts import defer_interrupts
from . import pickles
from .checks import check_weights_file, first_line

MAX_DEPTH = 4
"""Largest number of mappings inside each other in which tensors are looked for."""

_BEGINNINGS = (
    (b"\x89HDF", "an HDF5 file, as Keras writes them"),
    (b"\x93NUMPY", "a numpy array"),
    (b"version https://git-lfs", "a pointer of Git LFS, without the file itself; git lfs pull fetches it"),
    (b"<", "a web page, not the file that was asked for"),
)
"""What other files begin with, and what they are."""

_INSIDE = (
    ("/constants.pkl", "a TorchScript program"),
    ("/archive_format", "a program of torch.export"),
    ("/models/model.json", "a program of torch.export"),
    (".weights.h5", "a Keras model"),
    (".npy", "a numpy archive"),
)
"""How files inside other zip archives end, and what these are."""


class NamedTensors(NamedTuple):
    """Tensors by name, and the keys of the mappings that they lie in, as ``model.state_dict``."""

    place: str
    tensors: dict[str, Tensor]


def read_weights(path: Path) -> list[NamedTensors]:
    """Return what a ``.safetensors`` file or a torch checkpoint holds, whatever its name ends in.

    Returns:
        The tensors of each mapping in the file, those of mappings inside others after theirs; at least one.

    Raises:
        WeightsError: The file is missing, damaged, of another kind, holds no tensors, or is a pickle with code in it.
    """
    check_weights_file(path)
    found = list(_named_tensors(_read_safetensors(path) if _is_safetensors(path) else _read_checkpoint(path)))
    if not found:
        raise WeightsError(f"{path} holds no tensors by name; save the network's state_dict()")
    return found


def _is_safetensors(path: Path) -> bool:
    """Return whether a file is one of safetensors, by its beginning, or else by its name."""
    with open(path, "rb") as file:
        begin = file.read(9)
    length, size = int.from_bytes(begin[:8], "little"), os.path.getsize(path)
    if begin[8:9] == b"{" and length <= size - 8:
        return True
    return path.suffix == ".safetensors" and not begin.startswith(b"PK\x03\x04") and not _other_kind(path)


def _read_safetensors(path: Path) -> Any:
    try:
        with defer_interrupts():
            return dict(load_file(path))
    except Exception as error:  # SafetensorError, and what torch makes of headers that lie
        line = first_line(error)[:200]
        raise WeightsError(f"{path} is not a whole safetensors file ({line}); fetch it again") from error


def _read_checkpoint(path: Path) -> Any:
    if kind := _other_kind(path):
        raise WeightsError(f"{path} is {kind}; expected weights: a .safetensors file, or the network's state_dict()")
    try:
        if fault := pickles.fault(path):
            raise WeightsError(f"{path} was refused: {fault}; save the network's state_dict() or use .safetensors")
        with warnings.catch_warnings(), open(path, "rb") as file:  # torch would go by the file's name
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        holds = f"it holds {named[1][:80]}" if named else "it is no plain checkpoint"
        raise WeightsError(
            f"{path} was refused: {holds} where tensors are expected, and loading it could run code; "
            "save the network's state_dict() or convert it to .safetensors"
        ) from error
    except Exception as error:  # torch's unpickler raises almost anything on garbage
        raise WeightsError(
            f"{path} is not a whole torch checkpoint ({type(error).__name__}); give a .safetensors or .pth file"
        ) from error


def _other_kind(path: Path) -> str | None:
    """Return what a file is, where it is known not to be one of weights."""
    with open(path, "rb") as file:
        begin = file.read(32)
    for beginning, kind in _BEGINNINGS:
        if begin.startswith(beginning):
            return kind
    if begin.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = ["/" + name for name in archive.namelist()]
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return None
        return next((kind for ending, kind in _INSIDE if any(name.endswith(ending) for name in names)), None)
    return "an ONNX model" if path.suffix == ".onnx" else None


def _named_tensors(content: Any, keys: tuple[str, ...] = ()) -> Iterator[NamedTensors]:
    """Yield the tensors of a mapping, then those of the mappings in it."""
    if not isinstance(content, Mapping) or len(keys) > MAX_DEPTH:
        return
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    if tensors := {key: value for key, value in named.items() if isinstance(value, Tensor)}:
        yield NamedTensors(".".join(keys), tensors)
    for key, value in named.items():
        yield from _named_tensors(value, (*keys, key))
