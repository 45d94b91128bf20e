"""What `msecnn faithfulness` found of each method, kept beside the weights that it was found for."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msecnn.checkpoint import Checkpoint
from msecnn.explain import BASELINES, METHODS
from msecnn.explain.comparison import ALL, Row
from msecnn.explain.faithfulness import BLIND_ORDERS
from msecnn.files import read_json, write_json

log = logging.getLogger(__name__)

FILE_NAME = "faithfulness.json"
SCHEMA = 2
#: What cells were replaced by, and what methods that need a baseline measured from, in words.
BASELINE_WORDS = {"floor": "silence", "clip_mean": "the clip's mean", "training_mean": "the average clip"}
#: Fills of a study, in words: the baselines, and the spectrogram of another clip.
FILL_WORDS = {**BASELINE_WORDS, "other_clip": "another clip's"}
NOT_MEASURED = "How well this method finds the cells that matter was not measured for these weights."


@dataclass(frozen=True)
class Verdict:
    """Whether one method finds the cells that matter better than orders that know nothing of the network.

    Attributes:
        method: one of `METHODS`.
        n: clips it was measured on; 0 if it was not, for these weights.
        split: the clips' part of their manifest.
        baseline: one of `BASELINES`.
        beats: for all scales together, and for each alone, whether it beats each of `BLIND_ORDERS`.
        fills: the same for all scales together with other fills than the baseline, of `FILL_WORDS`.
    """

    method: str
    n: int = 0
    split: str = ""
    baseline: str = BASELINES[0]
    beats: Mapping[str, Mapping[str, bool]] | None = None
    fills: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)

    @property
    def faithful(self) -> bool | None:
        """Whether it beats every blind order; None if it was not measured."""
        return None if self.beats is None else all(self.beats[ALL].values())

    @property
    def sentence(self) -> str:
        if self.beats is None:
            return NOT_MEASURED
        clips = f"On {self.n} {'held-out clips' if self.split == 'test' else f'clips of the split {self.split}'}"
        lost = [order for order in BLIND_ORDERS if not self.beats[ALL][order]]
        finds = "did not find" if lost else "found"
        orders = f"{' or '.join(lost or BLIND_ORDERS)} order does"
        weakest = (scale for scale, beats in self.beats.items() if scale != ALL and not all(beats.values()))
        alone = [scale.replace("level", "level ") for scale in weakest]
        weak = f" Single scales where it did not: {', '.join(alone)}." if alone else ""
        replaced = f"with cells replaced by {BASELINE_WORDS[self.baseline]}"
        verdict = f"{clips}, {replaced}, this method {finds} the cells that matter better than {orders}."
        return f"{verdict}{''.join(map(self._with_fill, self.fills))}{weak}"

    def _with_fill(self, fill: str) -> str:
        lost = [order for order, beaten in self.fills[fill].items() if not beaten]
        did = f"did not beat {' or '.join(lost)} order" if lost else "beat both orders"
        return f" With {FILL_WORDS[fill]} in their place it {did}."

    def to_json(self) -> dict[str, Any]:
        return {"n": self.n, "faithful": self.faithful, "sentence": self.sentence}


def write_measured(checkpoint: Checkpoint, rows: Iterable[Row], protocol: Mapping[str, Any]) -> None:
    """Writes the rows of one model beside its weights, whole or not at all.

    Methods that this study has not measured keep what an earlier one of the same weights has found.
    """
    path = checkpoint.folder / FILE_NAME
    own: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        own.setdefault(row.method, []).append(row.to_json())
    measured = {method: {"protocol": dict(protocol), "rows": found} for method, found in own.items()}
    kept = measured_methods(checkpoint)
    ordered = {method: (kept | measured)[method] for method in METHODS if method in kept | measured}
    write_json(path, {"schema": SCHEMA, "sha256": checkpoint.card.get("sha256"), "methods": ordered}, indent=1)


def verdicts(checkpoint: Checkpoint) -> dict[str, Verdict]:
    """A verdict for each of `METHODS`, without figures where none were found for these very weights."""
    unknown = {method: Verdict(method) for method in METHODS}
    try:
        measured = {method: _verdict(method, found) for method, found in measured_methods(checkpoint).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be used: %s", checkpoint.folder / FILE_NAME, error)
        return unknown
    return unknown | {name: verdict for name, verdict in measured.items() if name in unknown}


def measured_methods(checkpoint: Checkpoint) -> dict[str, Any]:
    """The protocol and the rows of each method that was measured for these very weights."""
    path = checkpoint.folder / FILE_NAME
    try:
        stored = read_json(path)
        if stored["schema"] != SCHEMA or stored["sha256"] != checkpoint.card.get("sha256"):
            return {}
        return dict(stored["methods"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be used: %s", path, error)
        return {}


def _verdict(method: str, found: Mapping[str, Any]) -> Verdict:
    rows, protocol = {row["scale"]: row for row in found["rows"]}, found["protocol"]
    if (baseline := str(protocol["baseline"])) not in BASELINES:
        raise ValueError(f"there is no baseline {baseline!r}")
    beats = {scale: {order: bool(row[f"beats_{order}"]) for order in BLIND_ORDERS} for scale, row in rows.items()}
    fills = {
        fill: {order: bool(beaten[order]) for order in BLIND_ORDERS}
        for fill, beaten in rows[ALL].get("beats_with", {}).items()
        if fill in FILL_WORDS
    }
    return Verdict(method, int(protocol["n"]), str(protocol["split"]), baseline, beats, fills)
