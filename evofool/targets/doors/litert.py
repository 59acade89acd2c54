"""LiteRT (TensorFlow Lite) files: ``network.tflite``."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TargetError
from ..checks import first_line
from ..class_names import parse_class_names
from .base import Loaded, Request
from .needs import need_file, need_package

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

PREFIX = ""
EXAMPLE = "network.tflite"
SUFFIXES: tuple[str, ...] = (".tflite",)
WHAT = "a LiteRT (TensorFlow Lite) file (extra: litert)"

_SHIFTED = {np.int8: 128}
"""Types whose values lie that much below those of pixels."""

_TYPES = {np.float32: "float32", np.uint8: "uint8", np.int8: "uint8"}
"""Types that an input may have, and what a reading makes of images for them."""


def claims(name: str) -> bool:
    """Return whether a name is that of a LiteRT file."""
    return name.lower().endswith(SUFFIXES)


def check(name: str) -> None:
    """Check that the file and the runtime are there."""
    need_file(name)
    need_package("ai_edge_litert", "LiteRT files", "litert")


def load(name: str, request: Request) -> Loaded:
    """Return a file as a target; see :class:`~.base.Door`."""
    from ..arrays.shape import input_shape
    from ..understanding import choose_image_shape
    from .brought import array_loaded, file_card, reading_of

    check(name)
    path, options = Path(name), request.model
    interpreter = open_interpreter(path)
    inputs = interpreter.get_input_details()
    if len(inputs) != 1 or inputs[0]["dtype"] not in _TYPES:
        listed = ", ".join(f"{one['name']} {one['dtype'].__name__} {tuple(one['shape'])}" for one in inputs)
        raise TargetError(f"{path} takes {listed or 'nothing'}; expected one input of float32, uint8 or int8 images")
    taken = inputs[0]
    found = input_shape(f"{path}: input {taken['name']}", taken["shape_signature"].tolist(), options.layout)
    shape = choose_image_shape(str(path), options, found.channels, found.size)
    reading = reading_of(options, layout=found.layout, dtype=_TYPES[taken["dtype"]])
    return array_loaded(
        _Call(interpreter, taken),
        file_card(name, "a LiteRT file", shape),
        request,
        reading=reading,
        names=names_in(path),
        rows=found.batch,
        fixed=found.batch is not None,
        weights=path,
        in_torch=False,
    )


def open_interpreter(path: Path) -> Interpreter:
    """Return an interpreter of a file.

    Raises:
        TargetError: The runtime refuses the file.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(path))
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise TargetError(f"{path} is no file that LiteRT can run ({first_line(error)})") from error
    return interpreter


def names_in(path: Path) -> list[str] | None:
    """Return the class names in a text file that metadata tools pack behind a model, or None."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as packed:
        for file in packed.namelist():
            if file.endswith(".txt") and (found := parse_class_names(packed.read(file).decode("utf-8", "replace"))):
                return found
    return None


class _Call:
    """A file as a function of a batch to its outputs. An interpreter keeps tensors: one thread runs it at a time."""

    def __init__(self, interpreter: Interpreter, taken: dict[str, Any]) -> None:
        self._interpreter, self._taken, self._lock = interpreter, taken, threading.Lock()
        self._shape = tuple(taken["shape"])

    def __call__(self, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
        dtype = self._taken["dtype"]
        values = (images.astype(np.int16) - _SHIFTED[dtype]).astype(dtype) if dtype in _SHIFTED else images
        with self._lock:
            if values.shape != self._shape:
                self._interpreter.resize_tensor_input(self._taken["index"], values.shape)
                self._interpreter.allocate_tensors()
                self._shape = values.shape
            self._interpreter.set_tensor(self._taken["index"], values)
            self._interpreter.invoke()
            return {
                one["name"]: _plain(self._interpreter.get_tensor(one["index"]), one["quantization"])
                for one in self._interpreter.get_output_details()
            }


def _plain(values: NDArray[Any], quantization: tuple[float, int]) -> NDArray[Any]:
    """Return what quantised values stand for."""
    scale, zero = quantization
    return values if not scale else ((values.astype(np.float32) - zero) * scale).astype(np.float32)
