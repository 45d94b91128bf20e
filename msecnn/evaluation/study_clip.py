"""One clip of a study of faithfulness, for one model: what is measured of its maps, of its sounds, and of a mix.

Axis letters: F mel bands, L frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from msecnn.audio import read_recording
from msecnn.data.manifest import Clip
from msecnn.errors import MsecnnError
from msecnn.evaluation import localisation, sound_faithfulness
from msecnn.explain import METHODS, Explanation, comparison, explain
from msecnn.explain.faithfulness import BLIND_ORDERS
from msecnn.tagger import Tagger, TagPrediction

#: Fills beside the baseline: the floor, and the spectrogram of another clip.
FLOOR, OTHER_CLIP = "floor", "other_clip"


@dataclass(frozen=True)
class StudyConfig:
    """What a study measures.

    Attributes:
        split: of the manifest: train, valid or test.
        n_clips: drawn at random from it.
        methods: of `METHODS`.
        few_methods: others of `METHODS`, measured on `n_few` of the clips only.
        baseline: what cells are replaced by.
        n_steps: points on each curve.
        n_slow: of the clips, those that are also measured by sensitivity and shuffled weights.
        n_few: those on which `few_methods` are measured.
        n_predicting: those whose maps also predict what removals cost, by infidelity.
        n_sounds: those whose strongest evidence is also made sound and tagged again.
        n_mixes: those over which another clip is laid, to be found again.
        n_first: of the split, those that are not drawn, since a choice was made by them.
        left_out: clips by name that are not drawn either.
        seed: of the draw and of everything random.
    """

    split: str = "test"
    n_clips: int = 100
    methods: tuple[str, ...] = METHODS
    few_methods: tuple[str, ...] = ()
    baseline: str = "clip_mean"
    n_steps: int = 10
    n_slow: int = 10
    n_few: int = 0
    n_predicting: int = 25
    n_sounds: int = 50
    n_mixes: int = 25
    n_first: int = 0
    left_out: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        subsets = (self.n_slow, self.n_few, self.n_predicting, self.n_sounds, self.n_mixes, self.n_first)
        if min(self.n_clips, self.n_steps) < 1 or min(*subsets, self.seed) < 0:
            raise MsecnnError("--n and --steps must be at least 1, the other numbers at least 0.")


@dataclass(frozen=True)
class ClipOfStudy:
    """One clip of those drawn, for one model.

    Attributes:
        drawn: all clips that could be, in the order of the draw.
        number: which of them.
    """

    tagger: Tagger
    drawn: Sequence[Clip]
    number: int
    config: StudyConfig

    @property
    def clip(self) -> Clip:
        return self.drawn[self.number]

    @property
    def other(self) -> Clip | None:
        """The next clip in the draw that is not of the same group."""
        following = [*self.drawn[self.number + 1 :], *self.drawn[: self.number]]
        own = self.clip.group or self.clip.clip_id
        return next((clip for clip in following if (clip.group or clip.clip_id) != own), None)

    @property
    def methods(self) -> list[tuple[str, ...]]:
        """What is measured together: methods and blind orders, and apart from them methods for a part of the clips."""
        few = self.config.few_methods if self.number < self.config.n_few else ()
        return [(*self.config.methods, *BLIND_ORDERS), *([few] if few else [])]

    @cached_property
    def prediction(self) -> TagPrediction:
        return self._tag(self.clip)

    @property
    def tag_index(self) -> int:
        """The tag that the model thinks most probable in the clip's first window."""
        return int(self.prediction.window_probabilities[0].argmax())

    @cached_property
    def explanation(self) -> Explanation:
        """Of the first window, with the sound."""
        tag = self.prediction.tags[self.tag_index]
        return explain(self.tagger, self.prediction, tag, 0, recording=self.clip.path)

    def judged(self, methods: tuple[str, ...]) -> list[dict[str, Any]]:
        """What is measured of the maps of some methods."""
        config, mel = self.config, self._mel(self.prediction)
        fills = {FLOOR: torch.full(mel.shape, self.tagger.checkpoint.mel_config.floor_db)}
        if self.other is not None:
            fills[OTHER_CLIP] = torch.from_numpy(self._mel(self._tag(self.other)))
        return comparison.measure_clip(
            self.tagger.model,
            mel,
            self.tag_index,
            methods=methods,
            baseline=config.baseline,
            other_fills=fills,
            n_steps=config.n_steps,
            mel_config=self.tagger.checkpoint.mel_config,
            seed=config.seed + self.number,
        )

    def checked(self, methods: tuple[str, ...], slow: bool) -> list[dict[str, Any]]:
        """What takes many runs of the network."""
        return comparison.check_clip(
            self.tagger.model,
            self._mel(self.prediction),
            self.tag_index,
            methods=methods,
            baseline=self.config.baseline,
            slow=slow,
            mel_config=self.tagger.checkpoint.mel_config,
            seed=self.config.seed + self.number,
        )

    def sounds(self) -> list[dict[str, Any]]:
        """What is measured of the strongest evidence as sound, and of events."""
        explanation = self.explanation
        events = sound_faithfulness.measure_events(explanation)
        claims = [{"side": side, **sound_faithfulness.as_claimed(found)} for side, found in events.items() if found]
        return [*sound_faithfulness.measure_sounds(explanation), *claims]

    def cells(self) -> list[dict[str, Any]]:
        """What is measured of single cells as sound."""
        return list(sound_faithfulness.measure_cells(self.explanation))

    def mixes(self, methods: tuple[str, ...]) -> list[dict[str, Any]]:
        """Where the maps find the other clip, laid over this one; nothing if there is none."""
        if self.other is None:
            return []
        bed, over = (self._waveform(clip) for clip in (self.clip, self.other))
        return localisation.measure_mix(self.tagger, bed, over, methods=methods, seed=self.config.seed + self.number)

    def _tag(self, clip: Clip) -> TagPrediction:
        return self.tagger.tag(clip.path, start_s=clip.start_s, duration_s=self._duration_s(clip))

    def _waveform(self, clip: Clip) -> np.ndarray:
        rate, duration_s = self.tagger.checkpoint.mel_config.sample_rate, self._duration_s(clip)
        return read_recording(clip.path, sample_rate=rate, start_s=clip.start_s, duration_s=duration_s).waveform

    def _duration_s(self, clip: Clip) -> float:
        window_s = self.tagger.checkpoint.mel_config.window_s
        return min(window_s, clip.duration_s or window_s)

    def _mel(self, prediction: TagPrediction) -> np.ndarray:
        """(F, L) of the first window."""
        if prediction.mel is None:
            raise MsecnnError(f"{self.tagger.name} takes waveforms and has no scales, so it cannot be explained.")
        mel: np.ndarray = prediction.mel[0]
        return mel
