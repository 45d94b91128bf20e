"""The file of a checkpoint's weights as arrays, checked: its hash, its names, its shapes, and every number in it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize

from msecnn.checkpoint_card import Card, CheckpointError
from msecnn.files import read_regular, why
from msecnn.models.structure import MultiScaleStructure

MAX_HEADER = 2**20  # bytes, of a file of tensors
_LFS_POINTER = b"version https://git-lfs"
#: Types of numbers by their names in safetensors files; NumPy has no bfloat16, which is read apart.
_TYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
#: A tensor's shape, and whether it holds fractions or whole numbers.
Kind = tuple[tuple[int, ...], bool]


@dataclass(frozen=True)
class NetworkWeights:
    """A network with levels as numbers, of which a runtime makes what it runs.

    Attributes:
        card: that describes it.
        structure: its sizes.
        tensors: its weights, checked, by the names that `MultiScaleCNN` has for them.
    """

    card: Card
    structure: MultiScaleStructure
    tensors: Mapping[str, np.ndarray]


def read_weights(path: Path, sha256: str, expected: Iterable[Kind]) -> dict[str, np.ndarray]:
    """Every tensor of a file, bfloat16 as float32.

    Args:
        sha256: that the file must have.
        expected: of the network, for the size that its file has at most: eight bytes a number, as many again for
            averages, a header.

    Raises:
        CheckpointError: it cannot be read, or is another file than its card describes.
    """
    most = 16 * sum(int(np.prod(shape)) for shape, _ in expected) + MAX_HEADER
    try:
        content = read_regular(path, most=most)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {why(error)}.") from error
    if content.startswith(_LFS_POINTER):
        raise CheckpointError(f"{path} is a Git LFS pointer, not weights; run 'git lfs pull' to fetch them.")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointError(f"{path} is damaged, or not the file its card describes: its SHA-256 differs.")
    try:
        return {name: _array(tensor["dtype"], tensor["data"], tensor["shape"]) for name, tensor in deserialize(content)}
    except (SafetensorError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is not a safetensors file: {error}") from error


def _array(dtype: str, data: bytes, shape: list[int]) -> np.ndarray:
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if dtype not in _TYPES:
        raise ValueError(f"it holds numbers of type {dtype}.")
    return np.frombuffer(data, _TYPES[dtype]).reshape(shape).copy()


def check_weights(tensors: Mapping[str, np.ndarray], expected: Mapping[str, Kind], path: Path) -> None:
    """Names, shapes and kinds must be the network's, and the numbers such as a network can have.

    Raises:
        CheckpointError: they are not; the sentence tells which.
    """
    if expected.keys() != tensors.keys():
        odd = sorted(expected.keys() ^ tensors.keys())
        raise CheckpointError(f"{path} holds other weights than its architecture: {', '.join(odd[:3])} do not match.")
    for name, tensor in tensors.items():
        shape, fractions = expected[name]
        if tensor.shape != shape:
            raise CheckpointError(f"{path}: {name} has shape {tensor.shape}; its architecture needs {shape}.")
        if np.issubdtype(tensor.dtype, np.floating) != fractions:
            kind = "fractions" if fractions else "whole numbers"
            raise CheckpointError(f"{path}: {name} is of {tensor.dtype}; its architecture needs {kind}.")
        if name.endswith("running_var") and (tensor < 0).any():
            raise CheckpointError(f"{path}: {name} holds variances below zero.")
    check_numbers(tensors, path)


def check_numbers(tensors: Mapping[str, np.ndarray], path: Path) -> None:
    """Raises CheckpointError for numbers that are not finite."""
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite.")
