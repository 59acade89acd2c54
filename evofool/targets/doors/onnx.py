"""ONNX files: ``network.onnx``, run by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from ...errors import TargetError, in_words
from ...text import cut
from ..class_names import parse_class_names
from .base import Loaded, Request
from .needs import need_file, need_package

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from ..arrays.shape import InputShape

PREFIX = ""
EXAMPLE = "network.onnx"
SUFFIXES: tuple[str, ...] = (".onnx",)
WHAT = "an ONNX file (extra: onnx)"

NAME_KEYS = ("names", "classes", "labels", "class_names", "id2label", "character")
"""Keys of a file's metadata under which exporters keep class names; the last is that of PaddleOCR's."""

_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
}


class OnnxInput(NamedTuple):
    """What a file says of its input.

    Attributes:
        name: The input's name.
        dtype: Type of its values.
        shape: The order and the sizes of its axes.
    """

    name: str
    dtype: str
    shape: InputShape


def claims(name: str) -> bool:
    """Return whether a name is that of an ONNX file."""
    return name.lower().endswith(SUFFIXES)


def check(name: str) -> None:
    """Check that the file and onnxruntime are there."""
    need_file(name)
    need_package("onnxruntime", "ONNX files", "onnx")


def load(name: str, request: Request) -> Loaded:
    """Return a file as a target; see :class:`~.base.Door`."""
    from ..understanding import choose_image_shape
    from .brought import array_loaded, file_card, reading_of

    check(name)
    path, options = Path(name), request.model
    session = open_session(path, request.execution.device)
    taken = input_of(session, path, options.layout)
    shape = choose_image_shape(str(path), options, taken.shape.channels, taken.shape.size)
    reading = reading_of(options, layout=taken.shape.layout, dtype=taken.dtype)
    outputs = [one.name for one in session.get_outputs()]

    def call(images: NDArray[Any]) -> dict[str, Any]:
        return dict(zip(outputs, session.run(outputs, {taken.name: images}), strict=True))

    return array_loaded(
        call,
        file_card(name, "an ONNX file", shape),
        request,
        reading=reading,
        names=names_in(session),
        rows=taken.shape.batch,
        fixed=taken.shape.batch is not None,
        weights=path,
        in_torch=False,
    )


def open_session(path: Path, device: str) -> InferenceSession:
    """Return a session of a file.

    Args:
        path: The file.
        device: ``auto``, ``cpu``, or ``cuda`` where onnxruntime has it.

    Raises:
        TargetError: onnxruntime has no such device, or refuses the file.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    available = onnxruntime.get_available_providers()
    wanted = ["CPUExecutionProvider"]
    if device.startswith("cuda") or (device == "auto" and "CUDAExecutionProvider" in available):
        if "CUDAExecutionProvider" not in available:
            raise TargetError("this onnxruntime has no CUDA; install onnxruntime-gpu, or use `device=cpu`")
        wanted.insert(0, "CUDAExecutionProvider")
    try:
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # Between batches the search works.
        return onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:  # onnxruntime's errors have no common base
        raise TargetError(f"{path} is no ONNX file that onnxruntime can run ({cut(in_words(error), 200)})") from error


def input_of(session: InferenceSession, path: Path, layout: str | None) -> OnnxInput:
    """Return the input of a file that takes images.

    Args:
        session: The file's session.
        path: The file, for messages.
        layout: The order of the axes, where the user gave it.

    Raises:
        TargetError: It has none, several, or one that can't be images.
    """
    from ..arrays.shape import input_shape

    inputs = session.get_inputs()
    images = [one for one in inputs if len(one.shape) in (3, 4)]
    if len(inputs) != 1 or len(images) != 1:
        listed = ", ".join(f"{one.name} {one.shape}" for one in inputs)
        raise TargetError(f"{path} takes {listed}; expected one input of images, such as (N, 3, 224, 224)")
    (image,) = images
    if image.type not in _TYPES:
        raise TargetError(f"{path}: its input {image.name} is {image.type}; expected {', '.join(_TYPES.values())}")
    return OnnxInput(image.name, _TYPES[image.type], input_shape(f"{path}: input {image.name}", image.shape, layout))


def names_in(session: InferenceSession) -> list[str] | None:
    """Return the class names that a file's metadata holds, or None."""
    metadata = session.get_modelmeta().custom_metadata_map
    for key in NAME_KEYS:
        if key in metadata and (names := parse_class_names(metadata[key])):
            return names
    return None
