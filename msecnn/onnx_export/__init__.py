"""A checkpoint, or several that share their input, as one ONNX graph: waveform to mel, features, terms and logits.

For programs without torch: docs/onnx.md documents the inputs, the outputs and the metadata. Writing one needs neither
torch nor the package `onnx`; `runtimes/onnx_runtime.py` makes its graph here when a checkpoint is loaded.

Axis letters: B windows, T samples, F mel bands, L frames, C features of all scales, S scales, K tags.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.errors import MsecnnError
from msecnn.files import write_atomically
from msecnn.models.structure import MultiScaleStructure
from msecnn.onnx_export.front_end import add_front_end
from msecnn.onnx_export.network import OUTPUTS, add_network
from msecnn.onnx_export.protobuf import OPSET, Graph

__all__ = ["METADATA_KEY", "OPSET", "OUTPUTS", "OnnxError", "export_onnx", "metadata", "onnx_graph"]

#: Of the metadata. Rises when a key or an output changes its meaning or goes.
SCHEMA = 1
#: Where the graph keeps its metadata, as JSON.
METADATA_KEY = "msecnn"


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
        OnnxError: a checkpoint cannot be exported, or two do not go together.
    """
    told = json.dumps(metadata(checkpoints), ensure_ascii=False)
    graph = onnx_graph(checkpoints, from_input=from_input, with_maps=with_maps)
    write_atomically(Path(path), graph.model(metadata={METADATA_KEY: told}))


def onnx_graph(
    checkpoints: Sequence[Checkpoint],
    *,
    from_input: str = "waveform",
    outputs: Sequence[str] = OUTPUTS,
    with_maps: bool = False,
) -> Graph:
    """What `export_onnx` writes, without the metadata.

    Args: see there.
        outputs: of each network, those that are wanted.
    """
    structures = {checkpoint.name: _structure(checkpoint) for checkpoint in checkpoints}
    _check_shared(checkpoints)
    config = checkpoints[0].mel_config
    graph = Graph()
    if from_input == "waveform":
        mel = add_front_end(graph, graph.input(from_input, [config.window_samples]), config)
        graph.output("mel", mel, [1, config.n_mels, config.n_frames])
    else:
        mel = graph.input(from_input, [1, config.n_mels, config.n_frames])
    for checkpoint in checkpoints:
        name = checkpoint.name
        add_network(graph, name, structures[name], checkpoint.tensors, mel, outputs=outputs, with_maps=with_maps)
    return graph


def metadata(checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    """What a program must know beside the tensors: plain values, documented in docs/onnx.md."""
    config = checkpoints[0].mel_config
    return {
        "schema": SCHEMA,
        "front_end": config.to_json() | {"window_samples": config.window_samples},
        "models": {checkpoint.name: _network_metadata(checkpoint) for checkpoint in checkpoints},
    }


def _network_metadata(checkpoint: Checkpoint) -> dict[str, Any]:
    structure = _structure(checkpoint)
    scales = {
        scale: {"features": structure.n_features[scale], "rows_columns": list(structure.receptive_crop[scale])}
        for scale in structure.scales
    }
    return {
        "tags": list(checkpoint.tags),
        "sha256": checkpoint.card["sha256"],
        "untrained": checkpoint.untrained,
        "licence": checkpoint.card.get("licence"),
        "scales": scales,
        "bias": checkpoint.tensors["classifier.bias"].tolist(),
        "mean_terms": _mean_terms(checkpoint),
    }


def _mean_terms(checkpoint: Checkpoint) -> list[list[float]] | None:
    """(S, K) of the average training clip, or None where that is not known."""
    means, classifier = checkpoint.mean_features, checkpoint.classifier
    if means is None or classifier is None:
        return None
    return [(weight @ means[scale].astype(np.float64)).tolist() for scale, weight in classifier.scale_weights.items()]


def _structure(checkpoint: Checkpoint) -> MultiScaleStructure:
    if checkpoint.structure is None:
        raise OnnxError(
            f"{checkpoint.name} cannot become an ONNX graph: only networks with scales can, and "
            f"{checkpoint.model.architecture} has none."
        )
    return checkpoint.structure


def _check_shared(checkpoints: Sequence[Checkpoint]) -> None:
    if len({checkpoint.name for checkpoint in checkpoints}) < len(checkpoints):
        raise OnnxError("Two of these models have the same name; in one graph each needs its own.")
    for checkpoint in checkpoints:
        if checkpoint.mel_config != checkpoints[0].mel_config:
            raise OnnxError(f"{checkpoints[0].name} and {checkpoint.name} do not share their front end: export each.")
