"""Reading weights files into networks, without ever running code from them."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import WeightsError
from ..io.interrupts import defer_interrupts
from . import pickles


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.safetensors`` file or of a torch checkpoint, by name.

    ``state_dict`` and ``model`` wrappers and ``module.`` prefixes of checkpoints are taken off.

    Raises:
        WeightsError: The file is missing, damaged, holds no tensors, or is a pickle with code in it.
    """
    if not os.path.isfile(path):
        raise WeightsError(f"no weights file at {path}; give a .safetensors or .pth file")
    if path.suffix == ".safetensors":
        try:
            with defer_interrupts():
                return dict(load_file(path))
        except Exception as error:  # SafetensorError, and what torch makes of headers that lie
            raise WeightsError(f"{path} is not a whole safetensors file ({_line(error)}); fetch it again") from error
    try:
        if fault := pickles.fault(path):
            raise WeightsError(f"{path} was refused: {fault}; save the network's state_dict() or use .safetensors")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} was refused: it is no plain checkpoint of tensors, and loading it could run code; "
            "save the network's state_dict() or convert it to .safetensors"
        ) from error
    except Exception as error:  # torch's unpickler raises almost anything on garbage
        raise WeightsError(
            f"{path} is not a whole torch checkpoint ({type(error).__name__}); give a .safetensors or .pth file"
        ) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    tensors = (
        {
            name.removeprefix("module."): value
            for name, value in content.items()
            if isinstance(name, str) and isinstance(value, Tensor)
        }
        if isinstance(content, Mapping)
        else {}
    )
    if not tensors:
        raise WeightsError(f"{path} holds no tensors by name; save the network's state_dict()")
    return tensors


def load_weights(network: nn.Module, path: Path, target: str) -> tuple[str, ...]:
    """Load a weights file into a network.

    Args:
        network: The network. It stays as it is where the file is refused.
        path: The weights file.
        target: The target's name, for messages.

    Returns:
        Names of tensors that the network has no place for, sorted; they are left out.

    Raises:
        WeightsError: As in :func:`read_weights`; or the file lacks a tensor of the network, or one has another shape.
    """
    tensors = read_weights(path)
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in tensors and not name.endswith("num_batches_tracked")]
    if missing:
        raise WeightsError(
            f"{path} is not for {target}: it lacks {len(missing)} of {len(wanted)} tensors, "
            f"first {missing[0]}; use weights of that architecture"
        )
    for name, value in wanted.items():
        if name in tensors and tensors[name].shape != value.shape:
            raise WeightsError(
                f"{path} is not for {target}: {name} should be {tuple(value.shape)}, "
                f"is {tuple(tensors[name].shape)}; use weights of that architecture"
            )
        if name in tensors and (kind := _odd_kind(tensors[name])):
            raise WeightsError(f"{path} is not for {target}: {name} is {kind}; save it as plain numbers")
    try:
        network.load_state_dict({name: tensors[name] for name in wanted if name in tensors}, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{path} is not for {target}: {_line(error)}") from error
    return tuple(sorted(set(tensors) - set(wanted)))


def _odd_kind(tensor: Tensor) -> str | None:
    """Return what a tensor is, where it is no plain array of real numbers in memory; else None."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested:
        return "sparse, nested or quantized"
    if tensor.is_complex():
        return "complex"
    return f"on {tensor.device}" if tensor.device.type != "cpu" else None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
