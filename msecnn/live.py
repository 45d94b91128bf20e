"""Tags of a sound that goes on: what networks say of its last seconds, each time that more of it was heard.

What they are given is the sound since some moment as if it were a short recording, repeated up to a full window. It is
never longer than what reaches every scale, for the last frames of a full window hardly do: so the newest sound counts
at once. The moment moves on in steps; between two of them only what the newest frames reach is computed.

Axis letters: T samples, F mel bands, L frames of a window, S scales, K tags.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from msecnn.errors import MsecnnError
from msecnn.explain.contributions import contributions
from msecnn.explain.winning_cells import receptive_ends
from msecnn.frontend import LogMelSpectrogram, fill_window
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.fast.incremental import IncrementalNetwork
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.lock import MODEL_LOCK
from msecnn.runtimes.torch_runtime import TorchRuntime
from msecnn.statistics import sigmoid
from msecnn.tagger import Tagger

#: Frames by which the beginning of what is tagged moves on, as the first three levels pool them to one: 1.4 s.
STEP = 64


@dataclass(frozen=True)
class LiveTags:
    """What one model says now.

    Attributes:
        model: its name.
        tags: K names.
        probabilities: (K,).
        leading: number of the most probable tag.
        scales: S names.
        relative: (S,) what each scale adds to the leading tag's logit, from the average clip's; exact.
    """

    model: str
    tags: tuple[str, ...]
    probabilities: np.ndarray
    leading: int
    scales: tuple[str, ...]
    relative: np.ndarray


@dataclass(frozen=True)
class LiveAnswer:
    """What was heard and what the models say of it.

    Attributes:
        heard_s: seconds since the beginning.
        tagged_s: the last seconds, of which the tags are.
        mel: (F, n) dB of the frames that are new since the last answer.
        models: in the taggers' order.
    """

    heard_s: float
    tagged_s: float
    mel: np.ndarray
    models: tuple[LiveTags, ...]


class LiveTagger:
    """Takes a sound as it comes, and says what the networks make of its last seconds; its memory does not grow.

    Args:
        taggers: with scales and the same front end; see `can_hear`.

    Attributes:
        longest: most samples that are tagged.
    """

    def __init__(self, taggers: Sequence[Tagger]) -> None:
        config = taggers[0].input_spec.front_end
        if config is None or not all(can_hear(tagger, taggers[0]) for tagger in taggers):
            raise MsecnnError("Only networks with scales and the same spectrogram can listen together.")
        self.taggers, self.config = tuple(taggers), config
        self.device = taggers[0].device
        self.frontend = LogMelSpectrogram(config).to(self.device)
        self.longest = longest_frames(taggers) * config.hop_length
        self._sound = np.empty(0, np.float32)
        self._n_dropped = self._n_told = 0  # samples before what is tagged, frames that were answered
        self._mel: Tensor | None = None  # (1, 1, F, L) of the last answer, which had so many samples
        self._n_before = 0
        self._networks: tuple[IncrementalNetwork, ...] = ()

    def add(self, waveform: np.ndarray) -> None:
        """Takes more of the sound, (T,) at the front end's sample rate."""
        step = STEP * self.config.hop_length
        self._sound = np.concatenate([self._sound, waveform])
        n_steps = max(0, -(-(len(self._sound) - self.longest) // step))
        if n_steps:
            self._sound = self._sound[n_steps * step :].copy()
            self._n_dropped += n_steps * step
            self._mel, self._networks = None, ()

    def answer(self) -> LiveAnswer:
        """What the networks say now.

        Raises:
            MsecnnError: nothing was heard yet.
        """
        if not len(self._sound):
            raise MsecnnError("Nothing was heard yet.")
        with MODEL_LOCK, torch.inference_mode():
            mel = self._spectrogram()
            features = self._features(mel)
        rate = self.config.sample_rate
        return LiveAnswer(
            heard_s=(self._n_dropped + len(self._sound)) / rate,
            tagged_s=len(self._sound) / rate,
            mel=self._new_frames(mel),
            models=tuple(_tags(tagger, one) for tagger, one in zip(self.taggers, features, strict=True)),
        )

    @property
    def n_bytes(self) -> int:
        """What it holds in memory."""
        maps = [level_map for network in self._networks for level_map in network.maps.values()]
        held = [*maps, *([] if self._mel is None else [self._mel])]
        return self._sound.nbytes + sum(tensor.numel() * tensor.element_size() for tensor in held)

    def _spectrogram(self) -> Tensor:
        """(1, 1, F, L) of the window, computed from the first frame that new samples reach."""
        config, n_samples = self.config, len(self._sound)
        window = torch.from_numpy(fill_window(self._sound, config.window_samples)).to(self.device)
        half = config.n_fft // 2
        first = max(0, (self._n_before - half) // config.hop_length) if self._mel is not None else 0
        if config.top_db is not None:  # every frame depends on the loudest
            first = 0
        n_before = min(first, -(-half // config.hop_length))  # frames that give the first its left half
        new = self.frontend(window[None, (first - n_before) * config.hop_length :])[..., n_before:]
        known = new[..., :0] if self._mel is None else self._mel[..., :first]
        self._mel, self._n_before = torch.cat([known, new], dim=-1), n_samples
        return self._mel

    def _features(self, mel: Tensor) -> list[dict[str, Tensor]]:
        """Of each network for each scale its (1, C)."""
        if not self._networks:
            self._networks = tuple(IncrementalNetwork(_fast(tagger), mel) for tagger in self.taggers)
        return [network.features(mel) for network in self._networks]

    def _new_frames(self, mel: Tensor) -> np.ndarray:
        """(F, n): the frames whose samples have all been heard by now, and had not at the last answer."""
        config, n_heard = self.config, self._n_dropped + len(self._sound)
        before = self._n_dropped // config.hop_length
        first, end = self._n_told, max(self._n_told, (n_heard - config.n_fft // 2) // config.hop_length + 1)
        self._n_told = end
        columns: np.ndarray = mel[0, 0, :, max(0, first - before) : end - before].cpu().numpy().copy()
        return columns


def longest_frames(taggers: Sequence[Tagger]) -> int:
    """Most frames that are tagged: as many as reach every scale of every network."""
    networks = [_network(tagger) for tagger in taggers]
    ends = [end for network in networks for end in receptive_ends(network).values()]
    return min(*ends, *(network.structure.n_frames - 1 for network in networks))


def can_hear(tagger: Tagger, like: Tagger) -> bool:
    """Whether a tagger has scales, and takes the same spectrogram as another."""
    return isinstance(tagger.model, MultiScaleCNN) and tagger.input_spec == like.input_spec


def _network(tagger: Tagger) -> MultiScaleCNN:
    assert isinstance(tagger.model, MultiScaleCNN)
    return tagger.model


def _fast(tagger: Tagger) -> FoldedNetwork:
    fast = tagger.runtime.fast if isinstance(tagger.runtime, TorchRuntime) else None
    assert fast is not None
    return fast


def _tags(tagger: Tagger, features: dict[str, Tensor]) -> LiveTags:
    checkpoint = tagger.checkpoint
    split = contributions(tagger.model, features, mean_features=checkpoint.mean_features, tags=checkpoint.tags)
    leading = int(split.logits[0].argmax())
    return LiveTags(
        model=tagger.name,
        tags=checkpoint.tags,
        probabilities=sigmoid(split.logits[0]),
        leading=leading,
        scales=split.scales,
        relative=split.relative[0, :, leading],
    )
