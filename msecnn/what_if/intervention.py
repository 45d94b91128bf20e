"""Edit the sound, and read what both networks make of it: the one entry to what-if questions.

Axis letters: T samples, S scales, K tags.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from msecnn import audio
from msecnn.explain.progress import Progress
from msecnn.tagger import Tagged, Tagger, TagPrediction, tag
from msecnn.what_if.chain import LONGEST_S, Moved, apply_chain, check_length
from msecnn.what_if.change import ModelChange, mean_logits, mean_terms, model_change
from msecnn.what_if.channels import Side, read_channels
from msecnn.what_if.edit import Edit, EditError
from msecnn.what_if.evidence_change import EvidenceChange, evidence_change
from msecnn.what_if.response import ModelResponse, Response

#: Of an answer as JSON. Rises when a key changes its meaning or goes.
SCHEMA = 1


@dataclass(frozen=True)
class WhatIf:
    """A recording, or a part of it, before and after a chain of edits.

    Attributes:
        taggers: whose answers are compared.
        edits: in their order, in seconds of the recording.
        original: the sound before, mono at `sample_rate`; `start_s` is where the part begins.
        channels: (T,) or (2, T) what the edits were applied to.
        edited: (T,) the sound after.
        changes: by model, in the taggers' order.
        tag: whose evidence is compared; the most probable one of each model where none is named.
        name: what the answer calls the recording.
    """

    taggers: tuple[Tagger, ...]
    edits: tuple[Edit, ...]
    original: audio.Recording
    channels: np.ndarray = field(repr=False)
    edited: np.ndarray = field(repr=False)
    changes: tuple[ModelChange, ...]
    tag: str | None
    name: str

    @property
    def sample_rate(self) -> int:
        """Hz of both sounds."""
        return self.original.sample_rate

    @property
    def start_s(self) -> float:
        return self.original.start_s

    @property
    def duration_s(self) -> float:
        """Of the sound before."""
        return len(self.original.waveform) / self.sample_rate

    @cached_property
    def evidence(self) -> dict[str, EvidenceChange]:
        """For each model with scales, what vanished and appeared; takes as long as two explanations of each."""
        moved = Moved(self.edits, self.start_s, self.duration_s)
        pairs = zip(self.taggers, self.changes, strict=True)
        return {
            change.model: evidence_change(tagger, change, self.tag, moved) for tagger, change in pairs if change.scales
        }

    def response(
        self,
        edit: Edit,
        strengths: Sequence[float],
        *,
        progress: Progress | None = None,
        check: Callable[[], None] | None = None,
    ) -> Response:
        """How every tag and scale changes as the edit, added to the chain, grows: from the sound before.

        Args:
            edit: whose first parameter is varied; its others are kept.
            strengths: N values of it.
            progress: called with the share that is done.
            check: called before each edit; what it raises stops the curve.

        Raises:
            EditError: it has no strength, or one is out of its limits.
        """
        edits = [strengthened(edit, strength) for strength in strengths]
        after = []
        for done, changed in enumerate(edits, start=1):
            chain = _in_part((*self.edits, changed), self.start_s)
            sound = apply_chain(chain, self.channels, self.sample_rate, check=check)
            after.append(_tagged(self.taggers, _mono(sound), self.original, keep_mel=False))
            if progress is not None:
                progress(done / len(edits))
        models = {
            change.model: _curve(tagger, change.before, [predictions[i] for predictions in after])
            for i, (tagger, change) in enumerate(zip(self.taggers, self.changes, strict=True))
        }
        return Response(edit.name, edit.numbers()[0].metadata["unit"], tuple(strengths), models)

    def to_json(self, *, evidence: bool = True) -> dict[str, Any]:
        """The answer as plain values; without the evidence it is there at once."""
        notes = (note for change in self.changes for note in (*change.before.notes, *change.after.notes))
        answer: dict[str, Any] = {
            "schema": SCHEMA,
            "file": self.name,
            "part": [round(self.start_s, 3), round(self.start_s + self.duration_s, 3)],
            "duration_s": round(len(self.edited) / self.sample_rate, 3),
            "edits": [str(edit) for edit in self.edits],
            "notes": list(dict.fromkeys(notes)),
            "models": {change.model: change.to_json() for change in self.changes},
        }
        for model, change in self.evidence.items() if evidence else ():
            answer["models"][model]["evidence"] = change.to_json()
        return answer


def what_if(
    taggers: Sequence[Tagger],
    recording: Tagged,
    edits: Sequence[Edit],
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    tag: str | None = None,
    sample_rate: int | None = None,
    name: str = "",
    models: Sequence[str] | None = None,
    check: Callable[[], None] | None = None,
) -> WhatIf:
    """What taggers say of a recording before and after edits.

    The edits are made at the sample rate that the networks take, so that what is heard is what they are given.

    Args:
        taggers: at least one.
        recording: as `tagger.tag` takes it.
        edits: made in this order. Their seconds are the recording's; for an edit after one that moves time, they are
            those of the sound as it then is.
        start_s, duration_s: the part that is edited and tagged; all by default, which is at most ten minutes.
        tag: whose evidence is compared; the most probable one of each model by default.
        sample_rate: Hz at which the edits are made; the highest that a tagger takes by default.
        name: what the answer calls the recording.
        models: what it calls the taggers; by default their names.
        check: called before each edit; what it raises stops all.

    Raises:
        EditError: an edit cannot be made of this sound, or the part is too long.
        AudioError: the recording cannot be used.
    """
    rate = sample_rate or max(tagger.input_spec.sample_rate for tagger in taggers)
    part = {"start_s": start_s, "duration_s": min(duration_s or np.inf, LONGEST_S + 1)}
    original, channels = _read(recording, rate, part, both=any(isinstance(edit, Side) for edit in edits))
    check_length(len(original.waveform) / rate)
    edited = _mono(apply_chain(_in_part(edits, original.start_s), channels, rate, check=check))
    names = models or [tagger.name for tagger in taggers]
    before, after = (_named(_tagged(taggers, sound, original), names) for sound in (original.waveform, edited))
    changes = tuple(model_change(*pair) for pair in zip(taggers, before, after, strict=True))
    return WhatIf(tuple(taggers), tuple(edits), original, channels, edited, changes, tag, name or original.name)


def strengthened(edit: Edit, strength: float) -> Edit:
    """The edit with another value of its first parameter."""
    if not edit.numbers():
        raise EditError(f"{edit.name} has no strength that could be varied.")
    return replace(edit, **{edit.numbers()[0].name: strength})


def _read(recording: Tagged, rate: int, part: dict[str, Any], *, both: bool) -> tuple[audio.Recording, np.ndarray]:
    """The part in mono, and in two channels where they are asked for and there."""
    source: Any = recording
    if isinstance(recording, audio.Recording | tuple):
        samples, own_rate = recording if isinstance(recording, tuple) else (recording.waveform, recording.sample_rate)
        source, part = samples, part | {"source_sample_rate": own_rate}
    original = audio.read_recording(source, sample_rate=rate, **part)
    if isinstance(recording, audio.Recording):
        notes = (*recording.notes, *original.notes)
        original = replace(original, notes=notes, name=recording.name, start_s=recording.start_s + original.start_s)
    elif isinstance(recording, str | Path):
        original = replace(original, name=Path(recording).name)
    return original, read_channels(source, rate, both=True, **part) if both else original.waveform


def _in_part(edits: Sequence[Edit], start_s: float) -> list[Edit]:
    return [edit.starting_at(start_s) for edit in edits]


def _mono(sound: np.ndarray) -> np.ndarray:
    mean: np.ndarray = np.atleast_2d(sound).mean(0)
    return mean


def _tagged(
    taggers: Sequence[Tagger], waveform: np.ndarray, original: audio.Recording, *, keep_mel: bool = True
) -> list[TagPrediction]:
    return tag(replace(original, waveform=waveform), taggers, keep_mel=keep_mel)


def _named(predictions: Sequence[TagPrediction], names: Sequence[str]) -> list[TagPrediction]:
    return [replace(prediction, model=name) for prediction, name in zip(predictions, names, strict=True)]


def _curve(tagger: Tagger, before: TagPrediction, after: Sequence[TagPrediction]) -> ModelResponse:
    return ModelResponse(
        tags=before.tags,
        scales=tuple(tagger.model.scales),
        before=before.probabilities,
        probabilities=np.stack([prediction.probabilities for prediction in after]),
        logits=np.stack([mean_logits(prediction) for prediction in after]) - mean_logits(before),
        terms=np.stack([mean_terms(tagger, prediction) for prediction in after]) - mean_terms(tagger, before),
    )
