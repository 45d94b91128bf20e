"""Why one model gives one tag to one window: the one entry to explanations, whose parts are computed when asked for.

Axis letters: T samples, F mel bands, L frames.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn import audio
from msecnn.checkpoint import Checkpoint
from msecnn.explain import (
    BASELINES,
    DEFAULT_BASELINE,
    DEFAULT_FILL,
    DEFAULT_METHOD,
    METHODS,
    TOP_SHARE,
    ExplanationError,
)
from msecnn.explain.block_events import Absence, BlockEvent, BlockSums, absences, block_events, block_sums
from msecnn.explain.cell_evidence import Evidence, evidence
from msecnn.explain.choices import choose, choose_tag, choose_window, most_probable_window
from msecnn.explain.contributions import Contributions, contributions, with_scales
from msecnn.explain.explanation_json import explanation_json
from msecnn.explain.minimal import Louder, MinimalPart, louder, smallest_cut, smallest_sound
from msecnn.explain.progress import Progress
from msecnn.explain.scale_split import ScaleSplit
from msecnn.explain.sonification import sonify
from msecnn.frontend import MelConfig
from msecnn.tagger import UNTRAINED, Tagger, TagPrediction

if TYPE_CHECKING:
    from msecnn.explain.faithfulness_card import Verdict
    from msecnn.explain.saliency import SaliencyMaps

#: Of the maps whose blocks are the evidence: they add up to the logit's change, through all levels.
EVIDENCE_METHOD = "shapley"


@dataclass(frozen=True)
class Explanation:
    """All that is known of why a tag was given; each part is computed when it is first asked for, and kept.

    Only the maps, their verdict and the sounds need Captum; nothing else imports it.

    Attributes:
        tagger: the model that is explained.
        prediction: what it said, with its mels.
        tag_index: the tag.
        window: number of the window.
        method, baseline: of the maps.
        recording: where the window's sound is read from; None where nobody will ask for sounds.
        name: what the answer calls the recording.
        progress, cancelled: told and asked while the maps are computed.
    """

    tagger: Tagger
    prediction: TagPrediction
    tag_index: int
    window: int
    method: str
    baseline: str
    recording: audio.Source | None = None
    name: str = ""
    progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        return self.tagger.checkpoint

    @property
    def mel_config(self) -> MelConfig:
        return self.checkpoint.mel_config

    @property
    def tag(self) -> str:
        return self.prediction.tags[self.tag_index]

    @property
    def start_s(self) -> float:
        """Where the window stands in the recording."""
        return float(self.prediction.window_starts_s[self.window])

    @property
    def probability(self) -> float:
        return float(self.prediction.window_probabilities[self.window, self.tag_index])

    @property
    def logit(self) -> float:
        return float(self.contributions.logits[0, self.tag_index])

    @property
    def mel(self) -> np.ndarray:
        """(F, L) the window's log-mel in dB."""
        assert self.prediction.mel is not None  # `explain` has looked
        mel: np.ndarray = self.prediction.mel[self.window]
        return mel

    @cached_property
    def waveform(self) -> np.ndarray:
        """(T,) the window's sound at the front end's sample rate."""
        if self.recording is None:
            raise ExplanationError("An explanation has sounds only if it was asked for with its recording.")
        config = self.mel_config
        window = audio.read_recording(
            self.recording, sample_rate=config.sample_rate, start_s=self.start_s, duration_s=config.window_s
        )
        return window.waveform[: config.window_samples]

    @cached_property
    def contributions(self) -> Contributions:
        """All tags' logits of this window taken apart by scale: W = 1. Exact."""
        features = {scale: values[self.window][None] for scale, values in self.prediction.features.items()}
        checkpoint = self.checkpoint
        return contributions(self.tagger.model, features, mean_features=checkpoint.mean_features, tags=checkpoint.tags)

    @property
    def split(self) -> ScaleSplit:
        """What each scale adds to the tag. Exact."""
        return ScaleSplit(self.prediction, self.tag_index, self.window, self.contributions)

    @cached_property
    def evidence(self) -> Evidence:
        """The cell of its level's map that decided each feature: the exact inner view."""
        return evidence(
            self.tagger.model,
            self.mel,
            self.tag_index,
            mel_config=self.mel_config,
            mean_features=self.checkpoint.mean_features,
            window_start_s=self.start_s,
        )

    @cached_property
    def block_sums(self) -> BlockSums:
        """What blocks of the spectrogram add to the logit's change from the clip's mean, presence and absence apart."""
        return block_sums(self.complete_maps, self.mel, self._reference)

    @cached_property
    def presence(self) -> np.ndarray:
        """(S, F, L) the complete maps where the window lies above the clip's mean: something is there; 0 elsewhere."""
        present: np.ndarray = self.complete_maps.maps * (self.mel > self._reference)
        return present

    @cached_property
    def _reference(self) -> np.ndarray:
        """(F, L) what presence is measured from."""
        from msecnn.explain.baselines import baseline_mel

        return baseline_mel(self.tagger.model, self.mel, DEFAULT_BASELINE, self.mel_config).numpy()

    @cached_property
    def events(self) -> tuple[BlockEvent, ...]:
        """What is there and speaks for the tag, strongest first; each scale's events cover 5 % of the cells at most."""
        return block_events(self.block_sums, self.mel_config, window_start_s=self.start_s)

    @cached_property
    def events_against(self) -> tuple[BlockEvent, ...]:
        """What is there and speaks against the tag, strongest first."""
        return block_events(self.block_sums, self.mel_config, sign=-1, window_start_s=self.start_s)

    @cached_property
    def absences(self) -> tuple[Absence, ...]:
        """Channels that speak for the tag by what they did not find, strongest first; none without an average clip."""
        return absences(self.evidence.cells) if self.contributions.mean_known else ()

    @cached_property
    def smallest_sound(self) -> MinimalPart:
        """The smallest sound found that keeps the tag; needs the recording."""
        return smallest_sound(self)

    @cached_property
    def smallest_cut(self) -> MinimalPart | None:
        """The smallest cut found that loses the tag, None if none does; needs the recording."""
        return smallest_cut(self)

    @cached_property
    def louder(self) -> Louder | None:
        """What would have to be louder for the tag, None if nothing."""
        return louder(self)

    @cached_property
    def maps(self) -> "SaliencyMaps":
        """Signed maps (S, F, L) of the chosen method. Estimated."""
        from msecnn.explain.saliency import saliency

        return saliency(
            self.tagger.model,
            self.mel,
            self.tag_index,
            method=self.method,
            baseline=self.baseline,
            mel_config=self.mel_config,
            progress=self.progress,
            cancelled=self.cancelled,
        )

    @cached_property
    def complete_maps(self) -> "SaliencyMaps":
        """The maps that events and sounds are made of: always the same, so that they do not change with the method."""
        if (self.method, self.baseline) == (EVIDENCE_METHOD, DEFAULT_BASELINE):
            return self.maps
        return replace(self, method=EVIDENCE_METHOD, baseline=DEFAULT_BASELINE, progress=None).maps

    @property
    def verdict(self) -> "Verdict":
        """What was measured of the method, for these weights."""
        from msecnn.explain.faithfulness_card import verdicts

        return verdicts(self.checkpoint)[self.method]

    def sound(
        self, name: str, *, share: float = TOP_SHARE, fill: str = DEFAULT_FILL, equal_loudness: bool = True
    ) -> np.ndarray:
        """(T,) the window with only a part of it to be heard; see `sonification.sonify`."""
        return sonify(self, name, share=share, fill=fill, equal_loudness=equal_loudness)

    @property
    def title(self) -> str:
        return f"{self.tag} in {self.prediction.model}: {Path(self.name).name}"

    @property
    def sentence(self) -> str:
        """What was asked and answered, in words."""
        return self.split.sentence

    @property
    def warnings(self) -> list[str]:
        """What a reader must know first."""
        warnings = list(self.prediction.notes)
        if self.prediction.untrained:
            warnings.insert(0, UNTRAINED.format(model=self.prediction.model))
        if not self.verdict.faithful:
            warnings.append(f"{self.method.replace('_', ' ').capitalize()}: {self.verdict.sentence}")
        return warnings

    def to_json(self) -> dict[str, Any]:
        """The answer as plain values; see `explanation_json`."""
        return explanation_json(self)


def explain(
    tagger: Tagger,
    prediction: TagPrediction,
    tag: str | None = None,
    window: int | None = None,
    *,
    method: str = DEFAULT_METHOD,
    baseline: str = DEFAULT_BASELINE,
    recording: audio.Source | None = None,
    name: str = "",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Explanation:
    """Why `tagger` gave `tag` to one window. Nothing is computed yet: the result's parts are, when asked for.

    Args:
        tagger: with a convolutional network with scales.
        prediction: what it said of a recording.
        tag: which; the most probable one by default.
        window: its number; where the tag is most probable by default.
        method: of the maps, one of `METHODS`.
        baseline: what the maps measure from, one of `BASELINES`.
        recording: the recording again, for sounds.
        name: what the answer calls the recording.
        progress: called with the share of the maps that is done.
        cancelled: asked while the maps are computed; true stops with `Cancelled`.

    Raises:
        ExplanationError: the model has no scales, or there is no such tag, window, method or baseline.
    """
    with_scales(tagger.model)
    if prediction.mel is None:
        raise ExplanationError("This prediction was made without keeping its spectrograms: tag with keep_mel.")
    tag_index = choose_tag(prediction, tag)
    return Explanation(
        tagger,
        prediction,
        tag_index,
        most_probable_window(prediction, tag_index) if window is None else choose_window(prediction, window),
        choose(method, "method", METHODS),
        choose(baseline, "baseline", BASELINES),
        recording,
        name,
        progress,
        cancelled,
    )
