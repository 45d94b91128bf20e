"""What `msecnn faithfulness` found of each method, kept beside the weights that it was found for."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from msecnn.checkpoint import Checkpoint
from msecnn.explain import BASELINES, METHODS
from msecnn.explain.comparison import ALL, Row
from msecnn.explain.faithfulness import BLIND_ORDERS
from msecnn.files import read_json, write_json

log = logging.getLogger(__name__)

FILE_NAME = "faithfulness.json"
SCHEMA = 1
#: What cells were replaced by, and what methods that need a baseline measured from, in words.
BASELINE_WORDS = {"floor": "silence", "clip_mean": "the clip's mean", "training_mean": "the average clip"}
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
    """

    method: str
    n: int = 0
    split: str = ""
    baseline: str = BASELINES[0]
    beats: Mapping[str, Mapping[str, bool]] | None = None

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
        return f"{clips}, {replaced}, this method {finds} the cells that matter better than {orders}.{weak}"

    def to_json(self) -> dict[str, Any]:
        return {"n": self.n, "faithful": self.faithful, "sentence": self.sentence}


def write_measured(checkpoint: Checkpoint, rows: Iterable[Row], protocol: Mapping[str, Any]) -> None:
    """Writes the rows of one model beside its weights, whole or not at all."""
    path = checkpoint.folder / FILE_NAME
    content = {
        "schema": SCHEMA,
        "sha256": checkpoint.card.get("sha256"),
        "protocol": dict(protocol),
        "rows": [row.to_json() for row in rows],
    }
    write_json(path, content, indent=1)


def verdicts(checkpoint: Checkpoint) -> dict[str, Verdict]:
    """A verdict for each of `METHODS`, without figures where none were found for these very weights."""
    path = checkpoint.folder / FILE_NAME
    unknown = {method: Verdict(method) for method in METHODS}
    try:
        stored = read_json(path)
        if stored["schema"] != SCHEMA or stored["sha256"] != checkpoint.card.get("sha256"):
            return unknown
        beats: dict[str, dict[str, dict[str, bool]]] = {}
        for row in stored["rows"]:
            orders = {order: bool(row[f"beats_{order}"]) for order in BLIND_ORDERS}
            beats.setdefault(row["method"], {})[row["scale"]] = orders
        protocol = stored["protocol"]
        made: dict[str, Any] = {
            "n": int(protocol["n"]),
            "split": str(protocol["split"]),
            "baseline": str(protocol["baseline"]),
        }
        if made["baseline"] not in BASELINES:
            raise ValueError(f"there is no baseline {made['baseline']!r}")
    except FileNotFoundError:
        return unknown
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be used: %s", path, error)
        return unknown
    measured = {name: Verdict(name, beats=of, **made) for name, of in beats.items() if ALL in of}
    return {name: measured.get(name, verdict) for name, verdict in unknown.items()}
