"""What can be seen of a system without scales: how its logit answers when cells of the spectrogram change.

Captum's `Saliency` and `Occlusion` on the network itself, from mels in dB on, whatever it makes of them. Where its
window is a patch, each patch of the stretch that is looked at has a map of its own; they stand side by side.

Axis letters: F mel bands, L frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import Occlusion, Saliency
from torch import Tensor

from msecnn.explain import ExplanationError
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.choices import choose, choose_tag
from msecnn.explain.progress import Progress, Steps
from msecnn.explain.saliency import PATCH, SaliencyMaps, count_patches
from msecnn.frontend import MelConfig
from msecnn.models.lock import MODEL_LOCK
from msecnn.statistics import sigmoid
from msecnn.tagger import Tagger, TagPrediction

#: Methods that need nothing of a network but its logit; the first is the default.
PLAIN_METHODS = ("gradient_x_input", "gradient", "occlusion")
#: What the one map is called, where networks with scales have a name for each.
WHOLE = "whole network"
CANNOT = (
    "It has no scales, so its logit is no sum of steps: there are no exact contributions, no deciding cells, no sounds "
    "of the evidence and no check. The map below shows how the logit answers to the spectrogram."
)


@dataclass(frozen=True)
class Grid:
    """The cells on which maps are wanted: those of another spectrogram of the same stretch.

    Attributes:
        config: its front end.
        start_s: where in the recording it begins.
    """

    config: MelConfig
    start_s: float


@dataclass(frozen=True)
class WholeNetwork:
    """One tag of one system in one stretch of a recording.

    Attributes:
        tag_index: the tag.
        windows: numbers of the prediction's windows that begin in the stretch, or before its first one ends.
        grid: the stretch's spectrogram.
    """

    tagger: Tagger
    prediction: TagPrediction
    tag_index: int
    windows: tuple[int, ...]
    grid: Grid

    @classmethod
    def of(cls, tagger: Tagger, prediction: TagPrediction, tag: str, grid: Grid) -> "WholeNetwork":
        """Raises ExplanationError: there is no such tag, or the system takes waveforms."""
        if prediction.mel is None or tagger.input_spec.front_end is None:
            raise ExplanationError(f"{prediction.model} takes waveforms, so there is no spectrogram to point at.")
        starts, ends = prediction.window_starts_s, prediction.window_starts_s + prediction.window_s
        inside = (ends > grid.start_s + TOUCHING_S) & (starts < grid.start_s + grid.config.window_s - TOUCHING_S)
        return cls(tagger, prediction, choose_tag(prediction, tag), tuple(np.flatnonzero(inside)), grid)

    @property
    def probability(self) -> float:
        """The mean over the stretch's windows."""
        return float(sigmoid(self.prediction.window_logits[list(self.windows), self.tag_index]).mean())

    def maps(
        self,
        method: str,
        baseline: str,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> SaliencyMaps:
        """One signed map (1, F, L) on the grid; a method that only networks with scales know is the first of ours.

        Raises:
            ExplanationError: there is no such baseline, or none for this system.
            Cancelled: as asked.
        """
        method = choose(method, "method", PLAIN_METHODS) if method in PLAIN_METHODS else PLAIN_METHODS[0]
        if baseline == "training_mean":
            raise ExplanationError(
                f"{self.prediction.model} keeps no mean of its training clips: measure from another."
            )
        config = self.tagger.checkpoint.mel_config
        n_runs = count_patches((config.n_mels, config.n_frames)) if method == "occlusion" else 1
        steps = Steps(n_runs * len(self.windows), progress, cancelled)
        total = np.zeros((self.grid.config.n_mels, self.grid.config.n_frames), np.float32)
        for window in self.windows:
            map_of_window = self._map(window, method, baseline, steps)
            start_s = float(self.prediction.window_starts_s[window])
            total = np.where(total == 0, on_grid(map_of_window, config, start_s, self.grid), total)
        measured_from = None if method == "gradient" else baseline
        return SaliencyMaps(method, measured_from, self.tag_index, (WHOLE,), total[None], None, None)

    def _map(self, window: int, method: str, baseline: str, steps: Steps) -> np.ndarray:
        """(F, L) of one window, on its own cells."""
        model, config = self.tagger.model, self.tagger.checkpoint.mel_config
        assert self.prediction.mel is not None
        mel = self.prediction.mel[window]
        x = torch.from_numpy(np.array(mel, np.float32))[None, None].to(self.tagger.device)
        reference = baseline_mel(model, mel, baseline, config).to(x.device)[None, None]

        def logit(inputs: Tensor) -> Tensor:
            with MODEL_LOCK:
                logits: Tensor = model(inputs)[:, self.tag_index]
            if method == "occlusion":
                steps.step()
            return logits

        if method == "occlusion":
            shape = (1, *PATCH)
            with torch.no_grad():
                found = Occlusion(logit).attribute(x, sliding_window_shapes=shape, strides=shape, baselines=reference)
        else:
            found = Saliency(logit).attribute(x.requires_grad_(), abs=False)
            found = found * (x.detach() - reference) if method == "gradient_x_input" else found
            steps.step()
        attributions: np.ndarray = found[0, 0].detach().cpu().numpy()
        return attributions


#: Windows that share no more than this with a stretch are not of it, seconds.
TOUCHING_S = 0.05


def on_grid(values: np.ndarray, config: MelConfig, start_s: float, grid: Grid) -> np.ndarray:
    """A map (F, L) of one spectrogram on the cells of another: each gets the value of the cell that it lies in.

    Zero where the first spectrogram has nothing. Cells are as large as they are: a map's sum is not kept.
    """
    if config == grid.config and start_s == grid.start_s:
        return values
    edges = config.band_edges_hz()
    centres_hz = grid.config.band_edges_hz()[:, 1]
    bands = np.abs(edges[None, :, 1] - centres_hz[:, None]).argmin(1)
    heard = (centres_hz >= edges[0, 0]) & (centres_hz <= edges[-1, 2])
    times_s = grid.start_s + np.arange(grid.config.n_frames) / grid.config.frames_per_s
    frames = np.rint((times_s - start_s) * config.frames_per_s).astype(int)
    within = (frames >= 0) & (frames < values.shape[1])
    placed = values[bands][:, frames.clip(0, values.shape[1] - 1)]
    result: np.ndarray = np.where(heard[:, None] & within, placed, 0).astype(np.float32)
    return result
