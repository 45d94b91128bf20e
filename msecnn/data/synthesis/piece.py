"""A clip yet to be made: whose sounds it is made of, what is known to be true of it, and how it is rendered."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from msecnn import audio
from msecnn.data.manifest import Clip
from msecnn.frontend import MelConfig
from msecnn.tags import FAMILIES, MAGNATAGATUNE_TAGS

SAMPLE_RATE = 16_000  # of all that is made, Hz: the teachers'
DURATION_S = MelConfig().window_s
N_SAMPLES = round(DURATION_S * SAMPLE_RATE)
#: Part of every piece's key: raise it when a recipe's sound changes, so that no older file passes for a new one.
VERSION = 1

VOICES = (*FAMILIES["vocals"], *FAMILIES["female voice"], *FAMILIES["male voice"], *FAMILIES["choir"], "opera")
INSTRUMENTS = ("guitar", "piano", "harpsichord", "violin", "cello", "strings", "flute", "harp", "sitar", "drums")

Truths = Mapping[str, float]
Render = Callable[[np.random.Generator], np.ndarray]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Piece:
    """Attributes:
    name: unique among the pieces that are written together.
    split: "train", "valid" or "test".
    group: what must not be torn apart by a split.
    licence: of the sounds that it is made of.
    truths: tag to 1 (true) or 0 (false); what is missing is unknown.
    extra: what it is made of and how, as text.
    content: hashes of the sounds that it is made of.
    seed: of all that `render` draws.
    render: draws with the generator given and returns a waveform (T,) at SAMPLE_RATE.
    """

    name: str
    split: str
    group: str
    licence: str
    truths: Truths
    extra: Mapping[str, str]
    content: tuple[str, ...]
    seed: int
    render: Render = field(compare=False)

    @property
    def key(self) -> str:
        """SHA-256 of everything that its sound depends on."""
        told = [VERSION, self.seed, self.name, dict(sorted(self.extra.items())), self.content]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def waveform(self) -> np.ndarray:
        """(T,) float32, the same whenever it is asked for."""
        return self.render(np.random.default_rng(int(self.key[:16], 16))).astype(np.float32)

    @property
    def labels(self) -> np.ndarray:
        """(K,) of MagnaTagATune's tags; NaN where unknown."""
        return np.array([self.truths.get(tag, np.nan) for tag in MAGNATAGATUNE_TAGS], dtype=np.float32)


def without_voice() -> dict[str, float]:
    """What is known where nobody sings or speaks."""
    return dict.fromkeys(VOICES, 0.0) | dict.fromkeys(FAMILIES["no vocals"], 1.0)


def only_instruments(*present: str) -> dict[str, float]:
    """What is known where no other instruments of the vocabulary play; a violin is strings too, or may be."""
    absent = dict.fromkeys(INSTRUMENTS, 0.0)
    if {"violin", "cello"} & set(present):
        absent.pop("strings")
    return absent | dict.fromkeys(present, 1.0)


def known_truths(tags: Sequence[str], clip: Clip) -> dict[str, float]:
    """What is known of a clip."""
    return {tag: float(value) for tag, value in zip(tags, clip.labels, strict=True) if not np.isnan(value)}


def loaded(clip: Clip, *, speed: float = 1.0) -> np.ndarray:
    """(T,) a clip's sound at SAMPLE_RATE, no longer than a piece; `speed` moves tempo and pitch together."""
    longest_s = DURATION_S * speed
    duration_s = longest_s if clip.duration_s is None else min(clip.duration_s, longest_s)
    rate = round(SAMPLE_RATE / speed)  # played at SAMPLE_RATE, fewer samples are faster
    found = audio.read_recording(clip.path, sample_rate=rate, start_s=clip.start_s, duration_s=duration_s)
    return found.waveform.astype(np.float64)


def shuffled(items: Iterable[Item], rng: np.random.Generator) -> list[Item]:
    """In an order drawn at random."""
    listed = list(items)
    return [listed[index] for index in rng.permutation(len(listed))]
