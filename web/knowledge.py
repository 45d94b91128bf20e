"""What the browser must know of the networks to answer by itself: sizes, words, weights of the classifiers.

Axis letters: K tags, C features of all scales, P axes of familiarity.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from msecnn import __version__, audio, live
from msecnn.explain.block_events import BLOCK, EVENT_SHARE
from msecnn.explain.faithfulness_card import verdicts
from msecnn.explain.network_views import read_moments
from msecnn.explain.winning_cells import receptive_ends
from msecnn.familiarity import NARROW, UNFAMILIAR
from msecnn.frontend.numpy_log_mel import filterbank
from msecnn.models.conv_pool import conv_bias
from msecnn.models.fast.folded import affine
from msecnn.models.layers import INPUT, MultiScaleCNN
from msecnn.plots.colours import ORDER_COLOURS
from msecnn.tagger import SCHEMA as TAG_SCHEMA
from msecnn.tagger import Tagger
from msecnn.tags import families
from msecnn.ui import sonification
from msecnn.ui.edit_choices import edit_choices
from msecnn.ui.pictures import HIGH_DB, LOW_DB
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.session import Session
from msecnn.ui.tabs.network import ENLARGED, THUMBNAIL
from msecnn.ui.tabs.tags import calibration_bins, show_calibration
from msecnn.ui.tabs.why import N_ABSENCES, N_AGAINST, N_FOR, N_MARKS
from msecnn.ui.upload import OVERVIEW_COLUMNS, show_examples
from msecnn.ui.what_if import MAX_EDITS, MAX_POINTS, N_TAGS
from web.convolution import level_graphs

#: Where the site has the examples' sound.
EXAMPLES = "data/examples"
_COMMAND = "python -m msecnn serve"
#: Edits that `answerer/edits.js` does not make: a browser has no encoder of MP3, and this page keeps one channel.
EDITS_LEFT_OUT = {"codec", "side"}
#: By the question's name, why it is not answered here.
REFUSED = {
    "maps": f"This method needs gradients, which this page does not compute. The full app draws it: {_COMMAND}.",
    "faithfulness-check": f"A check runs the network hundreds of times. The full app does it: {_COMMAND}.",
    "sanity": f"Random weights are not part of this page. The full app has them: {_COMMAND}.",
    "feature-path": f"The way of a feature is not part of this page. The full app shows it: {_COMMAND}.",
    "music-row": f"Musical views are not part of this page. The full app draws them: {_COMMAND}.",
    "what-if": f"This edit is made by the full app: {_COMMAND}.",
    "what-if-cut": f"The smallest cut is looked for by the full app: {_COMMAND}.",
    "other": f"This needs the full app: {_COMMAND}.",
}


class Weights:
    """Tensors one after the other in one file of float32."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._offset = 0

    def add(self, values: Any) -> dict[str, Any]:
        """Where a matrix of (rows, columns) lies."""
        matrix = np.atleast_2d(np.asarray(values, dtype="<f4"))
        place = {"shape": list(matrix.shape), "offset": self._offset}
        self._parts.append(matrix.tobytes())
        self._offset += matrix.nbytes
        return place

    def to_bytes(self) -> bytes:
        return b"".join(self._parts)


def knowledge(context: AppContext, weights: Weights, graph: bytes) -> dict[str, Any]:
    """Plain values, `answerer/types.d.ts` describes them.

    Args:
        weights: takes the tensors that are not in the graph.
        graph: the networks' graph, whose filters are told by where they lie in it.
    """
    first = next(iter(context.taggers.values()))
    config, network = first.checkpoint.mel_config, _network(first)
    crop_s = config.frame_to_s(receptive_ends(network)[INPUT])
    nobody = cast(Any, None)
    shown = Session(Path(), "", None, dict.fromkeys(context.taggers, nobody), nobody)
    return {
        "front_end": config.to_json()
        | {
            "window_samples": config.window_samples,
            "window_s": config.window_s,
            "bands_hz": config.band_edges_hz().tolist(),
            "crop_s": round(crop_s, 3),
            "floor_db": 10 * math.log10(config.amin),
        },
        "filterbank": weights.add(filterbank(config).T),  # (F, N)
        "graphs": level_graphs(pool for tagger in context.taggers.values() for pool in _network(tagger).pools),
        **{"low_db": LOW_DB, "high_db": HIGH_DB, "overview_columns": OVERVIEW_COLUMNS},
        **{"thumbnail": THUMBNAIL, "enlarged": ENLARGED, "n_marks": N_MARKS, "n_absences": N_ABSENCES},
        "n_edited_tags": N_TAGS,
        "sounds": sonification.PARTS,
        **{"versions": f"msecnn {__version__}, without a server", "schemas": {"tags": TAG_SCHEMA}},
        **{"edits": edits(), "most_edits": MAX_EDITS, "most_points": MAX_POINTS, "order_colours": ORDER_COLOURS},
        "live": {"frames": live.longest_frames([*context.taggers.values()]), "step": live.STEP},
        "events": {"block": BLOCK, "share": EVENT_SHARE, "n_for": N_FOR, "n_against": N_AGAINST},
        "notes": {"silent": audio.SILENT, "narrow": NARROW, "unfamiliar": UNFAMILIAR},
        "families": families(first.checkpoint.tags),
        "refused": REFUSED,
        "pictures": show_examples(context, None, {}).payload["pictures"],
        "calibration": show_calibration(context, shown, {}).payload["figure"],
        "examples": examples(context),
        "models": [_model(context, name, tagger, weights, graph) for name, tagger in context.taggers.items()],
    }


def edits() -> list[dict[str, Any]]:
    """What can be changed of a sound here: all that needs neither a codec nor two channels."""
    return [kind for kind in edit_choices() if kind["name"] not in EDITS_LEFT_OUT]


def examples(context: AppContext) -> dict[str, dict[str, str]]:
    """Titles and credits of the examples, and where their sound is."""
    return {
        name: {
            "title": example.title,
            "credit": f"{example.artist} · {example.licence}",
            "file": f"{EXAMPLES}/{example.path.name}",
        }
        for name, example in context.examples.items()
    }


def _model(context: AppContext, name: str, tagger: Tagger, weights: Weights, graph: bytes) -> dict[str, Any]:
    checkpoint, network = tagger.checkpoint, _network(tagger)
    assert checkpoint.mean_features is not None
    familiarity = tagger.familiarity
    assert familiarity is not None
    mean = np.concatenate([checkpoint.mean_features[scale] for scale in network.scales])  # (C,)
    frame_s = checkpoint.mel_config.frame_to_s(1)
    return {
        "name": name,
        "title": context.title(name),
        "sha256": str(checkpoint.card["sha256"]),
        "tags": checkpoint.tags,
        "scales": network.scales,
        "maps": network.maps,
        "channels": [network.n_channels[level] for level in network.maps],
        "pools": network.pools,
        "sizes": [network.map_sizes[level] for level in network.maps],
        "crops": [network.receptive_crop[level] for level in network.maps],
        "receptive_ends_s": {level: round(frame * frame_s, 3) for level, frame in receptive_ends(network).items()},
        "untrained": checkpoint.untrained,
        "calibrated": bool(calibration_bins(checkpoint.card)),
        "bias": network.classifier.bias.tolist(),
        "measured": {method: verdict.to_json() for method, verdict in verdicts(checkpoint).items()},
        "moments": _moments(context, tagger),
        "unfamiliar_from": familiarity.threshold,
        "classifier": weights.add(network.classifier.weight.detach()),  # (K, C)
        "mean_features": weights.add(mean),
        "familiar_mean": weights.add(familiarity.mean),
        "familiar_axes": weights.add(familiarity.axes),  # (P, C)
        **_levels(network, weights, graph),
    }


def _levels(network: MultiScaleCNN, weights: Weights, graph: bytes) -> dict[str, Any]:
    """The normalisations as scale and shift, folded as `models/fast/folded.py` does it, and where the filters lie."""
    scale, shift = affine(network.input_norm)  # (F,)
    levels = []
    for level in network.conv_levels:
        gain, offset = affine(level.norm)  # (C,)
        filters = level.conv.weight.detach().numpy().astype("<f4")
        place = graph.index(filters.tobytes())
        bias = conv_bias(level.conv).detach() * gain + offset
        levels.append(
            {"filters": {"shape": filters.shape, "offset": place}, "gain": weights.add(gain), "bias": weights.add(bias)}
        )
    mean = network.input_norm.running_mean
    assert mean is not None
    return {
        "input_scale": weights.add(scale),
        "input_shift": weights.add(shift),
        "training_mean": weights.add(mean),
        "levels": levels,
    }


def _moments(context: AppContext, tagger: Tagger) -> Mapping[str, Any]:
    """For each map's channels the moments in the examples."""
    stored = read_moments(tagger.checkpoint.folder, str(tagger.checkpoint.card["sha256"]))
    by_file = {example.path.stem: name for name, example in context.examples.items()}
    if stored is None:
        return {level: [[]] * channels for level, channels in _network(tagger).n_channels.items()}
    return {
        level: [
            [
                moment.to_json() | {"example": by_file[Path(moment.clip).stem]}
                for moment in moments
                if Path(moment.clip).stem in by_file
            ]
            for moments in channels
        ]
        for level, channels in stored.moments.items()
    }


def _network(tagger: Tagger) -> MultiScaleCNN:
    assert isinstance(tagger.model, MultiScaleCNN)
    return tagger.model
