"""The one inference path: any recording to tag probabilities, window by window; page, command line and tests use it.

A recording is decoded once, as a stream; each window's mel is computed once and shown to every model that shares the
front end. Memory holds one window of sound and, if asked for, the mels.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn.audio import AudioStream, Recording, Source
from msecnn.checkpoint import Checkpoint, load
from msecnn.errors import MsecnnError
from msecnn.familiarity import NARROW, UNFAMILIAR, Familiarity, is_narrow, read_familiarity
from msecnn.frontend import InputSpec, fill_window
from msecnn.runtimes import make_runtime
from msecnn.statistics import sigmoid

if TYPE_CHECKING:
    import torch

    from msecnn.models.tagging_model import TaggingModule

#: A path, the bytes of a file, a loaded `Recording`, or a waveform array with its sample rate in Hz.
Tagged = Source | Recording | tuple[np.ndarray, int]
#: Less than this, in seconds, left over at the end is no window of its own: codecs pad a recording by a part of a frame
#: (MP3 at 16 kHz: 0.07 s), and MagnaTagATune's clips of 29.124 s are meant to be one window.
LEFTOVER_S = 0.1
#: Of a recording's answer as JSON. Rises when a key changes its meaning or goes.
SCHEMA = 1
#: What must be said beside the numbers of a model whose weights are random.
UNTRAINED = "{model} has random weights: its numbers mean nothing until a trained checkpoint takes its place."


@dataclass(frozen=True)
class TagPrediction:
    """What one model says of one recording.

    Attributes:
        model: the checkpoint's name.
        tags: K names.
        probabilities: (K,) mean over the windows.
        window_probabilities: (W, K).
        window_logits: (W, K).
        window_starts_s: (W,) seconds into the recording.
        window_s: seconds of sound that one window stands for; less than the network's where a short recording was
            repeated to fill it.
        features: for each scale the (W, C) values that reach the classifier; empty for models without scales.
        mel: (W, F, L) log-mel in dB, or None where it was not kept.
        duration_s: seconds of the whole recording.
        notes: sentences: what was resampled, mixed, cut, repeated, or is silent.
        untrained: the model's weights are random, and its numbers mean nothing.
    """

    model: str
    tags: tuple[str, ...]
    probabilities: np.ndarray
    window_probabilities: np.ndarray
    window_logits: np.ndarray
    window_starts_s: np.ndarray
    window_s: float
    features: dict[str, np.ndarray]
    mel: np.ndarray | None
    duration_s: float
    notes: tuple[str, ...]
    untrained: bool

    @property
    def windows(self) -> list[list[float]]:
        """Start and end of each window in seconds."""
        return [[round(float(start), 3), round(float(start) + self.window_s, 3)] for start in self.window_starts_s]

    def top(self, n: int) -> list[tuple[str, float]]:
        """The n most probable tags with their probabilities."""
        order = np.argsort(-self.probabilities, kind="stable")[:n]
        return [(self.tags[k], float(self.probabilities[k])) for k in order]

    def to_json(self) -> dict[str, Any]:
        """All tags by name, and the timeline (W, K) in the tags' order."""
        probabilities = (round(float(p), 6) for p in self.probabilities)
        result: dict[str, Any] = {
            "tags": dict(zip(self.tags, probabilities, strict=True)),
            "timeline": np.round(self.window_probabilities.astype(float), 6).tolist(),
        }
        return result | {"untrained": True} if self.untrained else result


class Tagger:
    """A checkpoint on a runtime and a device, ready to tag; safe to call from several threads.

    Args:
        checkpoint: the model with its front end and vocabulary.
        device: where to run; a GPU if there is one, else the CPU.
        dtype: "float32", or "bfloat16" for processors and GPUs with instructions for it.
        runtime: "torch", or "onnx", which needs no torch; torch if None and it is installed.
        n_threads: on a CPU; as many as there are cores if None.

    Attributes:
        runtime: what runs the network.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: "str | torch.device | None" = None,
        dtype: str = "float32",
        runtime: str | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.runtime = make_runtime(checkpoint, runtime, device=device, dtype=dtype, n_threads=n_threads)

    @classmethod
    def from_checkpoint(cls, name_or_path: str | Path, **options: Any) -> "Tagger":
        """Loads a bundled checkpoint by name, or any by its folder; raises CheckpointError. Options: the class's."""
        return cls(load(name_or_path), **options)

    @property
    def name(self) -> str:
        return self.checkpoint.name

    @functools.cached_property
    def familiarity(self) -> Familiarity | None:
        """Where the training clips lie among the features, if the checkpoint knows."""
        return read_familiarity(self.checkpoint.folder, str(self.checkpoint.card.get("sha256")))

    def tag(self, recording: Tagged, **options: Any) -> TagPrediction:
        """Tags one recording; the options are those of the function `tag`."""
        return tag(recording, [self], **options)[0]

    @property
    def input_spec(self) -> InputSpec:
        """What the model takes; taggers that take the same share it."""
        return self.runtime.input_spec

    @property
    def model(self) -> "TaggingModule":
        """The network as the paper draws it, by torch, for gradients and maps."""
        return self.checkpoint.model

    @property
    def device(self) -> "torch.device":
        """Where the network by torch is."""
        return next(self.model.parameters()).device

    def run(self, inputs: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Logits (B, K) and features of a batch of mels or waveforms, as arrays or what the runtime makes of them."""
        return self.runtime.run(inputs)


def tag(
    recording: Tagged,
    taggers: Sequence[Tagger],
    *,
    hop_s: float | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    keep_mel: bool = True,
    progress: Callable[[float, float | None], None] | None = None,
) -> list[TagPrediction]:
    """Tags one recording with several models, decoded once for those that share their input.

    Windows start every `hop_s` seconds. The last one is moved back so that it is full, unless less than `LEFTOVER_S` is
    left for it. A recording shorter than a window is repeated up to it; the notes say so.

    Args:
        hop_s: seconds from one window's start to the next; a window's own length by default.
        start_s, duration_s: the part to tag; all by default.
        keep_mel: keep each window's mel in the result (0.5 MB a window).
        progress: called with seconds tagged so far, and of the whole where its header tells.

    Returns:
        One prediction for each tagger, in their order.

    Raises:
        AudioError: the recording cannot be used.
    """
    if hop_s is not None and not 0.01 <= hop_s < float("inf"):
        raise MsecnnError(f"The hop must be at least 0.01 seconds, not {hop_s:g}.")
    predictions: dict[int, TagPrediction] = {}
    part = (start_s, duration_s)
    inputs = [(tagger.input_spec, tagger.runtime.name) for tagger in taggers]
    for spec, runtime in dict.fromkeys(inputs):
        group = [i for i, of_tagger in enumerate(inputs) if of_tagger == (spec, runtime)]
        predictor = _Predictor([taggers[i] for i in group], spec, keep_mel)
        predictions |= dict(zip(group, predictor.predict(recording, hop_s, part, progress), strict=True))
    return [predictions[i] for i in range(len(taggers))]


def answer_json(file: str, predictions: Sequence[TagPrediction]) -> dict[str, Any]:
    """One recording's answer in the schema that command line, page and programs share."""
    first = predictions[0]
    return {
        "schema": SCHEMA,
        "file": file,
        "duration_s": round(first.duration_s, 3),
        "notes": list(dict.fromkeys(note for prediction in predictions for note in prediction.notes)),
        "windows": first.windows,
        "models": {prediction.model: prediction.to_json() for prediction in predictions},
    }


class _Predictor:
    """Takes one recording through several models that share their input, a batch of windows at a time."""

    def __init__(self, taggers: Sequence[Tagger], spec: InputSpec, keep_mel: bool) -> None:
        self.taggers = taggers
        self.sample_rate, self.window_samples = spec.sample_rate, spec.window_samples
        self.takes_mel = spec.front_end is not None
        self.keep_mel = keep_mel and self.takes_mel
        self.mels: list[np.ndarray] = []
        self.band_power: list[np.ndarray] = []  # (F,) mean of each band, of each batch of windows
        self.logits: list[list[np.ndarray]] = [[] for _ in taggers]
        self.features: list[list[dict[str, np.ndarray]]] = [[] for _ in taggers]

    def predict(
        self,
        recording: Tagged,
        hop_s: float | None,
        part: tuple[float, float | None],
        progress: Callable[[float, float | None], None] | None,
    ) -> list[TagPrediction]:
        hop = self.window_samples if hop_s is None else max(1, round(hop_s * self.sample_rate))
        starts: list[int] = []
        batch: list[np.ndarray] = []
        batch_size = self.taggers[0].runtime.batch_size
        with _open(recording, self.sample_rate, *part) as stream:
            cutter = _WindowCutter(stream, self.window_samples, hop, leftover=round(LEFTOVER_S * self.sample_rate))
            for start, window in cutter:
                starts.append(start)
                batch.append(window)
                if len(batch) == batch_size:
                    self._run(batch)
                    batch = []
                if progress is not None:
                    progress(start / self.sample_rate, stream.info.duration_s)
            if batch:
                self._run(batch)
            notes = (*_own_notes(recording), *stream.notes, *cutter.notes(self.sample_rate))
            if self.band_power and is_narrow(np.mean(self.band_power, axis=0)):
                notes = (*notes, NARROW)
            duration_s, start_s = stream.measured_duration_s(), stream.start_s
        if isinstance(recording, Recording):
            duration_s, start_s = recording.duration_s, start_s + recording.start_s
        window_s = min(self.window_samples, cutter.n_samples) / self.sample_rate
        starts_s = start_s + np.array(starts) / self.sample_rate
        mel = np.concatenate(self.mels) if self.keep_mel else None
        return [
            self._prediction(i, starts_s, window_s, mel=mel, duration_s=duration_s, notes=notes)
            for i in range(len(self.taggers))
        ]

    def _run(self, windows: list[np.ndarray]) -> None:
        runtime = self.taggers[0].runtime
        inputs = runtime.prepare(np.stack(windows))  # (B, 1, F, L) or (B, T)
        if self.takes_mel:
            self.band_power.append(runtime.band_power(inputs))
        if self.keep_mel:
            self.mels.append(runtime.as_array(inputs)[:, 0])
        for i, tagger in enumerate(self.taggers):
            logits, features = tagger.run(inputs)
            self.logits[i].append(logits)
            self.features[i].append(features)

    def _prediction(
        self,
        i: int,
        starts_s: np.ndarray,
        window_s: float,
        *,
        mel: np.ndarray | None,
        duration_s: float,
        notes: tuple[str, ...],
    ) -> TagPrediction:
        checkpoint = self.taggers[i].checkpoint
        logits = np.concatenate(self.logits[i])  # (W, K)
        if not np.isfinite(logits).all():
            raise MsecnnError(f"{checkpoint.name} computes no numbers here: its weights are damaged.")
        probabilities = sigmoid(logits)
        features = {scale: np.concatenate([f[scale] for f in self.features[i]]) for scale in self.features[i][0]}
        familiarity = self.taggers[i].familiarity
        if familiarity is not None and familiarity.is_unfamiliar(features):
            notes = (*notes, UNFAMILIAR)
        return TagPrediction(
            model=checkpoint.name,
            tags=checkpoint.tags,
            probabilities=probabilities.mean(0),
            window_probabilities=probabilities,
            window_logits=logits,
            window_starts_s=starts_s,
            window_s=window_s,
            features=features,
            mel=mel,
            duration_s=duration_s,
            notes=notes,
            untrained=checkpoint.untrained,
        )


class _WindowCutter:
    """Cuts a stream of blocks into windows, in one buffer of two windows' length whatever the recording's."""

    def __init__(self, blocks: Iterable[np.ndarray], window_samples: int, hop: int, *, leftover: int) -> None:
        self.blocks, self.window_samples, self.hop, self.leftover = blocks, window_samples, hop, leftover
        self.n_samples = 0
        self.moved_back = False

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        length = self.window_samples
        buffer = np.empty(2 * length, dtype=np.float32)  # samples `first` to `n_samples` of the stream
        first = start = 0
        for piece in self._pieces():
            if self.n_samples - first + len(piece) > len(buffer):
                keep = min(start, self.n_samples - length)
                buffer[: self.n_samples - keep] = buffer[keep - first : self.n_samples - first].copy()
                first = keep
            buffer[self.n_samples - first :][: len(piece)] = piece
            self.n_samples += len(piece)
            while start + length <= self.n_samples:
                yield start, buffer[start - first :][:length].copy()
                start += self.hop
        unheard = self.n_samples - (start - self.hop + length if start else 0)
        if start < self.n_samples and unheard >= (self.leftover if start else 1):  # another is due, and has new sound
            last = max(0, self.n_samples - length)
            self.moved_back = last > 0
            yield last, fill_window(buffer[last - first : self.n_samples - first], length)

    def _pieces(self) -> Iterator[np.ndarray]:
        """The blocks, none longer than a window."""
        for block in self.blocks:
            for i in range(0, len(block), self.window_samples):
                yield block[i : i + self.window_samples]

    def notes(self, sample_rate: int) -> tuple[str, ...]:
        """What was done to fit the windows."""
        window_s, length_s = self.window_samples / sample_rate, self.n_samples / sample_rate
        if self.n_samples < self.window_samples:
            return (f"The sound lasts {length_s:.1f} s and was repeated to fill the {window_s:.1f} s of a window.",)
        if self.moved_back:
            return (f"The last window was moved back to {length_s - window_s:.1f} s, so that it is full.",)
        return ()


def _open(recording: Tagged, sample_rate: int, start_s: float, duration_s: float | None) -> AudioStream:
    part: dict[str, Any] = {"sample_rate": sample_rate, "start_s": start_s, "duration_s": duration_s}
    if isinstance(recording, Recording):
        return AudioStream(recording.waveform, source_sample_rate=recording.sample_rate, **part)
    if isinstance(recording, tuple):
        return AudioStream(recording[0], source_sample_rate=recording[1], **part)
    return AudioStream(recording, **part)


def _own_notes(recording: Tagged) -> tuple[str, ...]:
    return recording.notes if isinstance(recording, Recording) else ()
