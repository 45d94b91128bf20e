"""A network with levels as operators: mel to logits, terms, features, winning cells and maps.

Convolutions and normalisations keep the checkpoint's own numbers under its own names; a runtime joins the two when it
loads the graph. ELU is monotone, so it comes after the pooling, on an eighth of the cells. Level 1, whose whole map is
34 MB, goes through in strips of frames, as in `models/fast/folded.py`.

Axis letters: B windows, F mel bands, L frames, C features of all scales, S scales, K tags.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from msecnn.models.structure import INPUT, NORM_EPS, MultiScaleStructure
from msecnn.onnx_export.protobuf import Graph

#: Of each network, after its name and a dot.
OUTPUTS = ("logits", "terms", "features", "cells")
#: Frames of a strip of level 1, in multiples of its pooling.
STRIP = 256


def add_network(
    graph: Graph,
    name: str,
    structure: MultiScaleStructure,
    tensors: Mapping[str, np.ndarray],
    mel: str,
    *,
    outputs: Sequence[str] = OUTPUTS,
    with_maps: bool = False,
) -> None:
    """One network's outputs: logits (B, K), terms (B, S, K), features (B, C), cells (B, C), and maps.

    Args:
        name: of the network, which stands before those of its weights and outputs.
        tensors: its weights.
        mel: the value (B, 1, F, L) in dB that it takes.
        outputs: those that are wanted.
    """
    weights = {
        key: graph.constant(f"{name}/{key}", tensor.astype(np.float32))
        for key, tensor in tensors.items()
        if np.issubdtype(tensor.dtype, np.floating)
    }
    maps = _maps(graph, structure, weights, mel)
    cells = {scale: _cells(graph, structure, scale, maps[scale]) for scale in structure.scales}
    values = {scale: graph.add("ReduceMax", of_map, graph.whole(2), keepdims=0) for scale, of_map in cells.items()}
    features = graph.add("Concat", *values.values(), axis=1)
    n_features, n_tags = sum(structure.n_features.values()), structure.n_tags
    weight, bias = weights["classifier.weight"], weights["classifier.bias"]
    if "logits" in outputs:
        graph.output(f"{name}.logits", graph.add("Gemm", features, weight, bias, transB=1), [n_tags])
    if "terms" in outputs:
        terms = _terms(graph, weight, [(value, structure.n_features[scale]) for scale, value in values.items()])
        graph.output(f"{name}.terms", terms, [len(values), n_tags])
    if "features" in outputs:
        graph.output(f"{name}.features", features, [n_features])
    if "cells" in outputs:
        winners = [graph.add("ArgMax", of_map, axis=2, keepdims=0) for of_map in cells.values()]
        graph.output(f"{name}.cells", graph.add("Concat", *winners, axis=1), [n_features], whole=True)
    for level in structure.maps if with_maps else ():
        graph.output(f"{name}.{level}", maps[level], [structure.n_channels[level], *structure.map_sizes[level]])


def _maps(graph: Graph, structure: MultiScaleStructure, weights: Mapping[str, str], mel: str) -> dict[str, str]:
    """The normalised input and each level's map."""
    bands = graph.add("Squeeze", mel, graph.whole(1))  # (B, F, L): one normalisation a band
    x = graph.add("Unsqueeze", _normalised(graph, weights, bands, "input_norm"), graph.whole(1))
    maps = {INPUT: x}
    for i, (name, pool) in enumerate(zip(structure.maps[1:], structure.pools, strict=True)):
        parts = _strips(graph, x, structure.n_frames, pool[1]) if i == 0 else [(x, (1, 1, 1, 1))]
        pooled = [_level(graph, weights, i, part, pool=pool, pads=pads) for part, pads in parts]
        maps[name] = x = graph.add("Concat", *pooled, axis=3) if len(pooled) > 1 else pooled[0]
    return maps


def _level(
    graph: Graph, weights: Mapping[str, str], i: int, x: str, *, pool: tuple[int, int], pads: Sequence[int]
) -> str:
    conv = f"levels.{i}.conv"
    x = graph.add("Conv", x, weights[f"{conv}.weight"], weights[f"{conv}.bias"], pads=pads)
    x = graph.add("MaxPool", _normalised(graph, weights, x, f"levels.{i}.norm"), kernel_shape=pool, strides=pool)
    return graph.add("Elu", x)


def _normalised(graph: Graph, weights: Mapping[str, str], value: str, norm: str) -> str:
    parameters = (weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
    return graph.add("BatchNormalization", value, *parameters, epsilon=NORM_EPS)


def _strips(graph: Graph, x: str, n_frames: int, pool: int) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """A map in strips of frames, each with a frame of halo where there is one, and the padding that it then needs.

    Frames at the end that do not fill a pooling are left out.
    """
    step, whole = STRIP // pool * pool, n_frames // pool * pool
    for start in range(0, whole, step):
        end = min(start + step, whole)
        halo = max(start - 1, 0), min(end + 1, n_frames)
        strip = graph.add("Slice", x, graph.whole(halo[0]), graph.whole(halo[1]), graph.whole(3))
        yield strip, (1, int(start == 0), 1, int(end == n_frames))


def _cells(graph: Graph, structure: MultiScaleStructure, scale: str, level_map: str) -> str:
    """(B, C, cells): the first rows and columns of a map, of which each channel's strongest cell wins."""
    rows, columns = structure.receptive_crop[scale]
    part = graph.add("Slice", level_map, graph.whole(0, 0), graph.whole(rows, columns), graph.whole(2, 3))
    return graph.add("Reshape", part, graph.whole(0, structure.n_features[scale], rows * columns))


def _terms(graph: Graph, weight: str, values: Sequence[tuple[str, int]]) -> str:
    """(B, S, K): each scale's features times its weights, which with the bias add up to the logits."""
    terms, first = [], 0
    for features, size in values:
        own = graph.add("Slice", weight, graph.whole(first), graph.whole(first := first + size), graph.whole(1))
        terms.append(graph.add("Unsqueeze", graph.add("Gemm", features, own, transB=1), graph.whole(1)))
    return graph.add("Concat", *terms, axis=1)
