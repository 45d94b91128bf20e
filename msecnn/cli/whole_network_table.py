"""A system without scales at the terminal: what it gives a tag, and the cells that its logit answers to most."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.explain.saliency import SaliencyMaps
    from msecnn.explain.whole_network import WholeNetwork

#: Blocks that are told, and their size, (bands, frames).
N_BLOCKS = 12
BLOCK = (12, 48)


def answer(whole: "WholeNetwork", maps: "SaliencyMaps", name: str) -> dict[str, Any]:
    """The answer as plain values; there are no scales, and nothing is said to add up."""
    from msecnn.explain.whole_network import CANNOT

    return {
        "file": name,
        "model": whole.prediction.model,
        "tag": whole.prediction.tags[whole.tag_index],
        "window": [round(whole.grid.start_s, 3), round(whole.grid.start_s + whole.grid.config.window_s, 3)],
        "probability": whole.probability,
        "scales": [],
        "cannot": CANNOT,
        "saliency": {"method": maps.method, "baseline": maps.baseline, "blocks": list(blocks(whole, maps))},
    }


def blocks(whole: "WholeNetwork", maps: "SaliencyMaps") -> list[dict[str, float]]:
    """The blocks of the map that weigh most, for and against, with time and Hz.

    A block weighs the sum of its cells; by occlusion their mean, since each cell has the change of its whole patch.
    """
    config, (bands, frames) = whole.grid.config, BLOCK
    values = maps.total
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], bands), axis=0)
    sums = np.add.reduceat(rows, np.arange(0, values.shape[1], frames), axis=1)
    if maps.method == "occlusion":
        heights, widths = (np.diff([*range(0, n, step), n]) for n, step in zip(values.shape, BLOCK, strict=True))
        sums = sums / np.outer(heights, widths)
    edges_hz = config.band_edges_hz()
    strongest = np.argsort(-np.abs(sums), axis=None)[:N_BLOCKS]
    found = []
    for row, column in zip(*np.unravel_index(strongest, sums.shape), strict=True):
        last_band = min((row + 1) * bands, len(edges_hz)) - 1
        start_s = whole.grid.start_s + config.frame_to_s(column * frames)
        end_s = min(start_s + config.frame_to_s(frames), whole.grid.start_s + config.window_s)
        places = {
            "start_s": start_s,
            "end_s": end_s,
            "low_hz": edges_hz[row * bands, 0],
            "high_hz": edges_hz[last_band, 2],
        }
        found.append({"logit": float(sums[row, column])} | {key: round(float(x), 3) for key, x in places.items()})
    return found


def show(told: Mapping[str, Any], form: str) -> None:
    """Prints the answer as a table or as JSON."""
    if form == "json":
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    start_s, end_s = told["window"]
    print(f"{told['file']}\nFrom {start_s:.2f} to {end_s:.2f} s {told['model']} gives {told['tag']!r} a probability of "
          f"{told['probability']:.3f}.\n{told['cannot'].replace('below', 'here')}\n")  # fmt: skip
    print(f"{told['saliency']['method'].replace('_', ' ')}, in logits, by block:")
    for block in told["saliency"]["blocks"]:
        place = (
            f"{block['start_s']:8.2f} to {block['end_s']:6.2f} s {block['low_hz']:6.0f} to {block['high_hz']:5.0f} Hz"
        )
        print(f"{block['logit']:+8.3f}  {place}")


def write(folder: Path, whole: "WholeNetwork", maps: "SaliencyMaps", told: Mapping[str, Any]) -> None:
    """Writes answer.json and saliency.png.

    Raises:
        MsecnnError: the folder cannot be written.
    """
    from msecnn.files import write_atomically
    from msecnn.plots.spectrogram import saliency_figure
    from msecnn.plots.static import image

    mel = whole.prediction.mel
    assert mel is not None
    title = f"{told['tag']} in {told['model']}: {Path(told['file']).name} ({maps.method.replace('_', ' ')})"
    figure = saliency_figure(
        mel[whole.windows[0]], maps.maps, maps.scales, whole.grid.config, start_s=whole.grid.start_s, title=title
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "answer.json", json.dumps(told, ensure_ascii=False, indent=2).encode())
        write_atomically(folder / "saliency.png", image(figure, "png"))
    except OSError as error:
        raise MsecnnError(f"{folder} cannot be written: {error.strerror}.") from error
