"""Checkpoints judged by an ensemble of teachers, and by what little is known for certain, on clips without full labels.

The ensemble is the mean probability of several networks that were trained on MagnaTagATune itself. Each of them, and
any other teacher, is judged by the same measures, so that a student's figure has something to stand beside.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.data.manifest import Clip, DatasetError, Manifest
from msecnn.tagger import Tagger
from msecnn.training import seeds
from msecnn.training.agreement import FIGURES, Agreement, Reference, agree
from msecnn.training.evaluation import groups, shared_tags
from msecnn.training.hearing import Heard, hear
from msecnn.training.known_labels import KnownLabels, Voices, known_labels, voices
from msecnn.training.metrics import N_REPLICATES, Difference, bootstrap_weights
from msecnn.training.scale_study import ScaleStudy, scale_study
from msecnn.training.soft_labels import SoftLabels, labelled

#: Teachers of which none is the warm start of a bundled checkpoint.
INDEPENDENT_ENSEMBLE = ("MTT_musicnn", "MTT_vgg", "mtat_musicnn")
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Contrast:
    """First minus second, means over runs where a side has several; each side with what it was compared with."""

    first: str
    first_reference: str
    second: str
    second_reference: str
    subset: str
    figures: dict[str, Difference]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"figures": {name: each.to_json() for name, each in self.figures.items()}}


@dataclass(frozen=True)
class Judgement:
    """All that `msecnn evaluate CHECKPOINT… --data MANIFEST --against LABELS` finds.

    Attributes:
        ensemble: the teachers whose mean probability is the reference.
        subset: on which voices and scales are judged: recordings, where the manifest tells renders from them.
    """

    data: str
    split: str
    manifest_hash: str
    n_clips: int
    n_replicates: int
    seed: int
    ensemble: tuple[str, ...]
    subset: str
    checkpoints: tuple[str, ...]
    agreements: tuple[Agreement, ...]
    contrasts: tuple[Contrast, ...]
    known_labels: tuple[KnownLabels, ...]
    voices: tuple[Voices, ...]
    scales: tuple[ScaleStudy, ...]

    def to_json(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("agreements", "contrasts", "known_labels", "voices", "scales"):
            own[name] = [each.to_json() for each in own[name]]
        return own


def judge(
    taggers: Mapping[str, Tagger],
    manifest: Manifest,
    split: str,
    labels: Sequence[SoftLabels],
    *,
    ensemble: Sequence[str] = INDEPENDENT_ENSEMBLE,
    kept: Path | None = None,
    n_replicates: int = N_REPLICATES,
    seed: int = 0,
) -> Judgement:
    """Judges checkpoints, given by name, on one split of a manifest that teachers have labelled.

    Args:
        labels: of every teacher, members of the ensemble and others.
        ensemble: names of at least two teachers.
        kept: folder in which what was heard is kept for the next time.
        n_replicates, seed: of the bootstrap.

    Raises:
        DatasetError: a member of the ensemble has no labels, or no clip is labelled by all.
    """
    _check_members(labels, ensemble)
    part = labelled(labels, manifest.split(split))
    if not len(part):
        raise DatasetError(f"No clip of {manifest.name}, split {split}, is labelled by all of these teachers.")
    heard = hear(list(taggers.values()), part, kept=kept)
    clips = {clip.clip_id: clip for clip in part.clips}
    own = [clips[str(name)] for name in heard[0].clip_ids]
    tags = shared_tags(Manifest(labels[0].tags, (), "the teachers"), heard)
    students = {name: _columns(each.probabilities, each.tags, tags) for name, each in zip(taggers, heard, strict=True)}
    teachers = {each.teacher: _columns(each.probabilities(own), each.tags, tags) for each in labels}
    judged = _Clips(own, groups(Manifest(manifest.tags, tuple(own), manifest.name)), tags, n_replicates, seed)
    runs = _runs(taggers)
    subsets = _subsets(own)
    primary = "recordings" if "recordings" in subsets else "all"
    chosen = subsets[primary]
    references = {name: judged.references(teachers, ensemble, name, rows) for name, rows in subsets.items()}
    agreements = [
        found
        for name, rows in subsets.items()
        for found in _agreements(students, teachers, ensemble, references[name], rows)
    ]
    everyone = students | teachers
    truth = _columns(np.array([clip.labels for clip in own]), manifest.tags, tags)
    every, some = references["all"][ENSEMBLE], references[primary][ENSEMBLE]
    recordings = [clip for clip, inside in zip(own, chosen, strict=True) if inside]
    return Judgement(
        data=manifest.name,
        split=split,
        manifest_hash=manifest.hash,
        n_clips=len(own),
        n_replicates=n_replicates,
        seed=seed,
        ensemble=tuple(ensemble),
        subset=primary,
        checkpoints=tuple(taggers),
        agreements=tuple(agreements),
        contrasts=tuple(_contrasts(agreements, runs, teachers, ensemble, subsets, seed)),
        known_labels=tuple(known_labels(name, each, truth, tags, every.weights) for name, each in everyone.items()),
        voices=tuple(
            voices(name, each[chosen], truth[chosen], recordings, tags, some.weights) for name, each in everyone.items()
        ),
        scales=tuple(_scales(taggers, heard, chosen, some)),
    )


def read_labels(paths: Sequence[Path]) -> list[SoftLabels]:
    """Teachers' labels from their files, or from all of a folder but those that `distill` has set aside there."""
    found = [SoftLabels.read(path) for path in paths if not path.is_dir()]
    for folder in (path for path in paths if path.is_dir()):
        own = [(file, SoftLabels.read(file)) for file in sorted(folder.glob("*.npz"))]
        found += [labels for file, labels in own if labels.teacher == file.stem]
    return found


def _check_members(labels: Sequence[SoftLabels], ensemble: Sequence[str]) -> None:
    given = [each.teacher for each in labels]
    missing = [name for name in ensemble if name not in given]
    if missing:
        raise DatasetError(
            f"There are no labels of {', '.join(missing)}, which the ensemble needs; there are those of "
            f"{', '.join(given) or 'nobody'}. Name the members with --ensemble."
        )
    if len(set(ensemble)) < 2:
        raise DatasetError("An ensemble has at least two members.")
    for each in labels:
        if each.tags != labels[0].tags:
            raise DatasetError(f"{each.teacher} and {given[0]} know different tags, so they cannot be compared.")


def _columns(values: np.ndarray, have: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """(N, K) in another order of tags; NaN where a tag is not known."""
    unknown = np.full((len(values), 1), np.nan, dtype=np.float32)
    place = {tag: k for k, tag in enumerate(have)}
    return np.concatenate([values, unknown], axis=1)[:, [place.get(tag, len(have)) for tag in wanted]]


def _subsets(clips: Sequence[Clip]) -> dict[str, np.ndarray]:
    """All clips, and recordings and renders apart where the manifest's column `real` tells them."""
    real = np.array([clip.extra.get("real", "") for clip in clips])
    found = {"all": np.ones(len(clips), dtype=bool)}
    if {"0", "1"} <= set(real):
        found |= {"recordings": real == "1", "renders": real == "0"}
    return found


def _runs(names: Iterable[str]) -> dict[str, list[str]]:
    """Checkpoints whose names differ by the number at the end of a part (warm-0, warm-1) are runs of one recipe."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(re.sub(r"[-_]\d+(?=/|$)", "", name), []).append(name)
    return {own[0] if len(own) == 1 else f"{recipe}, {len(own)} runs": own for recipe, own in found.items()}


@dataclass(frozen=True)
class _Clips:
    clips: Sequence[Clip]
    groups: np.ndarray
    tags: tuple[str, ...]
    n_replicates: int
    seed: int

    def references(
        self, teachers: Mapping[str, np.ndarray], ensemble: Sequence[str], subset: str, chosen: np.ndarray
    ) -> dict[str, Reference]:
        """The ensemble, and the ensemble without each of its members, on a subset of the clips."""
        drawn = bootstrap_weights(self.groups[chosen], n_replicates=self.n_replicates, seed=self.seed)
        weights = np.concatenate([np.ones_like(drawn[:, :1]), drawn], axis=1)  # (N, 1 + R)
        n_groups = len(np.unique(self.groups[chosen]))
        members = {ENSEMBLE: list(ensemble)}
        members |= {without(name): [other for other in ensemble if other != name] for name in ensemble}
        return {
            name: Reference(
                name, subset, self.tags, np.mean([teachers[each][chosen] for each in some], axis=0), weights, n_groups
            )
            for name, some in members.items()
        }


def without(member: str) -> str:
    """What the ensemble is called that lacks one of its members."""
    return f"{ENSEMBLE} without {member}"


def _agreements(
    students: Mapping[str, np.ndarray],
    teachers: Mapping[str, np.ndarray],
    ensemble: Sequence[str],
    references: Mapping[str, Reference],
    chosen: np.ndarray,
) -> list[Agreement]:
    """Everyone with the ensemble; and with the ensemble that lacks a member, that member and the students."""
    found = [agree(name, each[chosen], references[ENSEMBLE]) for name, each in {**students, **teachers}.items()]
    for member in ensemble:
        judged = {member: teachers[member], **students}
        found += [agree(name, each[chosen], references[without(member)]) for name, each in judged.items()]
    return found


def _contrasts(
    agreements: Sequence[Agreement],
    runs: Mapping[str, Sequence[str]],
    teachers: Mapping[str, np.ndarray],
    ensemble: Sequence[str],
    subsets: Mapping[str, np.ndarray],
    seed: int,
) -> list[Contrast]:
    """Students with each other, with other teachers, and with members by what the other members say."""
    by = {(each.system, each.reference, each.subset): each for each in agreements}
    pairs = [((a, ENSEMBLE), (b, ENSEMBLE)) for a, b in combinations(runs, 2)]
    for name in runs:
        pairs += [((name, ENSEMBLE), (other, ENSEMBLE)) for other in teachers if other not in ensemble]
        pairs += [((name, without(member)), (member, without(member))) for member in ensemble]
        pairs += [((name, ENSEMBLE), (member, without(member))) for member in ensemble]
    found = []
    for subset in subsets:
        for (first, first_reference), (second, second_reference) in pairs:
            sides = [
                [by[name, reference, subset] for name in runs.get(side, [side])]
                for side, reference in ((first, first_reference), (second, second_reference))
            ]
            figures = {name: _contrast(sides, name, seed) for name in FIGURES}
            found.append(Contrast(first, first_reference, second, second_reference, subset, figures))
    return found


def _contrast(sides: Sequence[Sequence[Agreement]], figure: str, seed: int) -> Difference:
    values = [[each.figures[figure].value for each in side] for side in sides]
    return seeds.difference(values, [[each.replicates[figure] for each in side] for side in sides], seed=seed)


def _scales(
    taggers: Mapping[str, Tagger], heard: Sequence[Heard], chosen: np.ndarray, reference: Reference
) -> list[ScaleStudy]:
    """Of every checkpoint that has more than one scale."""
    return [
        scale_study(name, tagger.checkpoint, each, chosen, reference)
        for (name, tagger), each in zip(taggers.items(), heard, strict=True)
        if len(each.features) > 1
    ]
