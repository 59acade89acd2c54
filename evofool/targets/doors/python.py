"""Objects of the user's own Python: ``package.module:attribute`` or ``path/to/file.py:attribute``."""

from __future__ import annotations

import inspect
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import TargetError
from ...io.files import sha256
from ..checks import first_line
from ..protocols import Target
from .base import Loaded, Request
from .needs import need_file
from .python_import import import_object, is_python_name, source_of

PREFIX = ""
EXAMPLE = "path/to/file.py:attribute, package.module:attribute"
SUFFIXES: tuple[str, ...] = ()
WHAT = "an object of your own Python, which is run"


def claims(name: str) -> bool:
    """Return whether a name is that of an object to import."""
    return is_python_name(name)


def check(name: str) -> None:
    """Check that the file is there, where a file is named."""
    file = name.rpartition(":")[0]
    if file.endswith(".py"):
        need_file(file)


def load(name: str, request: Request) -> Loaded:
    """Return an object as a target; see :class:`~.base.Door`. Its file is run."""
    check(name)
    source = source_of(name)
    with redirect_stdout(sys.stderr):  # What the user's code says there would end up within --json.
        return load_object(name, import_object(name), request, source)


def load_object(name: str, thing: Any, request: Request, source: Path | None = None) -> Loaded:
    """Return an object that is there already as a target.

    Args:
        name: What it is called.
        thing: A torch module, a target, what :func:`~evofool.targets.arrays.adapters.adapter_of` takes, or a class or a
            function without arguments that makes one of these.
        request: How it is to be understood.
        source: The file that it comes from.

    Raises:
        TargetError: It is none of these.
    """
    from torch import nn

    from ..arrays.adapters import adapter_of
    from ..understanding import choose_image_shape
    from .brought import adapter_loaded, file_card, module_loaded

    thing = _made(name, thing)
    shape = getattr(thing, "image_shape", None)
    channels, size = (shape[0], (shape[1], shape[2])) if isinstance(shape, tuple) and len(shape) == 3 else (None, None)
    classes = getattr(thing, "classes", None)
    names = [str(label) for label in classes] if isinstance(classes, list | tuple) else None
    if isinstance(thing, Target):
        described = file_card(name, f"a target of {type(thing).__module__}", thing.image_shape)
        resize = getattr(thing, "resize", described.resize)
        return Loaded(thing, replace(described, name=thing.name, classes=tuple(thing.classes), resize=resize), source)
    if isinstance(thing, nn.Module):
        shape = choose_image_shape(name, request.model, channels, size)
        mean, std = _normalisation(thing)
        described = replace(file_card(name, type(thing).__name__, shape), mean=mean, std=std)
        return module_loaded(thing, described, request, names=names, weights=source)
    adapter = adapter_of(name, thing)
    said: dict[str, Any] = {"channels": channels, "size": size, "names": names}
    adapter = replace(adapter, **{field: value for field, value in said.items() if value})
    return adapter_loaded(
        name, adapter, request, weights=source, fingerprint=sha256(source) if source is not None else None
    )


def _made(name: str, thing: Any) -> Any:
    """Return what a class or a factory makes; anything else as it is."""
    makes = isinstance(thing, type) or (inspect.isroutine(thing) and not _needed(thing))
    if not makes:
        return thing
    try:
        return thing()
    except Exception as error:  # it is the user's code
        raise TargetError(
            f"{name}() failed: {first_line(error)}; name an object, or a function without arguments"
        ) from error


def _needed(function: Any) -> list[str]:
    """Return the names of the arguments that a function can't be called without."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # compiled functions may have no signature
        return ["images"]
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [one.name for one in parameters if one.default is inspect.Parameter.empty and one.kind not in kinds]


def _normalisation(module: object) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and std that a module says it takes, as timm's models do in ``pretrained_cfg``."""
    said = getattr(module, "pretrained_cfg", None)
    settings = said if isinstance(said, dict) else {}
    return tuple(settings.get("mean") or (0.0,)), tuple(settings.get("std") or (1.0,))
