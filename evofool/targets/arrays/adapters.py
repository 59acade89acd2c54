"""Classifiers of other libraries as functions of arrays: scikit-learn, Keras, ART, foolbox, MAITE, plain functions."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TargetError
from ..class_names import in_order
from ..understanding import tensors_in

Images = NDArray[Any]

_SCALING = ("Rescaling", "Normalization")
"""Layers of Keras by which a network takes pixels as they are, from 0 to 255."""


@dataclass(frozen=True)
class Adapter:
    """A classifier as a function of arrays.

    Attributes:
        kind: What it is, in words.
        call: The function, from a batch to what the classifier returns.
        layout, dtype, range: How it takes images; see :class:`~.reading.Reading`.
        channels: Channels that it takes; None where it doesn't say.
        size: (height, width) that it takes; None where it doesn't say.
        names: Its class names; None where it has none.
    """

    kind: str
    call: Callable[[Images], Any]
    layout: str = "NHWC"
    dtype: str = "float32"
    range: str = "0-1"
    channels: int | None = None
    size: tuple[int, int] | None = None
    names: list[str] | None = None


def adapter_of(name: str, thing: Any) -> Adapter:
    """Return an object as a function of arrays.

    Args:
        name: What the user calls it.
        thing: An estimator with ``predict_proba``, a Keras model, a classifier of ART, a model of foolbox or of the
            MAITE protocol, or a function of (B, H, W, C) uint8 batches or of single (H, W, C) images.

    Raises:
        TargetError: It is none of these.
    """
    for make in (_scikit, _art, _foolbox, _maite, _keras):
        if adapter := make(thing):
            return adapter
    if callable(thing):
        return Adapter("a Python function", Function(thing), dtype="uint8", range="0-255")
    raise TargetError(
        f"{name} is a {type(thing).__name__}; expected a torch module, a function from images to scores, or an object "
        "with predict_proba() or predict()"
    )


class Function:
    """A user's function of a batch or of single images; which, its first answer tells.

    Args:
        function: The function.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._single: bool | None = None

    def __call__(self, images: Images) -> Any:
        """Return what the function makes of (B, H, W, C) images, for all of them."""
        if self._single is None:
            return self._first(images)
        return self._of_each(images, []) if self._single else self._function(images)

    def _first(self, images: Images) -> Any:
        """Return what the function makes of the first images, and remember what it takes. None is asked about twice.

        What is neither of a batch nor of single images is returned as it is; who asks says what is wrong with it.
        """
        try:
            output = self._function(images)
        except Exception as error:  # a function of single images may fail on a batch in any way
            try:
                answer = self._function(images[0])
                _vector(answer)
            except Exception:
                raise error from None  # it fails on both, or makes no scores of a single image
            self._single = True
            return self._of_each(images, [answer])
        if any(len(part) == len(images) for part in tensors_in(output).values() if part.ndim):
            self._single = False
            return output
        try:
            scores = self._of_each(images, [])
        except Exception:  # it makes no scores of a single image either
            return output
        self._single = True
        return scores

    def _of_each(self, images: Images, answers: list[Any]) -> NDArray[np.float64]:
        """Return the scores of single images, of which the first may be there already."""
        return np.stack(list(map(_vector, [*answers, *map(self._function, images[len(answers) :])])))


def _vector(answer: Any) -> NDArray[np.float64]:
    """Return the scores of one image.

    Raises:
        TypeError, ValueError: There are none.
    """
    if answer is None or isinstance(answer, Mapping | str):
        raise TypeError(f"expected the scores of an image in the classes' order, got {type(answer).__name__}")
    return np.asarray(answer, np.float64).reshape(-1)


def _scikit(thing: Any) -> Adapter | None:
    if not (callable(getattr(thing, "predict_proba", None)) and hasattr(thing, "n_features_in_")):
        return None
    features = int(thing.n_features_in_)
    channels, edge = next(
        ((channels, math.isqrt(features // channels)) for channels in (1, 3) if _square(features, channels)), (None, 0)
    )
    labels = getattr(thing, "classes_", None)
    return Adapter(
        f"scikit-learn's {type(thing).__name__}",
        lambda images: thing.predict_proba(images.reshape(len(images), -1)),
        channels=channels,
        size=(edge, edge) if edge else None,
        names=[str(label) for label in labels] if labels is not None else None,
    )


def _square(features: int, channels: int) -> bool:
    return features % channels == 0 and math.isqrt(features // channels) ** 2 * channels == features


def _art(thing: Any) -> Adapter | None:
    if not (
        callable(getattr(thing, "predict", None)) and hasattr(thing, "nb_classes") and hasattr(thing, "input_shape")
    ):
        return None
    shape = tuple(thing.input_shape)
    first = bool(getattr(thing, "channels_first", shape[0] in (1, 3)))
    limits = getattr(thing, "clip_values", None)
    height, width, channels = (*shape[1:], shape[0]) if first else shape
    return Adapter(
        f"ART's {type(thing).__name__}",
        thing.predict,
        layout="NCHW" if first else "NHWC",
        range="0-255" if limits is not None and float(np.max(limits[1])) > 1 else "0-1",
        channels=channels,
        size=(height, width),
    )


def _foolbox(thing: Any) -> Adapter | None:
    bounds = getattr(thing, "bounds", None)
    if not (callable(thing) and isinstance(bounds, tuple) and len(bounds) == 2 and hasattr(thing, "data_format")):
        return None
    import torch

    device = getattr(thing, "device", "cpu")

    def call(images: Images) -> Any:
        with torch.no_grad():
            return thing(torch.from_numpy(images).to(device))

    return Adapter(
        f"foolbox's {type(thing).__name__}",
        call,
        layout="NHWC" if thing.data_format == "channels_last" else "NCHW",
        range="0-255" if float(bounds[1]) > 1 else "-1-1" if float(bounds[0]) < 0 else "0-1",
    )


def _maite(thing: Any) -> Adapter | None:
    metadata = getattr(thing, "metadata", None)
    labels = metadata.get("index2label") if isinstance(metadata, Mapping) else getattr(thing, "index2label", None)
    if not (callable(thing) and isinstance(labels, Mapping)):
        return None
    return Adapter(
        f"{type(thing).__name__}, of the MAITE protocol",
        lambda images: np.stack([np.asarray(scores, np.float64) for scores in thing(list(images))]),
        layout="NCHW",
        names=[str(name) for name in in_order(dict(labels)) or ()] or None,
    )


def _keras(thing: Any) -> Adapter | None:
    predict = getattr(thing, "predict", None)
    if not callable(predict):
        return None
    shape = getattr(thing, "input_shape", None)
    sizes = tuple(shape) if isinstance(shape, tuple) and len(shape) == 4 else (None, None, None, None)
    at_once = getattr(thing, "predict_on_batch", None)  # Keras' predict() prepares every call anew.
    quiet = {"verbose": 0} if "verbose" in inspect.signature(predict).parameters else {}
    scales = any(type(layer).__name__ in _SCALING for layer in getattr(thing, "layers", ())[:4])
    return Adapter(
        f"{type(thing).__name__} with predict()",
        at_once if callable(at_once) else lambda images: predict(images, **quiet),
        range="0-255" if scales else "0-1",
        channels=sizes[3],
        size=(sizes[1], sizes[2]) if sizes[1] and sizes[2] else None,
    )
