"""As much of ONNX's file format as a graph of tensors takes, so that writing one needs no package.

Field numbers are those of `onnx.proto`. The wire format is Protocol Buffers': a field's number and type in one varint,
then a varint, four bytes, or a length and so many bytes.
"""

import struct
from collections.abc import Iterable, Sequence

import numpy as np

#: ONNX's operator set, and its file format: old enough for every runtime of the last three years.
OPSET, IR_VERSION = 18, 9
FLOAT, INT64, DOUBLE = 1, 7, 11  # TensorProto.DataType
_TYPES = {"float32": FLOAT, "float64": DOUBLE, "int64": INT64}
_VARINT, _BYTES, _FLOAT32 = 0, 2, 5
_OF_FLOAT, _OF_INT, _OF_INTS = 1, 2, 7  # AttributeProto.AttributeType
Attribute = int | float | Sequence[int]


class Graph:
    """Nodes one after the other, each called by what it gives."""

    def __init__(self) -> None:
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}

    def input(self, name: str, shape: Sequence[int | str], *, batch: str = "B") -> str:
        """What is given, in float32; `shape` is without the first axis, and has a name for what may be of any size."""
        self._inputs.append(_value_info(name, FLOAT, [batch, *shape]))
        return name

    def output(
        self, name: str, value: str, shape: Sequence[int | str], *, whole: bool = False, batch: str = "B"
    ) -> None:
        """Gives a value away under a name, in float32 or whole numbers; of `shape` see `input`."""
        self.add("Identity", value, name=name)
        self._outputs.append(_value_info(name, INT64 if whole else FLOAT, [batch, *shape]))

    def constant(self, name: str, values: np.ndarray | np.generic) -> str:
        """A tensor of the graph, kept once under its name."""
        head = b"".join(_varint_field(1, size) for size in values.shape) + _varint_field(2, _TYPES[values.dtype.name])
        content = values.astype(values.dtype.newbyteorder("<")).tobytes()
        self._constants[name] = head + _text(8, name) + _bytes(9, content)
        return name

    def whole(self, *numbers: int) -> str:
        """Whole numbers, which shapes, axes and places are told by."""
        return self.constant("_".join(["whole", *map(str, numbers)]), np.array(numbers, dtype=np.int64))

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Attribute) -> str:
        """One operator; what it gives is called by `name`, or by its number."""
        result = name or f"{operator}_{len(self._nodes)}"
        node = b"".join(_text(1, value) for value in inputs) + _text(2, result) + _text(4, operator)
        self._nodes.append(node + b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items()))
        return result

    def model(self, *, metadata: dict[str, str] | None = None) -> bytes:
        """The whole file, with texts by their keys."""
        fields = {1: self._nodes, 5: self._constants.values(), 11: self._inputs, 12: self._outputs}
        graph = _text(2, "msecnn") + b"".join(_all(number, values) for number, values in fields.items())
        texts = [_text(1, key) + _text(2, text) for key, text in (metadata or {}).items()]
        head = _varint_field(1, IR_VERSION) + _text(2, "msecnn") + _bytes(8, _varint_field(2, OPSET))
        return head + _bytes(7, graph) + _all(14, texts)


def _value_info(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sizes = [_text(2, size) if isinstance(size, str) else _varint_field(1, size) for size in shape]
    return _text(1, name) + _bytes(2, _bytes(1, _varint_field(1, kind) + _bytes(2, _all(1, sizes))))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        content = _key(2, _FLOAT32) + struct.pack("<f", value) + _varint_field(20, _OF_FLOAT)
    elif isinstance(value, int):
        content = _varint_field(3, value) + _varint_field(20, _OF_INT)
    else:
        content = b"".join(_varint_field(8, item) for item in value) + _varint_field(20, _OF_INTS)
    return _text(1, name) + content


def _all(number: int, contents: Iterable[bytes]) -> bytes:
    return b"".join(_bytes(number, content) for content in contents)


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
