"""Whether a recording is like the music a network learned from; beside tags that mean little, a sentence says so.

Two questions are asked of each window. Its features (D,): the mean squared distance from the training clips' mean along
their first P principal axes, each in standard deviations (Mahalanobis distance in that space); far out there, the
classifier was never trained. And its band: music through a telephone lacks both ends of the mel spectrogram.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from msecnn.files import write_atomically

log = logging.getLogger(__name__)

FILE_NAME = "training_features.safetensors"
N_AXES = 32
#: A band is narrow where the highest twelfth of the mel lies so far under the strongest band, in dB of mean power, and
#: the level rises by so much within a sixteenth of the mel among its lowest sixth. True of 1 of 100 training clips, of
#: all 100 through 250 to 3,650 Hz, and of 58 through 150 to 4,500 Hz.
TOP_DB, RISE_DB = -50.0, 30.0
UNFAMILIAR = "This does not sound like the music the networks learned from, so its tags may mean little."
NARROW = "The recording has a narrow band, as through a telephone, which changes its tags."


@dataclass(frozen=True)
class Familiarity:
    """Where a network's training clips lie among its features.

    Attributes:
        mean: (D,) of all scales' features, in the network's order.
        axes: (P, D) principal axes over their standard deviations, so that the training clips' projections have
            variance 1.
        threshold: distance beyond which a recording is unlike the training music.
    """

    mean: np.ndarray
    axes: np.ndarray
    threshold: float

    @classmethod
    def fit(cls, training: np.ndarray, validation: np.ndarray, *, false_alarms: float) -> "Familiarity":
        """From features (N, D) of training clips; the threshold is passed by that share of the validation clips."""
        mean = training.mean(axis=0, dtype=np.float64)
        scale = training.std(axis=0, dtype=np.float64) + 1e-6
        _, values, directions = np.linalg.svd((training - mean) / scale, full_matrices=False)
        n_axes = min(N_AXES, int((values > 1e-6 * values[0]).sum()))
        deviations = values[:n_axes, None] / np.sqrt(len(training))
        found = cls(mean.astype(np.float32), (directions[:n_axes] / deviations / scale).astype(np.float32), 0.0)
        threshold = float(np.quantile(found.distances(validation), 1 - false_alarms))
        return cls(found.mean, found.axes, threshold)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """(W, D) to (W,): 1 is usual for a training clip."""
        result: np.ndarray = np.sqrt((((features - self.mean) @ self.axes.T) ** 2).mean(axis=1))
        return result

    def is_unfamiliar(self, features: Mapping[str, np.ndarray]) -> bool:
        """Whether most windows are unlike the training music: for each scale (W, C)."""
        return float(np.median(self.distances(np.concatenate([*features.values()], axis=1)))) > self.threshold

    def write(self, folder: Path, sha256: str) -> None:
        """Beside the weights of that hash."""
        about = json.dumps({"sha256": sha256, "threshold": self.threshold})
        # One entry: of several, the order differs from process to process, and with it the file's bytes.
        write_atomically(folder / FILE_NAME, to_bytes({"mean": self.mean, "axes": self.axes}, {"about": about}))


def read_familiarity(folder: Path, sha256: str) -> Familiarity | None:
    """What `write` wrote, or None where it was not, was for other weights, or is damaged."""
    try:
        with safe_open(folder / FILE_NAME, "numpy") as file:
            about = json.loads((file.metadata() or {})["about"])
            if about["sha256"] != sha256:
                return None
            return Familiarity(file.get_tensor("mean"), file.get_tensor("axes"), float(about["threshold"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        log.debug("no features of training clips in %s: %s", folder, error)
        return None


def is_narrow(band_power: np.ndarray) -> bool:
    """Whether a recording lacks both ends of the band, from each mel band's mean power (F,)."""
    decibels = 10 * np.log10(band_power + 1e-12)
    n_bands, step = len(decibels), len(decibels) // 16
    if step < 2:  # too coarse to tell
        return False
    low = decibels[: n_bands // 6]
    rise = (low[step:] - low[:-step]).max()
    return bool(decibels[-n_bands // 12 :].mean() - decibels.max() < TOP_DB and rise > RISE_DB)
