"""Checkpoints compared with an ensemble of teachers, and with what is known for certain, on clips without full labels.

The ensemble is the mean probability of several networks that were trained on MagnaTagATune itself. Each of them, and
any other teacher, is evaluated by the same measures, so that a student's figure has something to stand beside.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation.agreement.known_labels import KnownLabels, Voices, known_labels, voices
from msecnn.distillation.agreement.metrics import FIGURES, Agreement, Reference, agree
from msecnn.distillation.agreement.scale_study import ScaleStudy, scale_study
from msecnn.distillation.soft_labels import SoftLabels, labelled
from msecnn.errors import DatasetError
from msecnn.evaluation import paired_runs
from msecnn.evaluation.metrics import N_REPLICATES, Difference, bootstrap_weights
from msecnn.evaluation.pipeline import groups, shared_tags
from msecnn.evaluation.predictions import SplitPredictions, predict_split
from msecnn.tagger import Tagger

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
class TeacherComparison:
    """All that `msecnn evaluate CHECKPOINT… --data MANIFEST --against LABELS` finds.

    Attributes:
        ensemble: the teachers whose mean probability is the reference.
        subset: on which voices and scales are evaluated: recordings, where the manifest tells renders from them.
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


def compare_with_teachers(
    taggers: Mapping[str, Tagger],
    manifest: Manifest,
    split: str,
    labels: Sequence[SoftLabels],
    *,
    ensemble: Sequence[str] = INDEPENDENT_ENSEMBLE,
    kept: Path | None = None,
    n_replicates: int = N_REPLICATES,
    seed: int = 0,
) -> TeacherComparison:
    """Compares checkpoints, given by name, with teachers on one split of a manifest that teachers have labelled.

    Args:
        labels: of every teacher, members of the ensemble and others.
        ensemble: names of at least two teachers.
        kept: folder in which predictions are kept for the next time.
        n_replicates, seed: of the bootstrap.

    Raises:
        DatasetError: a member of the ensemble has no labels, or no clip is labelled by all.
    """
    _check_members(labels, ensemble)
    part = labelled(labels, manifest.split(split))
    if not len(part):
        raise DatasetError(f"No clip of {manifest.name}, split {split}, is labelled by all of these teachers.")
    predicted = predict_split(list(taggers.values()), part, kept=kept)
    panel = _panel(part, list(taggers), predicted, labels, ensemble=ensemble, n_replicates=n_replicates, seed=seed)
    agreements = panel.agreements()
    return TeacherComparison(
        data=manifest.name,
        split=split,
        manifest_hash=manifest.hash,
        n_clips=len(panel.clips),
        n_replicates=n_replicates,
        seed=seed,
        ensemble=tuple(ensemble),
        subset=panel.primary,
        checkpoints=tuple(taggers),
        agreements=tuple(agreements),
        contrasts=tuple(panel.contrasts(agreements)),
        known_labels=tuple(panel.known_labels()),
        voices=tuple(panel.voices()),
        scales=tuple(panel.scales(taggers, predicted)),
    )


def read_labels(paths: Sequence[Path]) -> list[SoftLabels]:
    """Teachers' labels from their files, or from all of a folder but those that `distill` has set aside there."""
    labels_of_all = [SoftLabels.read(path) for path in paths if not path.is_dir()]
    for folder in (path for path in paths if path.is_dir()):
        own = [(file, SoftLabels.read(file)) for file in sorted(folder.glob("*.npz"))]
        labels_of_all += [labels for file, labels in own if labels.teacher == file.stem]
    return labels_of_all


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


def in_tag_order(values: np.ndarray, have: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """(N, K) in another order of tags; NaN where a tag is not known."""
    unknown = np.full((len(values), 1), np.nan, dtype=np.float32)
    place = {tag: k for k, tag in enumerate(have)}
    return np.concatenate([values, unknown], axis=1)[:, [place.get(tag, len(have)) for tag in wanted]]


@dataclass(frozen=True)
class _Panel:
    """Everyone's probabilities (N, K) on the same clips, and all that is asked of them."""

    clips: tuple[Clip, ...]
    truth: np.ndarray
    tags: tuple[str, ...]
    students: dict[str, np.ndarray]
    teachers: dict[str, np.ndarray]
    ensemble: tuple[str, ...]
    subsets: dict[str, np.ndarray]
    references: dict[tuple[str, str], Reference]
    seed: int

    @property
    def primary(self) -> str:
        """The subset on which voices and scales are evaluated."""
        return "recordings" if "recordings" in self.subsets else "all"

    def agreements(self) -> list[Agreement]:
        """Everyone with the ensemble; and with the ensemble that lacks a member, that member and the students."""
        pairs = [(name, ENSEMBLE) for name in (*self.students, *self.teachers)]
        pairs += [(name, without(member)) for member in self.ensemble for name in (member, *self.students)]
        probabilities = self.students | self.teachers
        return [
            agree(name, probabilities[name][chosen], self.references[reference, subset])
            for subset, chosen in self.subsets.items()
            for name, reference in pairs
        ]

    def contrasts(self, agreements: Sequence[Agreement]) -> list[Contrast]:
        """Students with each other, with other teachers, and with members by what the other members say."""
        by = {(each.system, each.reference, each.subset): each for each in agreements}
        runs = _runs(self.students)
        pairs = [((a, ENSEMBLE), (b, ENSEMBLE)) for a, b in combinations(runs, 2)]
        for name in runs:
            others = [teacher for teacher in self.teachers if teacher not in self.ensemble]
            pairs += [((name, ENSEMBLE), (other, ENSEMBLE)) for other in others]
            pairs += [((name, without(member)), (member, without(member))) for member in self.ensemble]
            pairs += [((name, ENSEMBLE), (member, without(member))) for member in self.ensemble]
        contrasts = []
        for subset in self.subsets:
            for first, second in pairs:
                sides = [
                    [by[run, reference, subset] for run in runs.get(name, [name])]
                    for name, reference in (first, second)
                ]
                figures = {name: _contrast(sides, name, self.seed) for name in FIGURES}
                contrasts.append(Contrast(*first, *second, subset, figures))
        return contrasts

    def known_labels(self) -> list[KnownLabels]:
        """Everyone, on all clips."""
        weights = self.references[ENSEMBLE, "all"].weights
        everyone = self.students | self.teachers
        return [
            known_labels(name, probabilities, self.truth, self.tags, weights)
            for name, probabilities in everyone.items()
        ]

    def voices(self) -> list[Voices]:
        """Everyone, on the primary subset."""
        chosen, weights = self.subsets[self.primary], self.references[ENSEMBLE, self.primary].weights
        clips = [clip for clip, inside in zip(self.clips, chosen, strict=True) if inside]
        everyone = self.students | self.teachers
        return [
            voices(name, probabilities[chosen], self.truth[chosen], clips, self.tags, weights)
            for name, probabilities in everyone.items()
        ]

    def scales(self, taggers: Mapping[str, Tagger], predicted: Sequence[SplitPredictions]) -> list[ScaleStudy]:
        """Every checkpoint that has more than one scale, on the primary subset."""
        chosen, reference = self.subsets[self.primary], self.references[ENSEMBLE, self.primary]
        return [
            scale_study(name, tagger.checkpoint, each, chosen, reference)
            for (name, tagger), each in zip(taggers.items(), predicted, strict=True)
            if len(each.features) > 1
        ]


def _panel(
    part: Manifest,
    names: Sequence[str],
    predicted: Sequence[SplitPredictions],
    labels: Sequence[SoftLabels],
    *,
    ensemble: Sequence[str],
    n_replicates: int,
    seed: int,
) -> _Panel:
    """Brings clips, tags and draws into one order for all."""
    by_id = {clip.clip_id: clip for clip in part.clips}
    part = replace(part, clips=tuple(by_id[str(name)] for name in predicted[0].clip_ids))
    tags = shared_tags(Manifest(labels[0].tags, (), "the teachers"), predicted)
    teachers = {each.teacher: in_tag_order(each.probabilities(part.clips), each.tags, tags) for each in labels}
    subsets = _subsets(part.clips)
    members = {ENSEMBLE: list(ensemble)}
    members |= {without(name): [other for other in ensemble if other != name] for name in ensemble}
    references = {}
    for subset, chosen in subsets.items():
        drawn = groups(part)[chosen]
        weights = bootstrap_weights(drawn, n_replicates=n_replicates, seed=seed)
        weights = np.concatenate([np.ones_like(weights[:, :1]), weights], axis=1)  # (N, 1 + R)
        for name, some in members.items():
            mean = np.mean([teachers[each][chosen] for each in some], axis=0)
            references[name, subset] = Reference(name, subset, tags, mean, weights, len(np.unique(drawn)))
    return _Panel(
        clips=part.clips,
        truth=in_tag_order(part.labels(), part.tags, tags),
        tags=tags,
        students={
            name: in_tag_order(each.probabilities, each.tags, tags) for name, each in zip(names, predicted, strict=True)
        },
        teachers=teachers,
        ensemble=tuple(ensemble),
        subsets=subsets,
        references=references,
        seed=seed,
    )


def without(member: str) -> str:
    """What the ensemble is called that lacks one of its members."""
    return f"{ENSEMBLE} without {member}"


def _subsets(clips: Sequence[Clip]) -> dict[str, np.ndarray]:
    """All clips, and recordings and renders apart where the manifest's column `real` tells them."""
    real = np.array([clip.extra.get("real", "") for clip in clips])
    subsets = {"all": np.ones(len(clips), dtype=bool)}
    if {"0", "1"} <= set(real):
        subsets |= {"recordings": real == "1", "renders": real == "0"}
    return subsets


def _runs(names: Iterable[str]) -> dict[str, list[str]]:
    """Checkpoints whose names differ by the number at the end of a part (warm-0, warm-1) are runs of one recipe."""
    runs: dict[str, list[str]] = {}
    for name in names:
        runs.setdefault(re.sub(r"[-_]\d+(?=/|$)", "", name), []).append(name)
    return {own[0] if len(own) == 1 else f"{recipe}, {len(own)} runs": own for recipe, own in runs.items()}


def _contrast(sides: Sequence[Sequence[Agreement]], figure: str, seed: int) -> Difference:
    values = [[each.figures[figure].value for each in side] for side in sides]
    return paired_runs.difference_of_means(
        values, [[each.replicates[figure] for each in side] for side in sides], seed=seed
    )
