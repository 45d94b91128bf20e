"""How faithful every explanation is, measured over the clips of a split: the study behind `faithfulness`.

What is measured of a clip is kept in a log of JSON lines, so a study that was interrupted goes on where it ended.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from msecnn.data.manifest import Manifest
from msecnn.errors import DatasetError, MsecnnError
from msecnn.evaluation.study_clip import ClipOfStudy, StudyConfig
from msecnn.explain.comparison import Row, summarise
from msecnn.explain.faithfulness import BLIND_ORDERS
from msecnn.explain.faithfulness_card import write_measured
from msecnn.explain.infidelity import N_PERTURBATIONS
from msecnn.explain.order_measures import ORDER_MEASURES
from msecnn.tagger import Tagger

#: Part of the key of what is kept of a clip, so that figures of other measures are not mixed in.
MEASURED = [*ORDER_MEASURES, "sparseness", "complexity"]


@dataclass(frozen=True)
class Study:
    """What was measured of all models, clip by clip, and the protocol that it was measured by.

    Attributes:
        judged: of maps and blind orders, see `comparison.measure_clip`.
        sounds: see `sound_faithfulness.measure_sounds`.
        events: see `sound_faithfulness.as_claimed`.
        mixes: see `localisation.measure_mix`.
        protocol: how.
    """

    judged: list[dict[str, Any]]
    sounds: list[dict[str, Any]]
    events: list[dict[str, Any]]
    mixes: list[dict[str, Any]]
    protocol: dict[str, Any]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Of methods; blind orders have their own."""
        return tuple(row for row in self._all_rows if row.method not in BLIND_ORDERS)

    @cached_property
    def blind_rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self._all_rows if row.method in BLIND_ORDERS)

    @cached_property
    def _all_rows(self) -> list[Row]:
        return summarise(self.judged, seed=self.protocol["seed"])

    def to_json(self) -> dict[str, Any]:
        return {"protocol": self.protocol, "rows": [row.to_json() for row in self.rows]}


def measure_faithfulness(
    taggers: Sequence[Tagger], manifest: Manifest, config: StudyConfig, *, kept: Path | None = None
) -> Study:
    """Measures every method, of all scales and of each alone, on clips of a split.

    Args:
        kept: file in which every clip's figures are kept for the next time.

    Raises:
        DatasetError: the split has no clips.
    """
    part = manifest.split(config.split)
    eligible = [clip for clip in part.clips[config.n_first :] if clip.clip_id not in config.left_out]
    if not eligible:
        raise DatasetError(f"The split {config.split} of {manifest.name} has no clips.")
    drawn = [eligible[index] for index in np.random.default_rng(config.seed).permutation(len(eligible))]
    journal = _Journal(kept, part.hash, config)
    study = Study([], [], [], [], _protocol(taggers, manifest.name, part.hash, config, len(drawn)))
    for number in tqdm(range(study.protocol["n"]), unit="clip", file=sys.stderr):
        for tagger in taggers:
            _measure(study, ClipOfStudy(tagger, drawn, number, config), journal)
    return study


def _protocol(
    taggers: Sequence[Tagger], name: str, manifest_hash: str, config: StudyConfig, n_eligible: int
) -> dict[str, Any]:
    n_clips = min(config.n_clips, n_eligible)
    subsets = ("n_slow", "n_few", "n_predicting", "n_sounds", "n_mixes")
    return {
        "data": name,
        "manifest_hash": manifest_hash,
        "split": config.split,
        "n": n_clips,
        **{subset: min(getattr(config, subset), n_clips) for subset in subsets},
        "n_first": config.n_first,
        "left_out": list(config.left_out),
        "methods": list(config.methods),
        "baseline": config.baseline,
        "steps": config.n_steps,
        "seed": config.seed,
        "models": {tagger.name: tagger.checkpoint.card.get("sha256") for tagger in taggers},
    }


def keep_verdicts(taggers: Sequence[Tagger], study: Study) -> None:
    """Writes what was measured of each model on all clips beside its weights, where the page finds it.

    Raises:
        MsecnnError: a folder cannot be written to.
    """
    for tagger in taggers:
        own = [row for row in study.rows if row.model == tagger.name and row.method in study.protocol["methods"]]
        try:
            write_measured(tagger.checkpoint, own, study.protocol)
        except OSError as error:
            raise MsecnnError(f"{tagger.checkpoint.folder} cannot be written to: {error.strerror}.") from error


def _measure(study: Study, clip: ClipOfStudy, journal: "_Journal") -> None:
    """Adds a clip's figures; what an earlier study has kept is not measured again."""
    config, named = clip.config, {"model": clip.tagger.name, "clip": clip.clip.clip_id}
    other = clip.other.clip_id if clip.other else None
    for methods in clip.methods:
        maps = [config.baseline, config.n_steps, MEASURED, other, methods]
        study.judged.extend(named | row for row in journal.get(clip, maps, partial(clip.judged, methods)))
        if clip.number < config.n_mixes:
            mixes = journal.get(clip, ["mixes", other, methods], partial(clip.mixes, methods))
            study.mixes.extend(named | row for row in mixes)
    if clip.number < max(config.n_slow, config.n_predicting):
        slow = clip.number < config.n_slow
        checks = [config.baseline, N_PERTURBATIONS, slow, config.methods]
        study.judged.extend(
            named | row for row in journal.get(clip, checks, partial(clip.checked, config.methods, slow))
        )
    if clip.number < config.n_sounds:
        rows = [named | row for row in journal.get(clip, ["sounds"], clip.sounds)]
        study.sounds.extend(row for row in rows if "order" in row)
        study.events.extend(row for row in rows if "side" in row)
        study.sounds.extend(named | row for row in journal.get(clip, ["cells that are there"], clip.cells))


class _Journal:
    """Figures by what they were measured of, and how; kept in a file of JSON lines, where there is one."""

    def __init__(self, path: Path | None, manifest_hash: str, config: StudyConfig) -> None:
        self.path, self.setting = path, [manifest_hash, config.seed]
        self.done = _read(path)

    def get(
        self, clip: ClipOfStudy, how: Sequence[Any], measure: Callable[[], list[dict[str, Any]]]
    ) -> list[dict[str, Any]]:
        key = json.dumps([clip.tagger.checkpoint.card.get("sha256"), clip.clip.clip_id, *self.setting, *how])
        if key not in self.done:
            self.done[key] = measure()
            _append(self.path, key, self.done[key])
        return self.done[key]


def _read(path: Path | None) -> dict[str, list[dict[str, Any]]]:
    if path is None or not path.exists():
        return {}
    kept = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            kept[entry["key"]] = entry["judged"]
        except (ValueError, KeyError, TypeError):
            continue  # the line that was being written when the study was stopped
    return kept


def _append(path: Path | None, key: str, measured: list[dict[str, Any]]) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * (file.tell() > 0) + json.dumps({"key": key, "judged": measured}))
