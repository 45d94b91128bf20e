"""A network with levels as an ONNX graph from mel to features and logits, made of its weights when it is loaded.

Three exact changes, as in `models/fast/folded.py`: each batch normalisation is folded into its convolution; ELU is
monotone, so that it comes after the pooling; level 1 goes through in strips of frames, which stay in the cache.

Axis letters: B windows, F mel bands, L frames, C channels of a level, K tags.
"""

from collections.abc import Mapping

import numpy as np

from msecnn.checkpoint_weights import NetworkWeights
from msecnn.models.structure import INPUT, NORM_EPS
from msecnn.runtimes.onnx_protobuf import Graph

#: Frames of a strip of level 1; in a multiple of its pooling [benchmarks/install.py].
STRIP = 256
MEL, LOGITS = "mel", "logits"


def onnx_model(weights: NetworkWeights) -> bytes:
    """The file of a graph with the input "mel" (B, 1, F, L) in dB.

    Its outputs are "logits" (B, K) and, by the name of each scale, its features (B, C).
    """
    structure, tensors = weights.structure, weights.tensors
    graph = Graph(weights.card.architecture)
    mel = graph.input(MEL, ("B", 1, structure.n_mels, structure.n_frames))
    scale, shift = _affine(tensors, "input_norm")
    maps = {INPUT: _scaled(graph, mel, scale[:, None], shift[:, None])}
    for i, (name, pool) in enumerate(zip(structure.maps[1:], structure.pools, strict=True)):
        level = _Level(graph, tensors, i, pool)
        below = maps[structure.maps[i]]
        maps[name] = level.in_strips(below, structure.map_sizes[INPUT][1]) if i == 0 else level(below)
    for scale_name in structure.scales:
        _global_max(graph, maps[scale_name], structure.receptive_crop[scale_name], to=scale_name)
        graph.output(scale_name, ("B", structure.n_features[scale_name]))
    features = graph.node("Concat", *structure.scales, axis=1)
    weight, bias = (graph.constant(tensors[f"classifier.{name}"]) for name in ("weight", "bias"))
    graph.node("Gemm", features, weight, bias, to=LOGITS, transB=1)
    graph.output(LOGITS, ("B", structure.n_tags))
    return graph.model()


class _Level:
    """One level: 3x3 convolution with its normalisation, max-pooling, ELU."""

    def __init__(self, graph: Graph, tensors: Mapping[str, np.ndarray], index: int, pool: tuple[int, int]) -> None:
        scale, shift = _affine(tensors, f"levels.{index}.norm")
        weight = tensors[f"levels.{index}.conv.weight"] * scale[:, None, None, None]
        bias = tensors[f"levels.{index}.conv.bias"] * scale + shift
        self.graph, self.pool = graph, pool
        self.weights = graph.constant(weight), graph.constant(bias)

    def __call__(self, x: str, pads: tuple[int, int, int, int] = (1, 1, 1, 1)) -> str:
        conv_map = self.graph.node("Conv", x, *self.weights, kernel_shape=(3, 3), pads=pads)
        pooled = self.graph.node("MaxPool", conv_map, kernel_shape=self.pool, strides=self.pool)
        return self.graph.node("Elu", pooled)

    def in_strips(self, x: str, n_frames: int) -> str:
        """The same, one strip of frames after another; frames at the end that do not fill a pooling are left out."""
        step = STRIP // self.pool[1] * self.pool[1]
        whole = n_frames // self.pool[1] * self.pool[1]
        strips = []
        for start in range(0, whole, step):
            end = min(start + step, whole)
            first, last = max(start - 1, 0), min(end + 1, n_frames)  # with a frame of halo where there is one
            strip = _frames(self.graph, x, first, last)
            strips.append(self(strip, pads=(1, int(start == 0), 1, int(end == n_frames))))
        return self.graph.node("Concat", *strips, axis=3)


def _frames(graph: Graph, x: str, first: int, last: int) -> str:
    """Columns of a map."""
    return graph.node("Slice", x, *(graph.constant(np.array([value])) for value in (first, last, 3)))


def _global_max(graph: Graph, level_map: str, crop: tuple[int, int], *, to: str) -> None:
    """The maximum of each channel (B, C) over the first rows and columns of a map (B, C, F', L')."""
    ends = graph.constant(np.array(crop))
    cells = graph.node("Slice", level_map, graph.constant(np.array([0, 0])), ends, graph.constant(np.array([2, 3])))
    graph.node("ReduceMax", cells, to=to, axes=(2, 3), keepdims=0)


def _scaled(graph: Graph, x: str, scale: np.ndarray, shift: np.ndarray) -> str:
    product = graph.node("Mul", x, graph.constant(scale))
    return graph.node("Add", product, graph.constant(shift))


def _affine(tensors: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """A batch normalisation in evaluation as scale and shift (C,), in float64."""
    weight, bias, mean, variance = (
        tensors[f"{name}.{value}"].astype(np.float64) for value in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / np.sqrt(variance + NORM_EPS)
    return scale, bias - mean * scale
