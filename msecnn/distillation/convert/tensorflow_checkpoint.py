"""TensorFlow's checkpoints ("V2 bundles") read without TensorFlow: names, shapes and float32 values of the variables.

`.index` is a sorted string table in LevelDB's format: blocks of prefix-compressed keys whose values are small protocol
buffers (BundleEntryProto); `.data-00000-of-00001` holds the variables' bytes one after the other. Both formats are
described in TensorFlow's `tensor_bundle.proto` and LevelDB's `table_format.md`.
"""

from collections.abc import Iterator

import numpy as np

_FOOTER_BYTES = 48
_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_FLOAT32 = 1  # DT_FLOAT
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


def read_variables(index: bytes, data: bytes) -> dict[str, np.ndarray]:
    """The float32 variables of a checkpoint with one data file.

    Args:
        index: content of the `.index` file.
        data: content of the `.data-00000-of-00001` file.

    Raises:
        ValueError: the bytes are not such a checkpoint.
    """
    try:
        return _read_variables(index, data)
    except IndexError as error:
        raise ValueError("the checkpoint's index is cut short") from error


def _read_variables(index: bytes, data: bytes) -> dict[str, np.ndarray]:
    footer = index[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or not footer.endswith(_MAGIC):
        raise ValueError("this is not the index of a TensorFlow checkpoint")
    _, position = _handle(footer, 0)  # the meta index, which is empty
    (offset, size), _ = _handle(footer, position)
    variables = {}
    for _, handle in _block(index[offset : offset + size]):
        (start, length), _ = _handle(handle, 0)
        if index[start + length] != 0:
            raise ValueError("the checkpoint's index is compressed, which this reader does not know")
        for key, value in _block(index[start : start + length]):
            if key:  # the empty key holds the header
                variable = _variable(value, data)
                if variable is not None:
                    variables[key.decode()] = variable
    return variables


def _variable(entry: bytes, data: bytes) -> np.ndarray | None:
    """One variable; None for types other than float32, such as the step counter."""
    fields = dict(_fields(entry))
    if fields.get(1) != _FLOAT32:
        return None
    shape = []
    for number, dimension in _fields(_as_bytes(fields.get(2, b""))):
        if number == 2:
            shape.append(int(dict(_fields(_as_bytes(dimension))).get(1, 0)))
    offset, size = int(fields.get(4, 0)), int(fields.get(5, 0))
    if fields.get(3, 0) != 0 or offset + size > len(data) or size != 4 * int(np.prod(shape)):
        raise ValueError("the checkpoint's index and data do not fit together")
    return np.frombuffer(data, "<f4", count=size // 4, offset=offset).reshape(shape)


def _block(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; each key is stored as what differs from the one before."""
    n_restarts = int.from_bytes(block[-4:], "little")
    end, position, key = len(block) - 4 - 4 * n_restarts, 0, b""
    while position < end:
        shared, position = _varint(block, position)
        unshared, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + unshared]
        position += unshared
        yield key, block[position : position + length]
        position += length


def _handle(content: bytes, position: int) -> tuple[tuple[int, int], int]:
    """Offset and size of a block, and where the next thing begins."""
    offset, position = _varint(content, position)
    size, position = _varint(content, position)
    return (offset, size), position


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protocol buffer."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire_type == _BYTES:
            length, position = _varint(message, position)
        elif wire_type in (_FIXED32, _FIXED64):
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"the checkpoint's index has a field of unknown wire type {wire_type}")
        yield number, message[position : position + length]
        position += length


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and where the next thing begins."""
    number = shift = 0
    while True:
        byte = content[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7


def _as_bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("the checkpoint's index has a number where a message belongs")
    return value
