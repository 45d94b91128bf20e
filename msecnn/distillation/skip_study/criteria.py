"""What predictions for the test clips are compared with: each criterion gives all figures and their replicates at once.

All criteria of a condition draw the same tracks in the same replicate, so whatever is subtracted is paired.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from msecnn.data.manifest import Manifest
from msecnn.distillation.agreement.comparison import in_tag_order
from msecnn.distillation.agreement.known_labels import known_labels
from msecnn.distillation.agreement.metrics import Reference, agree
from msecnn.distillation.soft_labels import SoftLabels, ensemble
from msecnn.evaluation.metrics import bootstrap_weights, evaluate
from msecnn.evaluation.pipeline import groups
from msecnn.evaluation.scores import Scores

#: Figures with what they are called in a table. Teachers' top tenth of the clips stands in for labels.
FIGURES = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "spearman": "Spearman", "top5": "top five", "mae": "error"}
_OF_AGREEMENT = {"roc_auc": "roc_auc_top", "pr_auc": "pr_auc_top", "spearman": "spearman", "top5": "top5", "mae": "mae"}
#: A teacher without skips: agreement with it cannot favour a student that has them.
WITHOUT_SKIPS = "MTT_vgg"
#: What the criterion by certain labels is called.
KNOWN_LABELS = "known labels"

#: (N, K) probabilities to each figure with its replicates (1 + R,).
Measure = Callable[[np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Criterion:
    """A reference and the clips on which predictions are compared with it."""

    name: str
    n_clips: int
    n_groups: int
    measure: Measure


def teacher_criteria(
    test: Manifest, labels: Sequence[SoftLabels], *, n_replicates: int, seed: int = 0
) -> tuple[Criterion, ...]:
    """The teachers' mean and the teacher without skips, both on recordings if they are told apart; and known labels."""
    tags = labels[0].tags
    recorded = np.array([clip.extra.get("real", "1") == "1" for clip in test.clips])
    references = {"the teachers' mean": ensemble(labels, test.clips)}
    references |= {each.teacher: each.probabilities(test.clips) for each in labels if each.teacher == WITHOUT_SKIPS}
    drawn = groups(test)
    weights = _weights(drawn[recorded], n_replicates, seed)
    criteria = [
        _by_agreement(
            Reference(name, "recordings", tags, values[recorded], weights, len(np.unique(drawn[recorded]))), recorded
        )
        for name, values in references.items()
    ]
    return (*criteria, *_by_known_labels(test, tags, drawn, n_replicates, seed))


def label_criteria(test: Manifest, *, n_replicates: int, seed: int = 0) -> tuple[Criterion, ...]:
    """The manifest's own labels."""
    labels, drawn = test.labels(), groups(test)

    def measure(probabilities: np.ndarray) -> dict[str, np.ndarray]:
        scores = Scores(labels, probabilities, test.tags, drawn)
        metrics = evaluate(scores, n_replicates=n_replicates, seed=seed)
        return {
            "roc_auc": np.r_[metrics.roc_auc.macro, metrics.roc_replicates],
            "pr_auc": np.r_[metrics.pr_auc.macro, metrics.pr_replicates],
        }

    return (Criterion("labels", len(labels), len(np.unique(drawn)), measure),)


def _by_agreement(reference: Reference, chosen: np.ndarray) -> Criterion:
    def measure(probabilities: np.ndarray) -> dict[str, np.ndarray]:
        found = agree("", probabilities[chosen], reference)
        return {name: np.r_[found.figures[own].value, found.replicates[own]] for name, own in _OF_AGREEMENT.items()}

    return Criterion(reference.name, int(chosen.sum()), reference.n_groups, measure)


def _by_known_labels(
    test: Manifest, tags: tuple[str, ...], drawn: np.ndarray, n_replicates: int, seed: int
) -> tuple[Criterion, ...]:
    """Clips of which it is known what plays, renders included; nobody where there are none."""
    truth, weights = in_tag_order(test.labels(), test.tags, tags), _weights(drawn, n_replicates, seed)

    def measure(probabilities: np.ndarray) -> dict[str, np.ndarray]:
        found = known_labels("", probabilities, truth, tags, weights)
        return {"roc_auc": np.r_[found.macro.value, found.replicates]} if found.macro else {}

    if not measure(np.zeros(truth.shape)):
        return ()
    some = (truth == 1).any(axis=1)
    return (Criterion(KNOWN_LABELS, int(some.sum()), len(np.unique(drawn[some])), measure),)


def _weights(drawn: np.ndarray, n_replicates: int, seed: int) -> np.ndarray:
    """(N, 1 + R) how often each clip counts, first once each."""
    weights = bootstrap_weights(drawn, n_replicates=n_replicates, seed=seed)
    return np.concatenate([np.ones_like(weights[:, :1]), weights], axis=1)
