"""Loads a model behind a server as a target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError, TargetError
from ...io.png import png
from ..arrays.reading import Reading
from ..class_names import read_class_names
from ..doors.base import Loaded, Request
from ..doors.brought import array_loaded, file_card, reading_of
from ..queries.asked import REQUESTS
from ..queries.policy import Policy, TryAgain, repeated
from ..understanding import PICTURES, check_affordable, choose_image_shape
from . import labels, open_inference
from .client import Client

SECONDS, IMAGES = 60.0, 16
"""Seconds that a request may take, and images of one, where the user doesn't say."""


def load(name: str, request: Request) -> Loaded:
    """Return the model at a URL as a target.

    Raises:
        ConfigError: It needs to be told more, such as the size of its images.
        TargetError: No server answers there, or not as either protocol says.
    """
    options = request.model
    client = Client(name, options.timeout or SECONDS, options.concurrency or REQUESTS)
    make = _open_inference if open_inference.is_model_url(name) else _labels
    policy = Policy(retries=options.retries)
    try:
        return replace(repeated(lambda: make(name, client, request), policy), remote=True)
    except TryAgain as error:
        raise TargetError(str(error)) from error


def _open_inference(name: str, client: Client, request: Request) -> Loaded:
    options = request.model
    model = open_inference.describe(client, name, options.layout)
    shape = choose_image_shape(name, options, model.shape.channels, model.shape.size)
    rows = model.shape.batch
    return array_loaded(
        lambda images: open_inference.infer(client, model, images),
        replace(file_card(name, "a model of the Open Inference Protocol", shape), name=name),
        request,
        reading=reading_of(options, layout=model.shape.layout, dtype=model.dtype),
        rows=rows or options.request_images or IMAGES,
        fixed=rows is not None,
        fingerprint=f"{model.url} version {model.version}" if model.version else None,
        in_torch=False,
    )


def _labels(name: str, client: Client, request: Request) -> Loaded:
    options = request.model
    shape = choose_image_shape(name, options, None, None)
    if options.classes_file is not None:
        names = read_class_names(Path(options.classes_file))
    else:
        names = list(request.classes or _labels_of(name, client, request, shape))
    asked = 0 if request.classes or options.classes_file else 1

    def call(images: NDArray[Any]) -> NDArray[np.float32]:
        return np.stack([labels.spread(labels.ask(client, png(image)), names, name) for image in images])

    loaded = array_loaded(
        call,
        replace(file_card(name, "a server that answers pictures with labels", shape), name=name),
        request,
        reading=Reading(dtype="uint8", range="0-255"),
        names=names,
        rows=1,
        in_torch=False,
    )
    return replace(loaded, shown=loaded.shown + asked)


def _labels_of(name: str, client: Client, request: Request, shape: tuple[int, int, int]) -> list[str]:
    """Return the labels of a server that answers a grey picture with all of them."""
    check_affordable(request.model, 1 + PICTURES)
    answer = labels.ask(client, png(np.full(shape, 128, np.uint8)))
    total = sum(answer.values())
    if abs(total - 1) >= 1e-3:
        raise ConfigError(
            f"{name} answers with {len(answer)} labels whose scores sum to {total:.3g}; name all classes in a file, "
            "and give it with `classes_file`"
        )
    return sorted(answer)
