"""Programs of torch in a file: ``torch.export`` (``network.pt2``) and TorchScript (``network.torchscript.pt``)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import TargetError
from ..checks import first_line
from ..class_names import parse_class_names
from .base import Loaded, Request
from .needs import need_file

if TYPE_CHECKING:
    from torch import nn

PREFIX = ""
EXAMPLE = "network.pt2, network.torchscript.pt"
WHAT = "torch.export or TorchScript"

EXPORTED = (".pt2",)
SCRIPTED = (".ts", ".torchscript", ".torchscript.pt", ".torchscript.pth")
SUFFIXES: tuple[str, ...] = (*EXPORTED, *SCRIPTED)

NAMES = "classes.json"
"""The extra file of an archive that may hold the class names."""


def claims(name: str) -> bool:
    """Return whether a name is that of such a file."""
    return name.lower().endswith(SUFFIXES)


def check(name: str) -> None:
    """Check that the file is there."""
    need_file(name)


def load(name: str, request: Request) -> Loaded:
    """Return a file as a target; see :class:`~.base.Door`."""
    from ..arrays.shape import input_shape
    from ..understanding import choose_image_shape
    from .brought import file_card, module_loaded

    check(name)
    path = Path(name)
    extra: dict[str, Any] = {NAMES: ""}
    exported = name.lower().endswith(EXPORTED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module, shape = _exported(path, extra) if exported else _scripted(path, extra)
    except Exception as error:  # torch raises almost anything on garbage
        kind = "program of torch.export" if exported else "TorchScript file"
        raise TargetError(f"{path} is not a whole {kind} ({first_line(error)[:200]}); export it again") from error
    found = input_shape(f"{path}: its input", shape, "NCHW") if shape else None
    image_shape = choose_image_shape(
        str(path), request.model, found.channels if found else None, found.size if found else None
    )
    text = extra[NAMES]
    return module_loaded(
        module,
        file_card(name, "a program of torch.export" if exported else "TorchScript", image_shape),
        request,
        names=parse_class_names(text.decode() if isinstance(text, bytes) else text) if text else None,
        rows=found.batch if found else None,
        weights=path,
    )


def _exported(path: Path, extra: dict[str, Any]) -> tuple[nn.Module, list[object]]:
    """Return an exported program as a module, and the shape of its input."""
    import torch

    program = torch.export.load(path, extra_files=extra)
    inputs = program.graph_signature.user_inputs
    if len(inputs) != 1:
        raise ValueError(f"it takes {len(inputs)} inputs; expected one of images")
    node = next(node for node in program.graph.nodes if node.op == "placeholder" and node.name == inputs[0])
    return program.module(), [size if type(size) is int else None for size in node.meta["val"].shape]


def _scripted(path: Path, extra: dict[str, Any]) -> tuple[nn.Module, None]:
    """Return a TorchScript as a module; it doesn't say what it takes."""
    import torch

    module: nn.Module = torch.jit.load(str(path), map_location="cpu", _extra_files=extra)  # type: ignore[no-untyped-call]
    return module, None
