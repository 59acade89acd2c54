"""The Open Inference Protocol, version 2, of KServe, Triton, OpenVINO Model Server and MLServer.

https://github.com/kserve/open-inference-protocol: the model's metadata, and inference with tensors in JSON or, where
the server has the extension ``binary_tensor_data``, as bytes behind the JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TargetError
from ..arrays.shape import InputShape, input_shape
from .client import Client

TYPES = {"FP32": "float32", "FP16": "float16", "FP64": "float64", "UINT8": "uint8"}
"""The protocol's types that images and scores may have, as numpy calls them."""

_ID = "evofool"
"""Name of a request. The protocol can do without, but models that hand it back unchecked can't."""

_HEADER_LENGTH = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class Model:
    """What a server says of a model.

    Attributes:
        url: The URL of the model.
        input: The name of its input.
        dtype: Type of its values.
        shape: The axes of its input.
        output: The name of its output with the scores.
        classes: How many scores an image has; None where the server doesn't say.
        version: The version that the server names, or None.
        binary: Whether tensors may be sent as bytes.
    """

    url: str
    input: str
    dtype: str
    shape: InputShape
    output: str
    classes: int | None
    version: str | None
    binary: bool


def is_model_url(url: str) -> bool:
    """Return whether a URL is that of a model of this protocol."""
    return re.search(r"/v2/models/[^/]+", url) is not None


def describe(client: Client, url: str, layout: str | None) -> Model:
    """Ask a server what a model takes and returns.

    Args:
        client: The connection.
        url: The model's URL; a trailing ``/infer`` is taken off.
        layout: The order of the input's axes, where the user gave it.

    Raises:
        TargetError: The model has not one input of images and an output of scores.
    """
    url = re.sub(r"/infer/?$", "", url.rstrip("/"))
    metadata = client.get(url)
    server = client.get(url[: url.index("/v2/") + len("/v2")])
    extensions = server.get("extensions", []) if isinstance(server, dict) else []
    inputs, outputs = _tensors(url, metadata, "inputs"), _tensors(url, metadata, "outputs")
    if len(inputs) != 1 or len(inputs[0]["shape"]) not in (3, 4) or inputs[0]["datatype"] not in TYPES:
        raise TargetError(
            f"{url} takes {_listed(inputs)}; expected one input of images, such as FP32 (-1, 3, 224, 224)"
        )
    scores = [one for one in outputs if one["datatype"] in TYPES and len(one["shape"]) == 2]
    if len(scores) != 1:
        raise TargetError(f"{url} returns {_listed(outputs)}; expected one output of scores, such as FP32 (-1, 1000)")
    (image,), (output,) = inputs, scores
    versions = metadata.get("versions")
    classes = output["shape"][1]
    return Model(
        url=url,
        input=image["name"],
        dtype=TYPES[image["datatype"]],
        shape=input_shape(f"{url}: input {image['name']}", image["shape"], layout),
        output=output["name"],
        classes=classes if classes > 0 else None,
        version=str(versions[-1]) if isinstance(versions, list) and versions else None,
        binary="binary_tensor_data" in extensions,
    )


def infer(client: Client, model: Model, images: NDArray[Any]) -> NDArray[Any]:
    """Return the scores of images, as the model returns them.

    Args:
        client: The connection.
        model: The model.
        images: A batch as the model takes it.

    Raises:
        TryAgain: The server may answer later.
        TargetError: It answers something else.
    """
    datatype = next(name for name, dtype in TYPES.items() if dtype == model.dtype)
    tensor: dict[str, Any] = {"name": model.input, "shape": list(images.shape), "datatype": datatype}
    wanted: dict[str, Any] = {"name": model.output}
    if not model.binary:
        tensor["data"] = images.ravel().tolist()
        body = json.dumps({"id": _ID, "inputs": [tensor], "outputs": [wanted]}).encode()
        response = client.post(f"{model.url}/infer", body, {"Content-Type": "application/json"})
        return _scores(model, client.json_of(response), b"")
    payload = images.tobytes()
    tensor["parameters"], wanted["parameters"] = {"binary_data_size": len(payload)}, {"binary_data": True}
    header = json.dumps({"id": _ID, "inputs": [tensor], "outputs": [wanted]}).encode()
    response = client.post(
        f"{model.url}/infer",
        header + payload,
        {"Content-Type": "application/octet-stream", _HEADER_LENGTH: str(len(header))},
    )
    length = response.headers.get(_HEADER_LENGTH)
    if length is None:
        return _scores(model, client.json_of(response), b"")
    try:
        size = int(length)
        answer = json.loads(response.data[:size])
    except (ValueError, RecursionError) as error:
        raise TargetError(f"{model.url} answered with a header that is no JSON") from error
    return _scores(model, answer, response.data[size:])


def _scores(model: Model, answer: Any, payload: bytes) -> NDArray[Any]:
    """Return the scores in an answer."""
    position = 0
    for output in _tensors(model.url, answer, "outputs"):
        parameters = output.get("parameters")  # Some servers say null.
        size = parameters.get("binary_data_size") if isinstance(parameters, Mapping) else None
        if output["name"] == model.output and output["datatype"] in TYPES:
            dtype = TYPES[output["datatype"]]
            try:
                values = (
                    np.frombuffer(payload[position : position + size], dtype)
                    if size is not None
                    else np.array(output["data"], dtype)
                )
                return values.reshape(output["shape"])
            except (KeyError, TypeError, ValueError) as error:
                raise TargetError(f"{model.url} returned scores that don't fit their shape ({error})") from error
        position += size or 0
    raise TargetError(f"{model.url} returned no output {model.output}")


def _tensors(url: str, answer: Any, kind: str) -> list[dict[str, Any]]:
    """Return the inputs or outputs that an answer lists."""
    listed = answer.get(kind) if isinstance(answer, Mapping) else None
    sound = isinstance(listed, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("name"), str)
        and isinstance(one.get("datatype"), str)
        and isinstance(one.get("shape"), list)
        and all(isinstance(size, int) for size in one["shape"])
        for one in listed
    )
    if not sound:
        raise TargetError(f"{url} does not follow the Open Inference Protocol: its answer has no {kind}")
    return listed  # type: ignore[return-value]


def _listed(tensors: list[dict[str, Any]]) -> str:
    return ", ".join(f"{one['name']} {one['datatype']} {tuple(one['shape'])}" for one in tensors) or "nothing"
