"""What a distilled checkpoint's card says: how it was made, by whose help, on what, and where it is weak."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from msecnn.data.manifest import Manifest
from msecnn.distillation.linear_head import LinearHead, cross_entropy
from msecnn.distillation.soft_labels import SoftLabels
from msecnn.distillation.teachers import CREDITS, Teacher
from msecnn.evaluation.metrics import calibration_error, reliability
from msecnn.statistics import sigmoid

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
LIMITS = (
    "It was not trained on MagnaTagATune's audio and has no score on it: it imitates networks that were, on other "
    "music, most of it from games. It agrees with them least on the tags that deny voices (no vocals, no vocal, no "
    "voice), on synth, harp, sitar, harpsichord, indian, weird, and on men's voices; quiet singing is easily missed. "
    "Solo strings, flute and electric guitar alone are rare in its music. The vocabulary is that of players of a "
    "tagging game."
)
TERMS = (
    "The teachers were trained on MagnaTagATune, whose labels and audio are CC BY-NC-SA 3.0, that is, not for "
    "commercial use; some clips of the training music are non-commercial too."
)
DIFFERENCES = (
    "Trained on teachers' probabilities instead of MagnaTagATune's labels; convolutions start from another network's "
    "and pooling comes before normalisation in training (the same function afterwards); the classifier is fitted "
    "to the trained path afterwards (ridge and logistic regression, averaged and calibrated)."
)


def model_card(
    run: Mapping[str, Any],
    manifest: Manifest,
    labels: Sequence[SoftLabels],
    *,
    origin: Mapping[str, Any],
    head: LinearHead,
    shares: Mapping[str, float],
    valid_features: np.ndarray,
    valid_targets: np.ndarray,
) -> dict[str, Any]:
    """The card, without what `checkpoint.save` knows itself.

    Args:
        run: the run folder's `config.json`: configuration, command, commit, versions.
        origin: where the levels come from: "warm_start" (see `warm_start`), "path".
        shares: of the logits' variance on the validation clips, by scale.
        valid_features: (N, C).
        valid_targets: (N, K) teachers' mean probabilities.
    """
    names = [each.teacher for each in labels]
    logits = head.logits(valid_features)
    probabilities = sigmoid(logits)
    bins = reliability(valid_targets.ravel(), probabilities.ravel())
    splits = [clip.split for clip in manifest.clips]
    return {
        "trained_on": f"what {', '.join(names)} say of {splits.count('train')} clips ({manifest.name}); "
        "not on MagnaTagATune itself",
        "licence": "MIT for the weights; see terms",
        "terms": TERMS,
        "limits": LIMITS,
        "differences_from_paper": DIFFERENCES,
        "teachers": [_teacher(each) for each in labels],
        **origin,
        "data": {
            "name": manifest.name,
            "licence": manifest.licence,
            "manifest_sha256": manifest.hash,
            "n_train": splits.count("train"),
            "n_valid": splits.count("valid"),
        },
        "head": {
            "ridge_strength": head.ridge_strength,
            "logistic_strength": head.logistic_strength,
            "calibrated_on": "valid",
        },
        "variance_share_per_scale": {scale: round(share, 4) for scale, share in shares.items()},
        "metrics": [
            _metric("binary cross-entropy", cross_entropy(logits, valid_targets), len(valid_targets)),
            _metric("mean absolute error", float(np.abs(probabilities - valid_targets).mean()), len(valid_targets)),
            _metric("expected calibration error", calibration_error(bins), len(valid_targets)),
        ],
        "calibration": [asdict(each) for each in bins],
        "run": dict(run),
    }


def _teacher(labels: SoftLabels) -> dict[str, str]:
    credit = CREDITS.get(labels.architecture)
    named = {"name": labels.teacher, "architecture": labels.architecture, "fingerprint": labels.fingerprint}
    return named | (asdict(credit) if credit else {})


def warm_start(donor: Teacher | None) -> dict[str, str] | None:
    """The student's filters began as the donor's weights, so their licence's notice goes with the student."""
    if donor is None:
        return None
    credit = CREDITS[donor.model.architecture]
    terms = {"terms": MIT_TERMS} if credit.licence == "MIT" else {}
    return {"name": donor.name, "architecture": donor.model.architecture, **asdict(credit), **terms}


def _metric(name: str, value: float, n_clips: int) -> dict[str, Any]:
    protocol = (
        "against the teachers' mean probability, validation split, which also chose epoch, penalties, calibration"
    )
    return {"name": name, "value": round(value, 5), "n": n_clips, "protocol": protocol}
