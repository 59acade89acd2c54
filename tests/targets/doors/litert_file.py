"""Writes LiteRT files: one fully connected layer, in float32 or quantised to 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

SHAPE, CLASSES = (8, 8, 3), 4
SCALE = 1 / 64
"""Of quantised weights and outputs."""


def weights() -> NDArray[np.int8]:
    """Return (4, 192) small whole numbers, which both kinds of file hold exactly."""
    return np.random.default_rng(5).integers(-3, 4, (CLASSES, int(np.prod(SHAPE)))).astype(np.int8)


def write(path: Path, dtype: type) -> None:
    """Write a file that takes (1, 8, 8, 3) images of a type and returns (1, 4) logits of that type."""
    model = schema.ModelT()
    model.version = 3
    model.description = "tests"
    model.operatorCodes = [_code()]
    model.buffers = [schema.BufferT(), _buffer(weights().astype(np.float32) if dtype is np.float32 else weights())]
    graph = schema.SubGraphT()
    weight_type = np.float32 if dtype is np.float32 else np.int8
    graph.tensors = [
        _tensor("images", (1, *SHAPE), dtype, 0, (1 / 255, 0 if dtype is np.uint8 else -128)),
        _tensor("weights", (CLASSES, int(np.prod(SHAPE))), weight_type, 1, (SCALE, 0)),
        _tensor("scores", (1, CLASSES), dtype, 0, (SCALE * 2, 0 if dtype is np.int8 else 128)),
    ]
    graph.inputs, graph.outputs, graph.operators = [0], [2], [_layer()]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def _code() -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 4
    return code


def _layer() -> Any:
    layer = schema.OperatorT()
    layer.opcodeIndex, layer.inputs, layer.outputs = 0, [0, 1, -1], [2]
    layer.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    layer.builtinOptions = schema.FullyConnectedOptionsT()
    return layer


def _buffer(values: NDArray[Any]) -> Any:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return buffer


def _tensor(name: str, shape: tuple[int, ...], dtype: type, buffer: int, quantised: tuple[float, int]) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
    tensor.type = {
        np.float32: schema.TensorType.FLOAT32,
        np.int8: schema.TensorType.INT8,
        np.uint8: schema.TensorType.UINT8,
    }[dtype]
    if dtype is not np.float32:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [quantised[0]], [quantised[1]]
    return tensor
