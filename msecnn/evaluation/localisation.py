"""Whether a map shows when a sound is there: mixes of two clips in which one is heard for a known time only.

A clip is laid over another for some seconds, and the tag is explained that it brings with it: the one whose logit is
most above that of the other clip alone, which differs from the mix in those seconds only. ROC-AUC of each moment's
attribution against the known time, as in "explain_where" (arXiv 2506.04391), for all scales together and for each.

Axis letters: T samples, S scales, F mel bands, L frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from msecnn.explain import DEFAULT_BASELINE
from msecnn.explain.comparison import ALL
from msecnn.explain.faithfulness import BLIND_ORDERS, blind_order
from msecnn.explain.saliency import saliency
from msecnn.explain.sonification import loudness_db
from msecnn.frontend import MelConfig
from msecnn.tagger import Tagger

#: Seconds for which the laid over clip is heard, and of its fading in and out.
SHORTEST_S, LONGEST_S, FADE_S = 5.0, 10.0, 0.05
#: Moments that attributions are summed over, in seconds, by name.
MOMENTS_S = {"100 ms": 0.1, "1 s": 1.0}


@dataclass(frozen=True)
class Mix:
    """A clip over another.

    Attributes:
        waveform: (T,) at the front end's rate.
        start_s, end_s: when the laid over clip is heard.
    """

    waveform: np.ndarray
    start_s: float
    end_s: float


def mix(bed: np.ndarray, over: np.ndarray, sample_rate: int, *, seed: int = 0) -> Mix:
    """Lays the beginning of one waveform (T,) over another (T,) at a random place.

    Both are equally loud there, and together as loud as the bed was alone: the level does not tell the time.
    """
    rng = np.random.default_rng(seed)
    n_samples = min(round(rng.uniform(SHORTEST_S, LONGEST_S) * sample_rate), len(bed) // 3, len(over))
    start = int(rng.integers(0, len(bed) - n_samples))
    fade = round(FADE_S * sample_rate)
    envelope = np.minimum(1, np.minimum(np.arange(n_samples), np.arange(n_samples)[::-1]) / fade)
    heard = slice(start, start + n_samples)
    level_db = loudness_db(bed[heard], sample_rate)
    both = bed[heard] + _at_level(over[:n_samples], level_db, sample_rate)
    waveform = np.array(bed, dtype=np.float32)
    waveform[heard] += (envelope * (_at_level(both, level_db, sample_rate) - bed[heard])).astype(np.float32)
    waveform /= max(1.0, float(np.abs(waveform).max()))
    return Mix(waveform, start / sample_rate, (start + n_samples) / sample_rate)


def _at_level(waveform: np.ndarray, level_db: float, sample_rate: int) -> np.ndarray:
    own_db = loudness_db(waveform, sample_rate)
    levelled: np.ndarray = (
        waveform * 10 ** ((level_db - own_db) / 20) if np.isfinite([own_db, level_db]).all() else waveform
    )
    return levelled


def measure_mix(
    tagger: Tagger, bed: np.ndarray, over: np.ndarray, *, methods: tuple[str, ...], seed: int = 0
) -> list[dict[str, Any]]:
    """For each method, and each scale: {"method", "scale", and a ROC-AUC for each of `MOMENTS_S`}.

    Args:
        methods: of `METHODS`, and of `BLIND_ORDERS`, of which there is one row, for all scales together.
    """
    config = tagger.checkpoint.mel_config
    mixed = mix(bed, over, config.sample_rate, seed=seed)
    alone, prediction = (tagger.tag((sound, config.sample_rate)) for sound in (bed, mixed.waveform))
    tag_index = int((prediction.window_logits[0] - alone.window_logits[0]).argmax())
    assert prediction.mel is not None  # a network with scales
    mel, rows = prediction.mel[0], []
    for method in methods:
        if method in BLIND_ORDERS:
            rows.append({"method": method, "scale": ALL, **aucs(blind_order(method, mel, seed), mixed, config)})
            continue
        found = saliency(
            tagger.model, mel, tag_index, method=method, baseline=DEFAULT_BASELINE, mel_config=config, seed=seed
        )
        maps = dict(zip(found.scales, found.maps, strict=True)) if len(found.scales) > 1 else {}
        for scale, values in {**maps, ALL: found.total}.items():
            rows.append({"method": method, "scale": scale, **aucs(values, mixed, config)})
    return rows


def aucs(attribution: np.ndarray, mixed: Mix, config: MelConfig) -> Mapping[str, float]:
    """ROC-AUC of the sums of (F, L) over moments, against whether a moment's middle lies in the known time."""
    frames_s = np.array([config.frame_to_s(frame) for frame in range(attribution.shape[1])])
    heard_frames = frames_s <= len(mixed.waveform) / config.sample_rate
    by_frame = attribution.astype(np.float64).sum(0)[heard_frames]
    found = {}
    for name, moment_s in MOMENTS_S.items():
        moments = (frames_s[heard_frames] / moment_s).astype(int)
        sums = np.bincount(moments, by_frame) / np.bincount(moments)
        middles_s = (np.arange(len(sums)) + 0.5) * moment_s
        found[name] = float(roc_auc_score((mixed.start_s <= middles_s) & (middles_s < mixed.end_s), sums))
    return found
