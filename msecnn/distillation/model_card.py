"""What a distilled checkpoint's card says: how it was made, by whose help, on what, and where it is weak.

Every sentence follows from the run and from what was measured of it; what does not follow is not said.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from msecnn.checkpoint_card import NON_COMMERCIAL
from msecnn.data.manifest import Manifest
from msecnn.distillation.agreement.metrics import spearman
from msecnn.distillation.linear_head import LinearHead, cross_entropy
from msecnn.distillation.soft_labels import SoftLabels
from msecnn.distillation.teachers import CREDITS, Teacher
from msecnn.evaluation.metrics import ReliabilityBin, calibration_error, reliability
from msecnn.evaluation.pipeline import MAGNATAGATUNE
from msecnn.statistics import sigmoid
from msecnn.tags import MAGNATAGATUNE_TAGS

MIT_TERMS = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    'documentation files (the "Software"), to deal in the Software without restriction, including without limitation '
    "the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and "
    "to permit persons to whom the Software is furnished to do so, subject to the following conditions: The above "
    "copyright notice and this permission notice shall be included in all copies or substantial portions of the "
    'Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT '
    "LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT "
    "SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION "
    "OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER "
    "DEALINGS IN THE SOFTWARE."
)
#: So many of the tags with the least agreement are named, with their figures.
N_WEAK = 10
#: A tag is called rare where no training clip's target reaches this.
RARE_BELOW = 0.5


@dataclass(frozen=True, eq=False)
class Measured:
    """What the card's figures come from.

    Attributes:
        head: as fitted; None where the classifier is as gradient descent left it.
        shares: of the logits' variance on the validation clips, by scale.
        train_targets: (N, K) teachers' mean probabilities, moved where labels are known.
        valid_logits: (M, K) the student's.
        valid_targets: (M, K) teachers' mean probabilities.
    """

    head: LinearHead | None
    shares: Mapping[str, float]
    train_targets: np.ndarray
    valid_logits: np.ndarray
    valid_targets: np.ndarray


def model_card(
    run: Mapping[str, Any],
    manifest: Manifest,
    labels: Sequence[SoftLabels],
    measured: Measured,
    *,
    came_from: Mapping[str, Any],
) -> dict[str, Any]:
    """The card, without what `checkpoint.save` knows itself.

    Args:
        run: the run folder's `config.json`: configuration, command, commit, versions.
        came_from: where the levels come from: "warm_start" (see `warm_start_credit`), "path"; or of a system without
            scales "own_differences", sentences on where it leaves its paper.
    """
    tags, probabilities = labels[0].tags, sigmoid(measured.valid_logits)
    rare = [tag for tag, most in zip(tags, measured.train_targets.max(0), strict=True) if most < RARE_BELOW]
    bins = reliability(measured.valid_targets.ravel(), probabilities.ravel())
    facts = {
        "teachers": [_teacher(each) for each in labels],
        **came_from,
        "data": _data(manifest),
        **_head(measured),
        "metrics": list(_metrics(run, measured, probabilities, bins)),
        "weakest_tags": {
            "judged_on": f"the {len(probabilities)} validation clips",
            "rank_correlation": weakest(tags, rank_correlations(measured.valid_logits, measured.valid_targets)),
        },
        "rare_tags": rare,
        "calibration": [asdict(each) for each in bins],
        "run": dict(run),
    }
    return sentences(facts, tags) | facts


def _head(measured: Measured) -> dict[str, Any]:
    """How the classifier was fitted, and what each scale brings; nothing of a system that has neither."""
    if measured.head is None:
        return {}
    return {
        "head": {
            "ridge_strength": measured.head.ridge_strength,
            "logistic_strength": measured.head.logistic_strength,
            "calibrated_on": "valid",
        },
        "variance_share_per_scale": {scale: round(share, 4) for scale, share in measured.shares.items()},
    }


def sentences(facts: Mapping[str, Any], tags: Sequence[str]) -> dict[str, str]:
    """The card's prose, from its facts and its tags."""
    data, names = facts["data"], ", ".join(teacher["name"] for teacher in facts["teachers"])
    elsewhere = data["name"] != MAGNATAGATUNE
    trained_on = f"what {names} say of {data['n_train']} clips ({data['name']})"
    limits = [f"It imitates {names}, mistakes included."]
    if elsewhere:
        limits.append("It was not trained on MagnaTagATune's audio and has no score on it.")
    weak = facts["weakest_tags"]
    if correlations := weak["rank_correlation"]:
        named = ", ".join(f"{tag} {value:.2f}" for tag, value in correlations.items())
        limits.append(f"It ranks {weak['judged_on']} least as their mean does (rank correlation) for {named}.")
    if rare := facts.get("rare_tags"):
        limits.append(f"No clip of its training music has a target of {RARE_BELOW:g} or more for {', '.join(rare)}.")
    prose = {
        "trained_on": trained_on + ("; not on MagnaTagATune itself" if elsewhere else ""),
        "limits": " ".join(limits),
        "differences_from_paper": "; ".join(_differences(facts)) + ".",
        "terms": " ".join(_terms(facts, tags)),
    }
    return {name: text for name, text in prose.items() if text}


def _differences(facts: Mapping[str, Any]) -> Iterator[str]:
    run = facts["run"]
    distillation = run.get("distillation", {})
    config = run.get("config", {})
    n_teachers = len(facts["teachers"])
    whose = f"the mean probability of {n_teachers} networks" if n_teachers > 1 else "another network's probabilities"
    yield f"Trained on {whose} instead of labels"
    if "own_differences" in facts:
        yield from facts["own_differences"]
        return
    if facts.get("path"):
        yield f"all levels are those of {facts['path']['name']}, and nothing but the classifier was fitted"
    elif facts.get("warm_start"):
        yield f"convolutions start from those of {facts['warm_start']['name']}"
    if config and config.get("order", "pool_first") == "pool_first":  # runs before there was a choice had no other
        yield "pooling comes before normalisation in training (the same function afterwards)"
    if config and distillation.get("auxiliary"):
        yield "a second classifier on the last level was trained along and dropped"
    yield (
        "the classifier is fitted to the trained path afterwards (ridge and logistic regression, averaged and "
        "calibrated)"
    )


def _terms(facts: Mapping[str, Any], tags: Sequence[str]) -> Iterator[str]:
    named = [teacher["name"] for teacher in facts["teachers"] if "licence" in teacher]
    if named and tuple(tags) == MAGNATAGATUNE_TAGS:  # the tags of those weights of theirs that learned from it
        yield (
            f"{', '.join(named)} learned from MagnaTagATune, whose labels and audio are CC BY-NC-SA 3.0, that is, not "
            "for commercial use."
        )
    data = facts["data"]
    if "n_non_commercial" not in data:  # cards from before they were counted
        yield "Clips of the training music may be for non-commercial use only; they were not counted."
    elif data["n_non_commercial"]:
        yield f"{data['n_non_commercial']} of its {data['n_train']} training clips are for non-commercial use only."


def weakest(tags: Sequence[str], correlations: np.ndarray) -> dict[str, float]:
    """The tags with the lowest rank correlation, lowest first; of few tags, at most half."""
    order = [index for index in np.argsort(correlations, kind="stable") if np.isfinite(correlations[index])]
    return {tags[index]: round(float(correlations[index]), 4) for index in order[: min(N_WEAK, len(tags) // 2)]}


def rank_correlations(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(K,) Spearman's correlation over clips of two arrays (N, K); NaN where there is none, as of a constant."""
    once = np.ones((len(logits), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = zip(logits.T, targets.T, strict=True)
        return np.array([spearman(predicted, wanted, once)[0] for predicted, wanted in pairs])


def _data(manifest: Manifest) -> dict[str, Any]:
    train = manifest.split("train").clips
    licences = [str(clip.extra.get("licence", "")) for clip in train]
    return {
        "name": manifest.name,
        "licence": manifest.licence,
        "manifest_sha256": manifest.hash,
        "n_train": len(train),
        "n_valid": len(manifest.split("valid")),
        "n_non_commercial": sum(bool(NON_COMMERCIAL.search(licence)) for licence in licences),
    }


def _metrics(
    run: Mapping[str, Any], measured: Measured, probabilities: np.ndarray, bins: tuple[ReliabilityBin, ...]
) -> Iterator[dict[str, Any]]:
    chose = "epoch, penalties and calibration" if "best_epoch" in run else "penalties and calibration"
    chose = "epoch" if measured.head is None else chose
    protocol = f"against the teachers' mean probability, validation split, which also chose {chose}"
    figures = {
        "binary cross-entropy": cross_entropy(measured.valid_logits, measured.valid_targets),
        "mean absolute error": float(np.abs(probabilities - measured.valid_targets).mean()),
        "expected calibration error": calibration_error(bins),
    }
    for name, value in figures.items():
        yield {"name": name, "value": round(value, 5), "n": len(probabilities), "protocol": protocol}


def _teacher(labels: SoftLabels) -> dict[str, str]:
    credit = CREDITS.get(labels.architecture)
    named = {"name": labels.teacher, "architecture": labels.architecture, "fingerprint": labels.fingerprint}
    return named | (asdict(credit) if credit else {})


def warm_start_credit(donor: Teacher | None) -> dict[str, str] | None:
    """The student's filters began as the donor's weights, so their licence's notice goes with the student."""
    if donor is None:
        return None
    credit = CREDITS[donor.model.architecture]
    terms = {"terms": MIT_TERMS} if credit.licence == "MIT" else {}
    return {"name": donor.name, "architecture": donor.model.architecture, **asdict(credit), **terms}
