"""A what-if answer as files: the answer, both sounds, and a figure of each curve and model."""

from collections.abc import Iterator, Sequence
from typing import Any

from msecnn.audio import wav_bytes
from msecnn.plots.explanation_files import NamedFile, figure_files, json_bytes
from msecnn.plots.response import response_curve
from msecnn.what_if.intervention import WhatIf
from msecnn.what_if.response import Response


def what_if_files(answer: WhatIf, told: dict[str, Any], curves: Sequence[Response]) -> Iterator[NamedFile]:
    """All files, one after another.

    Args:
        told: the answer as JSON, with its curves.
    """
    yield "what_if.json", json_bytes(told)
    for name, waveform in (("original", answer.original.waveform), ("edited", answer.edited)):
        yield f"sounds/{name}.wav", wav_bytes(waveform, answer.sample_rate)
    for number, curve in enumerate(curves, start=1):
        for model in curve.models:
            title = f"{model}: {curve.edit} of {answer.name}"
            yield from figure_files(f"curve-{number}-{curve.edit}-{model}", response_curve(curve, model, title=title))
