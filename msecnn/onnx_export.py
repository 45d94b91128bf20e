"""A checkpoint, or several that share their input, as one ONNX graph: waveform to mel, features, terms and logits.

For programs without torch: docs/onnx.md documents the inputs, the outputs and the metadata. The front end is part of
the graph, its transform a matrix product with cosines and sines, since ONNX's STFT is slow in some runtimes and missing
in the browser's. Convolutions and normalisations keep the checkpoint's own numbers under its own names; a runtime joins
the two when it loads the graph, and looks up the cosines, so that no graph carries megabytes of them.

Axis letters: B windows, T samples, F mel bands, L frames, C features of all scales, S scales, K tags, N frequencies.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.errors import MsecnnError
from msecnn.files import write_atomically
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models.layers import INPUT, MultiScaleCNN

if TYPE_CHECKING:
    from onnx import ModelProto

#: ONNX's operator set, and its file format: old enough for every runtime of the last three years.
OPSET, IR_VERSION = 18, 9
#: Of the metadata. Rises when a key or an output changes its meaning or goes.
SCHEMA = 1
#: Where the graph keeps its metadata, as JSON.
METADATA_KEY = "msecnn"
#: Of each network, after its name and a dot.
OUTPUTS = ("logits", "terms", "features", "cells")


class OnnxError(MsecnnError):
    """A checkpoint cannot become an ONNX graph."""


def export_onnx(
    checkpoints: Sequence[Checkpoint], path: str | Path, *, from_input: str = "waveform", with_maps: bool = False
) -> None:
    """Writes one graph of checkpoints that share their front end.

    Args:
        from_input: "waveform" (B, T) with the front end in the graph, or "mel" (B, 1, F, L) of one's own.
        with_maps: give each network's maps (B, C', F', L'), too, for pictures of them.

    Raises:
        OnnxError: a checkpoint cannot be exported, two do not go together, or the package `onnx` is missing.
    """
    networks = {checkpoint.name: _with_scales(checkpoint) for checkpoint in checkpoints}
    _check_shared(checkpoints)
    config = checkpoints[0].mel_config
    graph = _Graph()
    if from_input == "waveform":
        graph.inputs[from_input] = ["B", config.window_samples]
        mel = _front_end(graph, config)
        graph.output("mel", mel, [1, config.n_mels, config.n_frames])
    else:
        graph.inputs[from_input] = ["B", 1, config.n_mels, config.n_frames]
        mel = from_input
    for name, network in networks.items():
        _network(graph, name, network, mel, with_maps=with_maps)
    model = graph.model(json.dumps(metadata(checkpoints), ensure_ascii=False))
    write_atomically(Path(path), model.SerializeToString())


def metadata(checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    """What a program must know beside the tensors: plain values, documented in docs/onnx.md."""
    config = checkpoints[0].mel_config
    return {
        "schema": SCHEMA,
        "front_end": config.to_json() | {"window_samples": config.window_samples},
        "models": {checkpoint.name: _network_metadata(checkpoint) for checkpoint in checkpoints},
    }


def _network_metadata(checkpoint: Checkpoint) -> dict[str, Any]:
    model = _with_scales(checkpoint)
    scales = {
        scale: {"features": model.n_features[scale], "rows_columns": list(model.receptive_crop[scale])}
        for scale in model.scales
    }
    return {
        "tags": list(checkpoint.tags),
        "sha256": checkpoint.card["sha256"],
        "untrained": checkpoint.untrained,
        "licence": checkpoint.card.get("licence"),
        "scales": scales,
        "bias": model.classifier.bias.tolist(),
        "mean_terms": _mean_terms(checkpoint, model),
    }


def _mean_terms(checkpoint: Checkpoint, model: MultiScaleCNN) -> list[list[float]] | None:
    """(S, K) of the average training clip, or None where that is not known."""
    if checkpoint.mean_features is None:
        return None
    weights = model.classifier.weight.detach().double().split([*model.n_features.values()], dim=1)
    means = [checkpoint.mean_features[scale].double() for scale in model.scales]
    return [(weight @ mean).tolist() for weight, mean in zip(weights, means, strict=True)]


def _with_scales(checkpoint: Checkpoint) -> MultiScaleCNN:
    if not isinstance(checkpoint.model, MultiScaleCNN):
        raise OnnxError(
            f"{checkpoint.name} cannot become an ONNX graph: only networks with scales can, and "
            f"{checkpoint.model.architecture} has none."
        )
    return checkpoint.model


def _check_shared(checkpoints: Sequence[Checkpoint]) -> None:
    if len({checkpoint.name for checkpoint in checkpoints}) < len(checkpoints):
        raise OnnxError("Two of these models have the same name; in one graph each needs its own.")
    for checkpoint in checkpoints:
        if checkpoint.mel_config != checkpoints[0].mel_config:
            raise OnnxError(f"{checkpoints[0].name} and {checkpoint.name} do not share their front end: export each.")


class _Graph:
    """Nodes one after the other, each called by what it gives."""

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError as error:
            raise OnnxError("Exporting needs one package more: pip install onnx.") from error
        self._onnx = onnx
        self.float32, self.float64 = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
        self.inputs: dict[str, list[str | int]] = {}
        self._outputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def constant(self, name: str, values: Any) -> str:
        """A tensor of the graph, kept once under its name."""
        self._constants[name] = self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def whole(self, *numbers: int) -> str:
        """Whole numbers, which shapes, axes and places are told by."""
        return self.constant("_".join(["whole", *map(str, numbers)]), np.array(numbers, dtype=np.int64))

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """One operator; what it gives is called by `name`, or by its number."""
        result = name or f"{operator}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [result], **attributes))
        return result

    def output(self, name: str, value: str, shape: Sequence[int], *, whole: bool = False) -> None:
        """Gives a value away under a name; `shape` is without the windows' axis."""
        kinds = self._onnx.TensorProto
        self.add("Identity", value, name=name)
        kind = kinds.INT64 if whole else kinds.FLOAT
        self._outputs.append(self._onnx.helper.make_tensor_value_info(name, kind, ["B", *shape]))

    def model(self, told: str) -> "ModelProto":
        """The whole, checked by ONNX's own rules."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        inputs = [helper.make_tensor_value_info(name, kind, shape) for name, shape in self.inputs.items()]
        graph = helper.make_graph(self._nodes, "msecnn", inputs, self._outputs, [*self._constants.values()])
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="msecnn")
        helper.set_model_props(model, {METADATA_KEY: told})
        self._onnx.checker.check_model(model, full_check=True)
        return model


def _front_end(graph: _Graph, config: MelConfig) -> str:
    """`LogMelSpectrogram`, its transform in float64 too: (B, T) to (B, 1, F, L)."""
    filterbank = graph.constant("front_end/filterbank", LogMelSpectrogram(config).filterbank.numpy())  # (N, F)
    power = graph.add("Cast", _power(graph, config), to=graph.float32)
    mel = graph.add("Transpose", graph.add("MatMul", power, filterbank), perm=[0, 2, 1])  # (B, F, L)
    if config.doubled_db:
        mel = graph.add("Mul", mel, mel)
    logarithm = graph.add("Log", graph.add("Max", mel, graph.constant("front_end/amin", np.float32(config.amin))))
    decibels = graph.add("Mul", logarithm, graph.constant("front_end/db", np.float32(10 / math.log(10))))
    if config.top_db is not None:
        loudest = graph.add("ReduceMax", decibels, graph.whole(1, 2), keepdims=1)
        least = graph.add("Sub", loudest, graph.constant("front_end/top_db", np.float32(config.top_db)))
        decibels = graph.add("Max", decibels, least)
    return graph.add("Unsqueeze", decibels, graph.whole(1))


def _power(graph: _Graph, config: MelConfig) -> str:
    """Squared magnitude (B, L, N) of the short-time Fourier transform, in float64.

    The window is the same from both sides, and so is a cosine; a sine has the other sign. So each frame is folded in
    its middle: what adds up goes to the cosines, what differs to the sines, and half of the products remain. A Hann
    window's first sample is 0, and the middle one of an even number is its own mirror image.
    """
    size, pads = config.n_fft, [0, config.n_fft // 2] * 2
    places = np.arange(1, size // 2 + 1)  # in a frame, up to its middle
    window = np.where(2 * places == size, 0.5, 1) * LogMelSpectrogram(config).window.numpy()[places]
    starts = graph.constant("front_end/starts", np.arange(config.n_frames)[:, None] * config.hop_length)
    padded = graph.add("Pad", graph.add("Cast", "waveform", to=graph.float64), graph.whole(*pads))
    first, second = (
        graph.add("Gather", padded, graph.add("Add", starts, graph.constant(f"front_end/{name}", half)), axis=1)
        for name, half in {"first": places[None], "second": size - places[None]}.items()
    )  # (B, L, size / 2) each
    parts = []
    for operator, turn in {"Add": np.cos, "Sub": np.sin}.items():
        folded = graph.add("Mul", graph.add(operator, first, second), graph.constant("front_end/window", window))
        parts.append(graph.add("MatMul", folded, _waves(graph, config, turn)))  # (B, L, N)
    real, imaginary = (graph.add("Mul", part, part) for part in parts)
    return graph.add("Add", real, imaginary)


def _waves(graph: _Graph, config: MelConfig, wave: np.ufunc) -> str:
    """(size / 2, N): the wave of each frequency, looked up in one turn."""
    size = config.n_fft
    turn = graph.constant(f"front_end/{wave.__name__}", wave(2 * np.pi * np.arange(size) / size))
    places = graph.constant("front_end/places", np.arange(1, size // 2 + 1)[:, None])
    steps = graph.add("Mul", places, graph.constant("front_end/frequencies", np.arange(size // 2 + 1)[None]))
    return graph.add("Gather", turn, graph.add("Mod", steps, graph.whole(size)))


def _network(graph: _Graph, name: str, model: MultiScaleCNN, mel: str, *, with_maps: bool) -> None:
    """One network's outputs: logits (B, K), terms (B, S, K), features (B, C), cells (B, C), and maps."""
    weights = {
        key: graph.constant(f"{name}/{key}", tensor.numpy())
        for key, tensor in model.state_dict().items()
        if tensor.is_floating_point()
    }
    maps = _maps(graph, model, weights, mel)
    strongest = [
        _strongest(graph, maps[scale], model.n_features[scale], model.receptive_crop[scale]) for scale in model.scales
    ]
    sizes = [model.n_features[scale] for scale in model.scales]
    n_features, n_tags = sum(sizes), model.n_tags
    features = graph.add("Concat", *(values for values, _ in strongest), axis=1)
    cells = graph.add("Concat", *(cells for _, cells in strongest), axis=1)
    logits = graph.add("Gemm", features, weights["classifier.weight"], weights["classifier.bias"], transB=1)
    graph.output(f"{name}.logits", logits, [n_tags])
    graph.output(f"{name}.terms", _terms(graph, weights["classifier.weight"], strongest, sizes), [len(sizes), n_tags])
    graph.output(f"{name}.features", features, [n_features])
    graph.output(f"{name}.cells", cells, [n_features], whole=True)
    for level in model.maps if with_maps else ():
        graph.output(f"{name}.{level}", maps[level], [model.n_channels[level], *model.map_sizes[level]])


def _maps(graph: _Graph, model: MultiScaleCNN, weights: Mapping[str, str], mel: str) -> dict[str, str]:
    """The normalised input and each level's map; ELU is monotone, so it comes after the pooling, on an eighth."""

    def normalised(value: str, norm: str) -> str:
        parameters = (weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
        epsilon = model.get_submodule(norm).eps
        return graph.add("BatchNormalization", value, *parameters, epsilon=epsilon)

    bands = graph.add("Squeeze", mel, graph.whole(1))  # (B, F, L): one normalisation a band
    x = graph.add("Unsqueeze", normalised(bands, "input_norm"), graph.whole(1))
    maps = {INPUT: x}
    for i, (level, pool) in enumerate(zip(model.maps[1:], model.pools, strict=True)):
        conv = f"levels.{i}.conv"
        x = graph.add("Conv", x, weights[f"{conv}.weight"], weights[f"{conv}.bias"], pads=[1, 1, 1, 1])
        x = graph.add("MaxPool", normalised(x, f"levels.{i}.norm"), kernel_shape=pool, strides=pool)
        maps[level] = x = graph.add("Elu", x)
    return maps


def _strongest(graph: _Graph, level_map: str, channels: int, crop: tuple[int, int]) -> tuple[str, str]:
    """The maximum (B, C) over the first rows and columns of a map, and where it lies: row times columns plus column."""
    rows, columns = crop
    part = graph.add("Slice", level_map, graph.whole(0, 0), graph.whole(rows, columns), graph.whole(2, 3))
    cells = graph.add("Reshape", part, graph.whole(0, channels, rows * columns))
    return graph.add("ReduceMax", cells, graph.whole(2), keepdims=0), graph.add("ArgMax", cells, axis=2, keepdims=0)


def _terms(graph: _Graph, weight: str, strongest: Sequence[tuple[str, str]], sizes: Sequence[int]) -> str:
    """(B, S, K): each scale's features times its weights, which with the bias add up to the logits."""
    terms, first = [], 0
    for (features, _), size in zip(strongest, sizes, strict=True):
        own = graph.add("Slice", weight, graph.whole(first), graph.whole(first := first + size), graph.whole(1))
        term = graph.add("Gemm", features, own, transB=1)
        terms.append(graph.add("Unsqueeze", term, graph.whole(1)))
    return graph.add("Concat", *terms, axis=1)
