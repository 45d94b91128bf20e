"""How faithful every explanation is, measured over the clips of a split: the study behind `faithfulness`.

What is measured of a clip is kept in a log of JSON lines, so a study that was interrupted goes on where it ended.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from msecnn.data.manifest import Clip, Manifest
from msecnn.errors import DatasetError, MsecnnError
from msecnn.explain import METHODS, comparison
from msecnn.explain.comparison import Row, summarise
from msecnn.explain.faithfulness_card import write_measured
from msecnn.explain.infidelity import N_PERTURBATIONS
from msecnn.tagger import Tagger

#: Part of the key of what is kept of a clip: figures of other measures, or of other numbers of draws, are not mixed in.
MEASURED = [*comparison.MEASURES, N_PERTURBATIONS]


@dataclass(frozen=True)
class StudyConfig:
    """What a study measures.

    Attributes:
        split: of the manifest: train, valid or test.
        n_clips: drawn at random from it.
        methods: of `METHODS`.
        baseline: what cells are replaced by.
        n_steps: points on each curve.
        n_slow: of the clips, those that are also measured by sensitivity and shuffled weights.
        seed: of the draw and of everything random.
    """

    split: str = "test"
    n_clips: int = 100
    methods: tuple[str, ...] = METHODS
    baseline: str = "clip_mean"
    n_steps: int = 10
    n_slow: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_clips, self.n_steps) < 1 or min(self.n_slow, self.seed) < 0:
            raise MsecnnError("--n and --steps must be at least 1, --n-slow and --seed at least 0.")


@dataclass(frozen=True)
class Study:
    """Rows of all models, and the protocol that they were measured by."""

    rows: tuple[Row, ...]
    protocol: dict[str, Any]

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
    if not part.clips:
        raise DatasetError(f"The split {config.split} of {manifest.name} has no clips.")
    drawn = np.random.default_rng(config.seed).permutation(len(part.clips))[: config.n_clips]
    clips = [part.clips[index] for index in drawn]
    measured = [row for tagger in taggers for row in _measure(tagger, clips, part.hash, config, kept)]
    protocol = {
        "data": manifest.name,
        "manifest_hash": part.hash,
        "split": config.split,
        "n": len(clips),
        "n_slow": min(config.n_slow, len(clips)),
        "baseline": config.baseline,
        "steps": config.n_steps,
        "seed": config.seed,
        "models": {tagger.name: tagger.checkpoint.card.get("sha256") for tagger in taggers},
    }
    return Study(tuple(summarise(measured, seed=config.seed)), protocol)


def keep_verdicts(taggers: Sequence[Tagger], study: Study) -> None:
    """Writes what was measured of each model beside its weights, where the page finds it.

    Raises:
        MsecnnError: a folder cannot be written to.
    """
    for tagger in taggers:
        own = [row for row in study.rows if row.model == tagger.name]
        try:
            write_measured(tagger.checkpoint, own, study.protocol)
        except OSError as error:
            raise MsecnnError(f"{tagger.checkpoint.folder} cannot be written to: {error.strerror}.") from error


def _measure(
    tagger: Tagger, clips: Sequence[Clip], manifest_hash: str, config: StudyConfig, kept: Path | None
) -> Iterator[dict[str, Any]]:
    """What is measured of each clip; what an earlier study has kept is not measured again."""
    done = _read(kept)
    sha256 = tagger.checkpoint.card.get("sha256")
    setting = [sha256, manifest_hash, list(config.methods), config.baseline, config.n_steps, config.seed, MEASURED]
    for number, clip in enumerate(tqdm(clips, desc=tagger.name, unit="clip", file=sys.stderr)):
        slow = number < config.n_slow
        key = json.dumps([*setting, clip.clip_id, slow])
        if key not in done:
            mel, tag_index = _first_window(tagger, clip)
            done[key] = comparison.measure_clip(
                tagger.model,
                mel,
                tag_index,
                methods=config.methods,
                baseline=config.baseline,
                n_steps=config.n_steps,
                slow=slow,
                mel_config=tagger.checkpoint.mel_config,
                seed=config.seed + number,
            )
            _append(kept, key, done[key])
        yield from ({"model": tagger.name, **row} for row in done[key])


def _first_window(tagger: Tagger, clip: Clip) -> tuple[np.ndarray, int]:
    """The mel (F, L) of the clip's first window, and the tag that the model thinks most probable in it."""
    window_s = tagger.checkpoint.mel_config.window_s
    duration_s = min(window_s, clip.duration_s or window_s)
    prediction = tagger.tag(clip.path, start_s=clip.start_s, duration_s=duration_s)
    if prediction.mel is None:
        raise MsecnnError(f"{tagger.name} takes waveforms and has no scales, so it cannot be explained.")
    return prediction.mel[0], int(prediction.window_probabilities[0].argmax())


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
