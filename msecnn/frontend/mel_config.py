"""What a front end is made of, and the way back from a mel cell to seconds and Hz.

Choi et al. 2016, kept by Hamidi et al. 2019: 12 kHz mono, 512-point frames every 256 samples, 96 mel bands on Slaney's
scale.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

# Slaney's Auditory Toolbox scale (1998): linear below 1 kHz, then 27 logarithmic steps to each factor of 6.4.
_SLANEY_LINEAR_HZ_PER_MEL = 200.0 / 3
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_LOG_STEP = np.log(6.4) / 27

MAX_DB = 1_000.0
MAX_WINDOW = 2**25  # samples; eleven minutes at 48 kHz
#: What can be computed in a memory like ours; a card may come from anybody.
_RANGES = {
    "sample_rate": (1_000, 768_000),
    "n_fft": (2, 65_536),
    "hop_length": (1, 65_536),
    "n_mels": (1, 1_024),
    "f_min": (0, 384_000),
    "f_max": (1, 384_000),
    "n_frames": (2, 100_000),
    "amin": (1e-30, 1.0),
}


@dataclass(frozen=True)
class MelConfig:
    """All parameters of the front end; a checkpoint's card carries them.

    Attributes:
        sample_rate: Hz of the waveform that comes in.
        n_fft: samples in a frame (Hann window, centred on its frame, zeros beyond the ends).
        hop_length: samples from one frame to the next.
        n_mels: mel bands (Slaney scale, each triangle of equal area).
        f_min, f_max: Hz at the lowest edge of the first band and the highest edge of the last.
        n_frames: frames in one window, what the networks see.
        amin: the smallest power that is told apart from silence: -100 dB re 1.0.
        top_db: nothing lies further than this below a window's maximum; None leaves the range open.
        doubled_db: square the mel power before taking dB, as the authors' code and Choi's repository do by a slip that
            Choi acknowledged. It doubles every dB, and `top_db=80` then cuts at 40 real dB.
    """

    sample_rate: int = 12_000
    n_fft: int = 512
    hop_length: int = 256
    n_mels: int = 96
    f_min: float = 0.0
    f_max: float = 6_000.0
    n_frames: int = 1366
    amin: float = 1e-10
    top_db: float | None = None
    doubled_db: bool = False

    @property
    def window_samples(self) -> int:
        """Samples in one window: 349,440 by default. With centred frames, L frames need L - 1 hops."""
        return (self.n_frames - 1) * self.hop_length

    @property
    def window_s(self) -> float:
        """Seconds in one window: 29.12 by default."""
        return self.window_samples / self.sample_rate

    @property
    def frames_per_s(self) -> float:
        """Frames in a second: 46.875 by default."""
        return self.sample_rate / self.hop_length

    @property
    def floor_db(self) -> float:
        """The quietest value there is: -100 dB by default."""
        return float(10 * np.log10(self.amin))

    def frame_to_s(self, frame: float) -> float:
        """Second on which a frame is centred."""
        return frame * self.hop_length / self.sample_rate

    def frame_span_s(self, frame: int) -> tuple[float, float]:
        """First and last second that a frame's samples come from, within one window."""
        half = self.n_fft / 2 / self.sample_rate
        centre = self.frame_to_s(frame)
        return max(0.0, centre - half), min(self.window_s, centre + half)

    def band_edges_hz(self) -> np.ndarray:
        """Lower edge, centre and upper edge of each band in Hz, shape (F, 3)."""
        low, high = _slaney_mel(np.array([self.f_min, self.f_max]))
        points = _slaney_hz(np.linspace(low, high, self.n_mels + 2))  # the triangles' corners, equally spaced in mel
        return np.stack([points[:-2], points[1:-1], points[2:]], axis=1)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, parameters: dict[str, Any]) -> "MelConfig":
        """Raises TypeError or ValueError for what this front end does not know, or cannot be."""
        config = cls(**parameters)
        config.check()
        return config

    def check(self) -> None:
        """Raises ValueError, in words, for a front end that cannot be computed."""
        for name, (low, high) in _RANGES.items():
            value, default = getattr(self, name), getattr(MelConfig, name)
            kinds = (int,) if isinstance(default, int) else (int, float)
            if type(value) not in kinds or not low <= value <= high:
                kind = "a whole number" if kinds == (int,) else "a number"
                raise ValueError(f"{name} must be {kind} from {low:g} to {high:g}")
        if not self.f_min < self.f_max <= self.sample_rate / 2:
            raise ValueError("f_max must lie above f_min, and not above half the sample rate")
        if self.top_db is not None and (type(self.top_db) not in (int, float) or not 0 < self.top_db <= MAX_DB):
            raise ValueError(f"top_db must be a number up to {MAX_DB:g}, or null")
        if not isinstance(self.doubled_db, bool):
            raise ValueError("doubled_db must be true or false")
        if self.window_samples > MAX_WINDOW:
            raise ValueError(f"a window must have at most {MAX_WINDOW:,} samples")


@dataclass(frozen=True)
class InputSpec:
    """What a network takes; models with equal ones can share the input.

    Attributes:
        sample_rate: Hz of the waveform that the input is made of.
        window_samples: samples of it in one window.
        front_end: that turns a window (B, T) into the mel (B, 1, F, L) that the network takes; None where the network
            takes the waveform itself.
    """

    sample_rate: int
    window_samples: int
    front_end: MelConfig | None = None

    @property
    def window_s(self) -> float:
        """Seconds of one window."""
        return self.window_samples / self.sample_rate

    @classmethod
    def of_mel(cls, front_end: MelConfig) -> "InputSpec":
        """The input that a front end makes."""
        return cls(front_end.sample_rate, front_end.window_samples, front_end)


def fill_window(waveform: np.ndarray, n_samples: int) -> np.ndarray:
    """Repeats a recording that is shorter than a window until it fills one; a longer one comes back as it is."""
    if len(waveform) >= n_samples:
        return waveform
    return np.resize(waveform, n_samples)  # numpy repeats what is there


def _slaney_mel(hz: np.ndarray) -> np.ndarray:
    break_mel = _SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ_PER_MEL
    above = break_mel + np.log(np.maximum(hz, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(hz < _SLANEY_BREAK_HZ, hz / _SLANEY_LINEAR_HZ_PER_MEL, above)


def _slaney_hz(mel: np.ndarray) -> np.ndarray:
    break_mel = _SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ_PER_MEL
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (np.maximum(mel, break_mel) - break_mel))
    return np.where(mel < break_mel, mel * _SLANEY_LINEAR_HZ_PER_MEL, above)
