"""The file in which this machine's choices are kept."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from ...io.cache import cache_folder
from ...io.files import open_regular, write_atomically
from ...io.lines import MAX_LINE
from ...version import __version__
from ..fingerprint import tensors_digest
from ..torch_target import TorchTarget
from .execution import FORMATS, Execution

MAX_MICRO_BATCH = 2**20
"""Largest micro-batch that is taken from the file."""


def cache_file() -> Path | None:
    """Return where choices are kept: in ``EVOFOOL_CACHE``, in the user's cache folder, or nowhere."""
    folder = cache_folder()
    return folder / "tuning.json" if folder else None


def key_of(target: TorchTarget) -> str:
    """Return what the choice for a target depends on: network, weights, machine, versions, and what was left open.

    It can't know what a network's ``forward()`` does, so a choice that was kept is tried before it is used.
    """
    digest = hashlib.sha256(f"{_description(target)}{tensors_digest(target.network)}".encode())
    machine = [__version__, torch.__version__, platform.machine(), _hardware(target), torch.get_num_threads()]
    fixed = {name: value for name, value in asdict(target.execution).items() if name not in target.tunable}
    digest.update(json.dumps([*machine, target.image_shape, fixed]).encode())
    return f"{target.name}, {target.device.type}, {digest.hexdigest()[:16]}"


def read(target: TorchTarget) -> Execution | None:
    """Return the choice that was made for a target; None where there is none that can be."""
    return _execution(_entries(cache_file()).get(key_of(target)))


def write(key: str, execution: Execution) -> None:
    """Keep a choice. A machine on which that fails tries again the next time."""
    if (file := cache_file()) is None:
        return
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps(_entries(file) | {key: asdict(execution)}, indent=1) + "\n"
        write_atomically(file, content, durable=False)


def _description(target: TorchTarget) -> str:
    """Return a network's layers in words."""
    try:
        return repr(target.network)
    except Exception:  # a user's module may raise anything
        return type(target.network).__name__


def _hardware(target: TorchTarget) -> str:
    """Return the name of the hardware that a target runs on."""
    if target.device.type == "cuda":
        return torch.cuda.get_device_name(target.device)
    return f"{platform.processor()} {torch.backends.cpu.get_cpu_capability()} {os.cpu_count()}"


def _entries(file: Path | None) -> dict[str, Any]:
    """Return what the file holds; nothing where it can't be read."""
    if file is None:
        return {}
    try:
        with open_regular(file) as stream:
            content = json.loads(stream.read(MAX_LINE))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _execution(entry: Any) -> Execution | None:
    """Return an entry of the file as an execution, or None where it is none."""
    if not isinstance(entry, dict) or entry.keys() != {field.name for field in fields(Execution)}:
        return None
    execution = Execution(**entry)
    sound = (
        execution.precision in ("float32", "bfloat16")
        and execution.memory_format in FORMATS
        and type(execution.micro_batch) is int
        and 1 <= execution.micro_batch <= MAX_MICRO_BATCH
        and type(execution.fold) is bool
        and type(execution.parallel) is bool
    )
    return execution if sound else None
