"""As much of the ONNX file format as a graph of tensors takes, so that writing one needs no package.

Field numbers are those of `onnx.proto` (IR version 8, operator set 17). The wire format is Protocol Buffers': a field's
number and type in one varint, then a varint, four bytes, or a length and so many bytes.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

IR_VERSION, OPSET = 8, 17
_VARINT, _BYTES, _FLOAT32 = 0, 2, 5
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 2, 7  # AttributeProto.AttributeType
Attribute = int | float | tuple[int, ...]


@dataclass
class Graph:
    """A graph in the making: nodes in the order in which they run, constants, inputs and outputs.

    Attributes:
        name: of the graph.
    """

    name: str
    _parts: list[bytes] = field(default_factory=list)
    _n_values: int = 0

    def input(self, name: str, shape: Iterable[int | str]) -> str:
        """A float32 tensor that is given; an axis of any length has a name."""
        self._parts.append(_bytes(11, _value_info(name, shape)))
        return name

    def output(self, name: str, shape: Iterable[int | str]) -> None:
        """A float32 value of the graph that is told."""
        self._parts.append(_bytes(12, _value_info(name, shape)))

    def constant(self, array: np.ndarray) -> str:
        """A tensor of fractions (as float32) or of whole numbers (as int64), by the name that it gets."""
        is_whole = np.issubdtype(array.dtype, np.integer)
        kind, array = (_INT64, array.astype(np.int64)) if is_whole else (_FLOAT, array.astype(np.float32))
        name = self._new_name()
        tensor = b"".join(_varint_field(1, size) for size in array.shape)
        tensor += _varint_field(2, kind) + _text(8, name) + _bytes(9, np.ascontiguousarray(array).tobytes())
        self._parts.append(_bytes(5, tensor))
        return name

    def node(self, operator: str, *inputs: str, to: str | None = None, **attributes: Attribute) -> str:
        """Adds an operator with one output, whose name it returns: `to`, or a new one."""
        name = to or self._new_name()
        node = b"".join(_text(1, value) for value in inputs) + _text(2, name) + _text(4, operator)
        node += b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        self._parts.append(_bytes(1, node))
        return name

    def model(self) -> bytes:
        """The whole file."""
        opset = _varint_field(2, OPSET)
        graph = b"".join(self._parts) + _text(2, self.name)
        return _varint_field(1, IR_VERSION) + _text(2, "msecnn") + _bytes(7, graph) + _bytes(8, opset)

    def _new_name(self) -> str:
        self._n_values += 1
        return f"v{self._n_values}"


def _value_info(name: str, shape: Iterable[int | str]) -> bytes:
    sizes = (_text(2, size) if isinstance(size, str) else _varint_field(1, size) for size in shape)
    tensor_type = _varint_field(1, _FLOAT) + _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _text(1, name) + _bytes(2, _bytes(1, tensor_type))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, tuple):
        content = b"".join(_varint_field(8, item) for item in value) + _varint_field(20, _ATTRIBUTE_INTS)
    elif isinstance(value, float):
        content = _key(2, _FLOAT32) + struct.pack("<f", value) + _varint_field(20, _ATTRIBUTE_FLOAT)
    else:
        content = _varint_field(3, value) + _varint_field(20, _ATTRIBUTE_INT)
    return _text(1, name) + content


def _key(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint_field(number: int, value: int) -> bytes:
    return _key(number, _VARINT) + _varint(value)


def _bytes(number: int, content: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(content)) + content


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64-bit complement."""
    value &= (1 << 64) - 1
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
