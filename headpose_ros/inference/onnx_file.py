# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes the parts of ONNX files that our networks need, without the `onnx` package.

ONNX is a Protocol Buffers message. Numbers of fields are those of `onnx.proto`
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Sizes that may differ from call to call
have a name instead of a number there; they are None here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET = 14
_IR_VERSION = 7
_MODEL_METADATA, _MODEL_GRAPH = 14, 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_TYPES = {1: np.float32, 2: np.uint8, 7: np.int64, 10: np.float16, 11: np.float64}
_TYPE_NUMBERS = {np.dtype(kind): number for number, kind in _TYPES.items()}

_NOTHING = memoryview(b'')

Field = tuple[int, Any]


@dataclass(frozen=True)
class TensorType:
    """Name, element type and shape of an input or output; None where a size is open."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Node:
    """One operation of a graph; `inputs` and `outputs` are names of values."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class OnnxFile:
    """What an ONNX file holds. Raises ValueError where `data` is none, or not a whole one."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.metadata: dict[str, str] = {}
        self.inputs: list[TensorType] = []
        self.outputs: list[TensorType] = []
        self._initializers: list[memoryview] = []
        self._nodes: list[memoryview] = []
        graph: Any = None
        for number, value in _fields(memoryview(data)):
            if number == _MODEL_GRAPH:
                graph = value
            elif number == _MODEL_METADATA:
                entry = dict(_fields(value))
                self.metadata[_text(entry.get(1, _NOTHING))] = _text(entry.get(2, _NOTHING))
        if not isinstance(graph, memoryview):
            raise ValueError('no graph in it')
        for number, value in _fields(graph):
            if number == _GRAPH_INITIALIZER:
                self._initializers.append(value)
            elif number == _GRAPH_NODE:
                self._nodes.append(value)
            elif number == _GRAPH_INPUT:
                self.inputs.append(_tensor_type(value))
            elif number == _GRAPH_OUTPUT:
                self.outputs.append(_tensor_type(value))

    @cached_property
    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Weights by name: floating-point initializers, as float32."""
        named = (_float_tensor(data) for data in self._initializers)
        return {name: t.astype(np.float32, copy=False) for name, t in named if t is not None}

    @property
    def nodes(self) -> list[Node]:
        """The operations, in the order of the file."""
        return [_node(data) for data in self._nodes]


def with_metadata(data: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return a model file with `metadata` in place of its own."""
    rest = [
        (n, v) for n, v in _fields(memoryview(data)) if n not in (_MODEL_METADATA, _MODEL_GRAPH)
    ]
    graph = [(n, v) for n, v in _fields(memoryview(data)) if n == _MODEL_GRAPH]
    return _message(*rest, *_metadata_fields(metadata), *graph)


def with_input_shape(data: bytes, shape: Sequence[int | None]) -> bytes:
    """Return a model file with one input whose shape is `shape`; what is open there stays open."""

    def of_graph(number: int, value: Any) -> Field:
        if number == _GRAPH_INPUT:
            old = _tensor_type(value)
            names = _open_names(value)
            sizes = [name if n is None else n for n, name in zip(shape, names, strict=True)]
            return number, tensor_type(old.name, old.dtype, sizes)
        return number, value

    def of_model(number: int, value: Any) -> Field:
        if number == _MODEL_GRAPH:
            return number, _message(*(of_graph(n, v) for n, v in _fields(value)))
        return number, value

    return _message(*(of_model(number, value) for number, value in _fields(memoryview(data))))


def with_outputs(data: bytes, names: Sequence[str]) -> bytes:
    """Return a model file that gives only the outputs `names`; what they do not need is unused."""

    def of_graph(message: memoryview) -> bytes:
        fields = _fields(message)
        return _message(
            *((n, v) for n, v in fields if n != _GRAPH_OUTPUT or _tensor_type(v).name in names)
        )

    fields = _fields(memoryview(data))
    return _message(*((n, of_graph(v) if n == _MODEL_GRAPH else v) for n, v in fields))


def model(graph: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file. The graph stands last, so that half a file is never taken for whole."""
    opset = _message((1, ''), (2, OPSET))
    return _message(
        (1, _IR_VERSION),
        (2, 'headpose_ros'),
        (8, opset),
        *_metadata_fields(metadata),
        (_MODEL_GRAPH, graph),
    )


def graph(
    nodes: Sequence[bytes],
    tensors: Mapping[str, NDArray[Any]],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
) -> bytes:
    """Return a graph of what `node` and `tensor_type` give; `tensors` are its initializers."""
    return _message(
        *((1, n) for n in nodes),
        (2, 'network'),
        *((_GRAPH_INITIALIZER, _tensor_message(name, t)) for name, t in tensors.items()),
        *((_GRAPH_INPUT, i) for i in inputs),
        *((_GRAPH_OUTPUT, o) for o in outputs),
    )


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> bytes:
    """Return an operation with one output: `kind` and attributes as in ONNX's list of them."""
    return _message(
        *((1, name) for name in inputs),
        (2, output),
        (3, output),
        (4, kind),
        *((5, _attribute(name, value)) for name, value in attributes.items()),
    )


def tensor_type(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    """Return the description of an input or output; a size that is text is open."""
    sizes = (_message((1, n)) if isinstance(n, int) else _message((2, n)) for n in shape)
    shape_message = _message(*((1, size) for size in sizes))
    tensor = _message((1, _TYPE_NUMBERS[np.dtype(dtype)]), (2, shape_message))
    return _message((1, name), (2, _message((1, tensor))))


def _metadata_fields(metadata: Mapping[str, str]) -> list[Field]:
    return [(_MODEL_METADATA, _message((1, k), (2, v))) for k, v in sorted(metadata.items())]


def _attribute(name: str, value: Any) -> bytes:
    if isinstance(value, float):
        return _message((1, name), (2, value), (20, 1))
    if isinstance(value, int):
        return _message((1, name), (3, value), (20, 2))
    if isinstance(value, str):
        return _message((1, name), (4, value), (20, 3))
    if isinstance(value, np.ndarray):
        return _message((1, name), (5, _tensor_message('', value)), (20, 4))
    return _message((1, name), *((8, int(v)) for v in value), (20, 7))


def _tensor_message(name: str, tensor: NDArray[Any]) -> bytes:
    array = np.ascontiguousarray(tensor)
    sizes = [(1, n) for n in array.shape]
    return _message(*sizes, (2, _TYPE_NUMBERS[array.dtype]), (8, name), (9, array.tobytes()))


def _float_tensor(data: memoryview) -> tuple[str, NDArray[Any] | None]:
    """Read an initializer, None where it is no floating-point one."""
    shape: list[int] = []
    name, kind, values = '', 0, _NOTHING
    for number, value in _fields(data):
        if number == 1:
            shape += _varints(value) if isinstance(value, memoryview) else [value]
        elif number == 2:
            kind = value
        elif number in (4, 9, 10):  # float_data, raw_data, double_data
            values = value
        elif number == 8:
            name = _text(value)
        elif number == 13:
            raise ValueError(f'tensor {name!r} lies in another file')
    dtype = np.dtype(_TYPES.get(kind, np.uint8)).newbyteorder('<')
    if dtype.kind != 'f':
        return name, None
    if len(values) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f'tensor {name!r}: expected {math.prod(shape)} values of {dtype.name}')
    return name, np.frombuffer(values, dtype).reshape(shape)


def _node(data: memoryview) -> Node:
    texts: dict[int, list[str]] = {number: [] for number in (1, 2, 3, 4)}
    for number, value in _fields(data):
        if number in texts:
            texts[number].append(_text(value))
    inputs, outputs, name, kind = texts.values()
    return Node(''.join(kind), ''.join(name), tuple(inputs), tuple(outputs))


def _tensor_type(data: memoryview) -> TensorType:
    entry = dict(_fields(data))
    tensor = dict(_fields(dict(_fields(entry.get(2, _NOTHING))).get(1, _NOTHING)))
    sizes = [dict(_fields(value)).get(1) for _, value in _fields(tensor.get(2, _NOTHING))]
    kind = _TYPES.get(tensor.get(1, 0))
    dtype = np.dtype(kind).name if kind else 'unknown'
    return TensorType(_text(entry.get(1, _NOTHING)), dtype, tuple(sizes))


def _open_names(data: memoryview) -> list[str]:
    """Return the names of the sizes of an input; made up where they have none."""
    entry = dict(_fields(data))
    tensor = dict(_fields(dict(_fields(entry.get(2, _NOTHING))).get(1, _NOTHING)))
    sizes = [dict(_fields(value)) for _, value in _fields(tensor.get(2, _NOTHING))]
    return [_text(size.get(2, memoryview(f'size_{i}'.encode()))) for i, size in enumerate(sizes)]


def _text(data: Any) -> str:
    if not isinstance(data, memoryview):
        raise ValueError('a number where text should be')
    return bytes(data).decode(errors='replace')


def _message(*fields: Field) -> bytes:
    """Encode fields in this order: whole numbers, floats, text, or bytes."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        elif isinstance(value, float):
            out += _varint(number << 3 | 5) + struct.pack('<f', value)
        else:
            content = value.encode() if isinstance(value, str) else value
            out += _varint(number << 3 | 2) + _varint(len(content)) + content
    return bytes(out)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(data: Any) -> Iterator[Field]:
    """Yield number and value of each field: int, float, or memoryview; ValueError if damaged."""
    if not isinstance(data, memoryview):
        raise ValueError('a number where a message should be')
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _read_varint(data, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _read_varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f'no Protocol Buffers message at byte {at}')
        if number == 0 or at + length > len(data):
            raise ValueError('it ends too early')
        content = data[at : at + length]
        at += length
        yield number, struct.unpack('<f', content)[0] if wire == 5 else content


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError('it ends too early')


def _varints(data: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _read_varint(data, at)
        values.append(value)
    return values
