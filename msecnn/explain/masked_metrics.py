"""What the marked part of a clip says alone, and what is lost without it: AI, AD, AG, FF and Fid-In.

Definitions as in "Listenable Maps for Audio Classifiers" (Paissan et al., 2024), but with the probability of one tag
of many that each have their own, where they have classes that exclude each other.

Axis letters: K tags.
"""

import numpy as np

from msecnn.statistics import sigmoid

#: In the order of tables. AI, AD and AG are percentages; FF is in probability and in logits; Fid-In is 0 or 1 a clip.
METRICS = ("AI", "AD", "AG", "FF", "FF_logit", "Fid-In")
#: Shares of the cells that are marked, in percent.
PERCENTAGES = (5, 10, 20)


def masked_metrics(clip: np.ndarray, kept: np.ndarray, left: np.ndarray, tag_index: int) -> dict[str, float]:
    """The metrics of one clip; their means over clips are the published ones.

    Args:
        clip: (K,) logits of the whole clip.
        kept: (K,) of its marked part alone, all else filled.
        left: (K,) of what is left when the marked part is filled.
        tag_index: the tag that is explained.
    """
    p, p_kept, p_left = (float(sigmoid(logits.astype(np.float64))[tag_index]) for logits in (clip, kept, left))
    return {
        "AI": 100.0 * (p_kept > p),
        "AD": 100 * max(0.0, p - p_kept) / p,
        "AG": 100 * max(0.0, p_kept - p) / (1 - p) if p < 1 else 0.0,
        "FF": p - p_left,
        "FF_logit": float(clip[tag_index] - left[tag_index]),
        "Fid-In": float(kept.argmax() == clip.argmax()),
    }
