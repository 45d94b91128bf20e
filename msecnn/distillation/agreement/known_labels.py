"""What is known for certain of clips: the instrument that was played or rendered, and whether somebody sings.

Who made a clip has said which tags are true of it, but not which are false. For sources of sound a false label follows:
a piece for harpsichord has no flute. So a clip that is labelled with some source of sound counts as a negative of the
others, except that no singing clip is a negative of any voice. For other tags only a label of 0 is a negative.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from msecnn.data.manifest import Clip
from msecnn.distillation.agreement.metrics import Figure
from msecnn.evaluation.metrics import mean_defined, ranking_areas
from msecnn.tags import FAMILIES

VOICE_TAGS = (
    *FAMILIES["vocals"],
    *FAMILIES["female voice"],
    *FAMILIES["male voice"],
    *FAMILIES["choir"],
    "opera",
)
NO_VOICE_TAGS = FAMILIES["no vocals"]
SOUND_SOURCES = (*VOICE_TAGS, "guitar", "piano", "violin", "harpsichord", "flute", "sitar", "harp", "cello")
#: Collections of songs with their lyrics: all that they hold is sung, but for files that are called instrumental.
SINGING_SOURCES = ("jamendolyrics", "ultrastar", "csd")
#: Packages of which some tracks are sung, and nobody has written down which: such clips take no part.
PARTLY_SUNG_SOURCES = ("marsshooter-data", "fretsonfire-songs-")


@dataclass(frozen=True)
class KnownTag:
    """One tag's ROC-AUC on clips where it is known whether it applies."""

    tag: str
    n_positive: int
    n_negative: int
    roc_auc: Figure


@dataclass(frozen=True)
class KnownLabels:
    """A system's ROC-AUC on known labels; `macro` is None where there are none, and `replicates` (R,) then empty."""

    system: str
    macro: Figure | None
    per_tag: tuple[KnownTag, ...]
    replicates: np.ndarray = field(repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the replicates."""
        whole = asdict(self)
        del whole["replicates"]
        return whole


@dataclass(frozen=True)
class Voices:
    """ROC-AUC of sung clips against those that are not, by the highest or by the mean probability of the voice tags."""

    system: str
    n_sung: int
    n_other: int
    highest: Figure | None
    mean: Figure | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def known_labels(
    system: str, probabilities: np.ndarray, labels: np.ndarray, tags: Sequence[str], weights: np.ndarray
) -> KnownLabels:
    """Evaluates probabilities (N, K) by labels (N, K) of 1, 0 and NaN, with weights (N, 1 + R)."""
    per_tag, replicates = [], []
    for k, tag in enumerate(tags):
        positive, negative = labels[:, k] == 1, negatives(labels, tags, k)
        known = positive | negative
        if positive.any() and negative.any():
            roc, _ = ranking_areas(positive[known], probabilities[known, k], weights[known])
            per_tag.append(KnownTag(tag, int(positive.sum()), int(negative.sum()), Figure.of(roc)))
            replicates.append(roc)
    mean = mean_defined(np.stack(replicates)) if replicates else np.empty(0)
    return KnownLabels(system, Figure.of(mean) if replicates else None, tuple(per_tag), mean[1:])


def negatives(labels: np.ndarray, tags: Sequence[str], k: int) -> np.ndarray:
    """(N,) bool: the clips of which tag k is known to be false."""
    false = labels[:, k] == 0
    if tags[k] in SOUND_SOURCES:
        sources, voiced = _any(labels, tags, SOUND_SOURCES), _any(labels, tags, VOICE_TAGS)
        false |= sources & (labels[:, k] != 1) & ~(voiced & (tags[k] in VOICE_TAGS))
    return false


def sung(labels: np.ndarray, clips: Sequence[Clip], tags: Sequence[str]) -> np.ndarray:
    """(N,) 1 where a clip is sung, 0 where it is not, NaN where nobody knows.

    Sung: a voice tag is known to be true, or the clip comes from a collection of songs. Unknown: it comes from a
    package with some songs, and no label tells. All other clips count as not sung.
    """
    sources = [clip.extra.get("source", clip.extra.get("package", "")) for clip in clips]
    instrumental = [Path(clip.extra.get("member", clip.path)).name.startswith("instrumental") for clip in clips]
    song = np.array([any(part in source for part in SINGING_SOURCES) for source in sources]) & ~np.array(instrumental)
    unknown = np.array([any(part in source for part in PARTLY_SUNG_SOURCES) for source in sources])
    voiced, voiceless = _any(labels, tags, VOICE_TAGS), _any(labels, tags, NO_VOICE_TAGS)
    return np.select([voiced, voiceless, song, unknown], [1.0, 0.0, 1.0, np.nan], default=0.0)


def voices(
    system: str,
    probabilities: np.ndarray,
    labels: np.ndarray,
    clips: Sequence[Clip],
    tags: Sequence[str],
    weights: np.ndarray,
) -> Voices:
    """Evaluates how well sung clips are told from others, by probabilities (N, K) and weights (N, 1 + R)."""
    singing = sung(labels, clips, tags)
    n_sung, n_other = int((singing == 1).sum()), int((singing == 0).sum())
    columns = [k for k, tag in enumerate(tags) if tag in VOICE_TAGS]
    if not (columns and n_sung and n_other):
        return Voices(system, n_sung, n_other, None, None)
    known = ~np.isnan(singing)
    claims = probabilities[known][:, columns]
    highest, mean = (
        Figure.of(ranking_areas(singing[known] == 1, claim, weights[known])[0])
        for claim in (claims.max(axis=1), claims.mean(axis=1))
    )
    return Voices(system, n_sung, n_other, highest, mean)


def _any(labels: np.ndarray, tags: Sequence[str], some: Sequence[str]) -> np.ndarray:
    return (labels[:, [k for k, tag in enumerate(tags) if tag in some]] == 1).any(axis=1)
