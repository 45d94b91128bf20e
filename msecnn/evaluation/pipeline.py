"""Checkpoints evaluated on a split of a manifest, by both protocols: each, in pairs, and as architectures over seeds.

A clip's score is the mean probability over its windows. "Unfiltered" takes every clip (Pons et al. 2018), "filtered"
only clips that carry at least one of the tags (Won et al. 2020); the difference is large in PR-AUC, so both are given.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.data.manifest import Manifest
from msecnn.errors import DatasetError
from msecnn.evaluation import metrics, paired_runs
from msecnn.evaluation.metrics import Difference, Metrics
from msecnn.evaluation.predictions import SplitPredictions, predict_split
from msecnn.evaluation.scores import Scores, checked
from msecnn.tagger import Tagger
from msecnn.tags import MAGNATAGATUNE_TAGS

log = logging.getLogger(__name__)

PROTOCOLS = ("filtered", "unfiltered")
#: What the manifest of MagnaTagATune with its standard split is called.
MAGNATAGATUNE = "MagnaTagATune, split by folder"


def groups(manifest: Manifest) -> np.ndarray:
    """(N,) what the bootstrap draws as one: a clip's group, or else its file."""
    return np.array([clip.group or str(clip.path) for clip in manifest.clips])


def artists_in_training(manifest: Manifest, part: Manifest) -> float | None:
    """The share of a part's clips that are by an artist of the training split; None where artists are not named."""
    artists = [clip.extra.get("artist") for clip in part.clips]
    trained = {clip.extra.get("artist") for clip in manifest.split("train").clips}
    return sum(artist in trained for artist in artists) / len(artists) if all(artists) else None


def shared_tags(manifest: Manifest, predicted: Sequence[SplitPredictions]) -> tuple[str, ...]:
    """The tags that the manifest and every checkpoint know, in the manifest's order.

    Raises:
        DatasetError: there is none.
    """
    shared = tuple(tag for tag in manifest.tags if all(tag in each.tags for each in predicted))
    if not shared:
        raise DatasetError(f"The checkpoints and {manifest.name} have no tag in common.")
    if len(shared) < len(manifest.tags):
        unknown = ", ".join(tag for tag in manifest.tags if tag not in shared)
        log.warning("not evaluated, since a checkpoint does not know them: %s", unknown)
    return shared


def scores_of(predicted: SplitPredictions, manifest: Manifest, tags: tuple[str, ...]) -> Scores:
    """A checkpoint's probabilities for some tags, beside the manifest's labels of the clips that could be read.

    Raises:
        DatasetError: the labels are probabilities.
    """
    clips = {clip.clip_id: clip for clip in manifest.clips}
    evaluations = replace(manifest, clips=tuple(clips[str(name)] for name in predicted.clip_ids))
    labels = evaluations.labels()[:, [manifest.tags.index(tag) for tag in tags]]
    if ((labels > 0) & (labels < 1)).any():
        raise DatasetError(f"The labels of {manifest.name} are probabilities; give --against LABELS for agreement.")
    probabilities = predicted.probabilities[:, [predicted.tags.index(tag) for tag in tags]]
    return checked(labels, probabilities, np.array(tags), groups(evaluations))


@dataclass(frozen=True)
class CheckpointEvaluation:
    """One checkpoint's figures by both protocols; `filtered` is None where too few labels are known for it."""

    name: str
    architecture: str
    untrained: bool
    sha256: str
    filtered: Metrics | None
    unfiltered: Metrics

    def to_json(self) -> dict[str, Any]:
        return {
            **{key: getattr(self, key) for key in ("name", "architecture", "untrained", "sha256")},
            "filtered": self.filtered.to_json() if self.filtered else None,
            "unfiltered": self.unfiltered.to_json(),
        }


def evaluate_checkpoint(name: str, checkpoint: Checkpoint, scores: Scores, **options: Any) -> CheckpointEvaluation:
    """Evaluates one checkpoint's scores; the options are those of `metrics.evaluate`."""
    try:
        filtered = metrics.evaluate(scores.filtered(), **options) if (scores.labels == 1).any() else None
    except DatasetError:  # every clip that is left carries the only tag
        filtered = None
    return CheckpointEvaluation(
        name=name,
        architecture=str(checkpoint.model.architecture),
        untrained=checkpoint.untrained,
        sha256=checkpoint.card["sha256"],
        filtered=filtered,
        unfiltered=metrics.evaluate(scores, **options),
    )


@dataclass(frozen=True)
class Comparison:
    """First minus second on the same clips, by one protocol."""

    first: str
    second: str
    protocol: str
    differences: dict[str, Difference]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"differences": {name: each.to_json() for name, each in self.differences.items()}}


def compare(evaluations: Sequence[CheckpointEvaluation]) -> list[Comparison]:
    """Every pair of checkpoints, by each protocol."""
    return [
        Comparison(first.name, second.name, protocol, metrics.differences(a, b))
        for first, second in combinations(evaluations, 2)
        for protocol in PROTOCOLS
        if (a := getattr(first, protocol)) and (b := getattr(second, protocol))
    ]


@dataclass(frozen=True)
class Architecture:
    """All checkpoints of one architecture by one protocol."""

    architecture: str
    names: tuple[str, ...]
    protocol: str
    n_clips: int
    n_tags: int
    roc_auc: paired_runs.OverSeeds
    pr_auc: paired_runs.OverSeeds


def by_architecture(evaluations: Sequence[CheckpointEvaluation]) -> list[Architecture]:
    """Mean over the checkpoints of each architecture, which differ by their seed."""
    architectures = []
    for architecture in dict.fromkeys(each.architecture for each in evaluations):
        for protocol in PROTOCOLS:
            own = [each for each in evaluations if each.architecture == architecture and getattr(each, protocol)]
            if own:
                architectures.append(_architecture(architecture, protocol, own))
    return architectures


def _architecture(architecture: str, protocol: str, own: Sequence[CheckpointEvaluation]) -> Architecture:
    figures: list[Metrics] = [getattr(each, protocol) for each in own]
    return Architecture(
        architecture=architecture,
        names=tuple(each.name for each in own),
        protocol=protocol,
        n_clips=figures[0].n_clips,
        n_tags=figures[0].n_tags,
        roc_auc=paired_runs.over_seeds([f.roc_auc.macro for f in figures], [f.roc_replicates for f in figures]),
        pr_auc=paired_runs.over_seeds([f.pr_auc.macro for f in figures], [f.pr_replicates for f in figures]),
    )


def compare_architectures(evaluations: Sequence[CheckpointEvaluation], *, seed: int = 0) -> list[Comparison]:
    """Every pair of architectures with several runs each: clips and runs are both drawn anew in each replicate."""
    names = list(dict.fromkeys(each.architecture for each in evaluations))
    comparisons = []
    for first, second in combinations(names, 2):
        for protocol in PROTOCOLS:
            sides = [[getattr(j, protocol) for j in evaluations if j.architecture == name] for name in (first, second)]
            if min(len(side) for side in sides) < 2 or not all(all(side) for side in sides):
                continue
            comparisons.append(Comparison(first, second, protocol, _seed_differences(sides[0], sides[1], seed)))
    return comparisons


def _seed_differences(first: Sequence[Metrics], second: Sequence[Metrics], seed: int) -> dict[str, Difference]:
    return {
        name: paired_runs.difference_of_means(
            [[getattr(m, name).macro for m in side] for side in (first, second)],
            [[getattr(m, replicates) for m in side] for side in (first, second)],
            seed=seed,
        )
        for name, replicates in (("roc_auc", "roc_replicates"), ("pr_auc", "pr_replicates"))
    }


@dataclass(frozen=True)
class Evaluation:
    """All that `msecnn evaluate CHECKPOINT… --data MANIFEST` finds.

    Attributes:
        artists_in_training: share of the clips that are by an artist of the training split; None where the manifest
            names no artists.
        is_magnatagatune: whether the figures may stand beside the paper's.
    """

    data: str
    split: str
    manifest_hash: str
    n_clips: int
    n_unreadable: int
    artists_in_training: float | None
    evaluations: tuple[CheckpointEvaluation, ...]
    comparisons: tuple[Comparison, ...]
    architectures: tuple[Architecture, ...]
    architecture_comparisons: tuple[Comparison, ...]
    is_magnatagatune: bool

    def to_json(self) -> dict[str, Any]:
        plain = asdict(replace(self, evaluations=(), comparisons=(), architecture_comparisons=()))
        for name in ("evaluations", "comparisons", "architecture_comparisons"):
            plain[name] = [each.to_json() for each in getattr(self, name)]
        return plain


def evaluate(
    taggers: Mapping[str, Tagger],
    manifest: Manifest,
    split: str,
    *,
    kept: Path | None = None,
    threshold: float = 0.5,
    n_replicates: int = metrics.N_REPLICATES,
    seed: int = 0,
) -> Evaluation:
    """Evaluates checkpoints, given by name, on one split of a manifest.

    Args:
        kept: folder in which predictions are kept for the next time.
        threshold: of F1.
        n_replicates, seed: of the bootstrap.
    """
    part = manifest.split(split)
    predicted = predict_split(list(taggers.values()), part, kept=kept)
    tags = shared_tags(part, predicted)
    options = {"threshold": threshold, "n_replicates": n_replicates, "seed": seed}
    evaluations = [
        evaluate_checkpoint(name, tagger.checkpoint, scores_of(each, part, tags), **options)
        for (name, tagger), each in zip(taggers.items(), predicted, strict=True)
    ]
    return Evaluation(
        data=manifest.name,
        split=split,
        manifest_hash=manifest.hash,
        n_clips=len(predicted[0].clip_ids),
        n_unreadable=len(part) - len(predicted[0].clip_ids),
        artists_in_training=artists_in_training(manifest, part),
        evaluations=tuple(evaluations),
        comparisons=tuple(compare(evaluations)),
        architectures=tuple(by_architecture(evaluations)),
        architecture_comparisons=tuple(compare_architectures(evaluations, seed=seed)),
        is_magnatagatune=manifest.name == MAGNATAGATUNE and tags == MAGNATAGATUNE_TAGS,
    )
