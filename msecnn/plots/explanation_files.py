"""One explanation as files: the answer, figures, arrays, sounds and a report; into a folder or into a zip."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from msecnn.audio import wav_bytes
from msecnn.explain import DEFAULT_FILL, TOP_SHARE
from msecnn.explain.explanation import Explanation
from msecnn.explain.faithfulness import Curves
from msecnn.explain.minimal import Louder, MinimalPart
from msecnn.explain.sonification import NothingToHear, sound_names
from msecnn.files import write_atomically
from msecnn.plots.contributions import waterfall
from msecnn.plots.faithfulness import deletion_insertion
from msecnn.plots.report import report
from msecnn.plots.spectrogram import mel_figure, saliency_figure
from msecnn.plots.static import image

#: Events and absences that the report lists.
N_IN_FAVOUR, N_AGAINST, N_ABSENCES = 12, 6, 6

#: Path in the folder or the zip, and content.
NamedFile = tuple[str, bytes]


def explanation_files(
    explanation: Explanation,
    *,
    share: float = TOP_SHARE,
    fill: str = DEFAULT_FILL,
    equal_loudness: bool = True,
    curves: Sequence[Curves] = (),
) -> Iterator[NamedFile]:
    """All pictures and sounds of an explanation, one file after another.

    Args:
        share, fill, equal_loudness: of the sounds, see `sonification.sonify`.
        curves: deletion and insertion in the map's order and in blind ones, where they were measured.
    """
    yield "explanation.json", json_bytes(explanation.to_json())
    figures: dict[str, bytes | go.Figure] = {}
    for name, figure in _figures(explanation, curves):
        drawn = dict(figure_files(name, figure))
        figures[name] = figure if isinstance(figure, go.Figure) else drawn[f"figures/{name}.png"]
        yield from drawn.items()
    yield "saliency.npz", _arrays(explanation)
    sounds = dict(_sounds(explanation, share, fill, equal_loudness))
    yield from ((f"sounds/{name}.wav", content) for name, content in sounds.items())
    yield "report.html", _report(explanation, figures, sounds).encode()


def n_explanation_files(explanation: Explanation, *, curves: bool = False) -> int:
    """How many files `explanation_files` makes at most."""
    return 3 + 2 * (3 + curves) + len(sound_names(explanation))


def write_folder(folder: Path, files: Iterable[NamedFile]) -> None:
    """Writes files below a folder, each whole or not at all."""
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


def figure_files(name: str, figure: Figure | go.Figure) -> Iterator[NamedFile]:
    """A figure as a picture, and as a drawing that can be enlarged."""
    for kind, dpi in (("png", 150), ("svg", 100)):  # an SVG's lines have no resolution, the spectrograms in it have
        yield f"figures/{name}.{kind}", image(figure, kind, dpi=dpi)


def json_bytes(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def contributions_figure(explanation: Explanation) -> go.Figure:
    """From the average clip's logit to this window's, one step a scale."""
    split, k = explanation.contributions, explanation.tag_index
    relative, base_value = split.relative[0, :, k], float(split.base_value[k])
    return waterfall(split.scales, relative, base_value, mean_known=split.mean_known, title=explanation.title)


#: Winning cells that are drawn on the maps, of all scales together.
N_CELLS = 120


def maps_figure(explanation: Explanation) -> Figure:
    """One strip of saliency a scale."""
    maps, title = explanation.maps, f"{explanation.title} ({explanation.method.replace('_', ' ')})"
    strongest = sorted(explanation.evidence.cells, key=lambda cell: -abs(cell.relative))[:N_CELLS]
    return saliency_figure(
        explanation.mel,
        maps.maps,
        maps.scales,
        explanation.mel_config,
        start_s=explanation.start_s,
        title=title,
        cells=strongest,
    )


def spectrogram_figure(explanation: Explanation) -> Figure:
    """The window's log-mel spectrogram."""
    title = Path(explanation.name).name
    return mel_figure(explanation.mel, explanation.mel_config, start_s=explanation.start_s, title=title)


def _figures(explanation: Explanation, curves: Sequence[Curves]) -> Iterator[tuple[str, Figure | go.Figure]]:
    yield "contributions", contributions_figure(explanation)
    yield "spectrogram", spectrogram_figure(explanation)
    yield "saliency", maps_figure(explanation)
    if curves:
        deletions = {curve.order_name: curve.deletion for curve in curves}
        insertions = {curve.order_name: curve.insertion for curve in curves}
        yield "check", deletion_insertion(curves[0].fractions, deletions, insertions, title=explanation.title)


def _sounds(explanation: Explanation, share: float, fill: str, equal_loudness: bool) -> Iterator[NamedFile]:
    """All sounds as WAV, by names that files can have; silence where nothing speaks for the tag."""
    for name in sound_names(explanation):
        try:
            waveform = explanation.sound(name, share=share, fill=fill, equal_loudness=equal_loudness)
        except NothingToHear:
            waveform = np.zeros_like(explanation.waveform)
        yield name.replace(":", "-"), wav_bytes(waveform, explanation.mel_config.sample_rate)


def _arrays(explanation: Explanation) -> bytes:
    """Maps and spectrogram with their axes, as NumPy's NPZ."""
    config, maps, mel = explanation.mel_config, explanation.maps, explanation.mel
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        maps=maps.maps,
        scales=np.array(maps.scales),
        mel=mel,
        frame_s=explanation.start_s + config.frame_to_s(1) * np.arange(mel.shape[1]),
        band_hz=config.band_edges_hz(),
        method=np.array(maps.method),
        baseline=np.array(maps.baseline or ""),
        tag=np.array(explanation.tag),
    )
    return packed.getvalue()


def _minimal(explanation: Explanation) -> tuple[MinimalPart | Louder | None, ...]:
    return explanation.smallest_sound, explanation.smallest_cut, explanation.louder


def _report(explanation: Explanation, figures: dict[str, bytes | go.Figure], sounds: dict[str, bytes]) -> str:
    captions = {
        "contributions": "From the average clip to this one, scale by scale",
        "saliency": f"Where each scale looks ({explanation.method.replace('_', ' ')})",
        "check": "The logit while cells are taken out and put back in",
    }
    return report(
        title=explanation.title,
        sentence=explanation.sentence,
        warnings=explanation.warnings,
        figures={caption: figures[name] for name, caption in captions.items() if name in figures},
        in_favour=explanation.events[:N_IN_FAVOUR],
        against=explanation.events_against[:N_AGAINST],
        absences=explanation.absences[:N_ABSENCES],
        minimal=[found.sentence for found in _minimal(explanation) if found],
        sounds=sounds,
    )
