"""The smallest cut that loses a tag, as an edit: boxes of seconds by Hz, found greedily among the blocks of evidence.

Each sound that the search tries is what the edit would make, silence in its boxes, so the edit does what was found.

Axis letters: T samples, F mel bands, L frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from msecnn.explain import minimal
from msecnn.explain.explanation import Explanation
from msecnn.explain.progress import Progress
from msecnn.frontend import MelConfig
from msecnn.what_if.regions import MAX_REGIONS, Region, Remove, inside

#: Decimals of the boxes' seconds and Hz, so that the edit can be written in a link.
DIGITS_S, DIGITS_HZ = 3, 1


@dataclass(frozen=True)
class SmallestCut:
    """Boxes without which the tag is lost: its probability falls below half of the window's.

    Attributes:
        tag: which.
        regions: in seconds of the recording.
        cells: share of the window's cells in them, 0 to 1.
        before, after: the tag's probability in the window, and without the boxes.
    """

    tag: str
    regions: tuple[Region, ...]
    cells: float
    before: float
    after: float

    @property
    def edit(self) -> Remove | None:
        """The cut for a chain; None where it has more boxes than an edit may."""
        return Remove(self.regions) if len(self.regions) <= MAX_REGIONS else None


def find_smallest_cut(
    explanation: Explanation,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SmallestCut | None:
    """The smallest cut found; None if no cut loses the tag. Greedy: there may be a smaller one.

    Args:
        explanation: made with its recording.
        progress, cancelled: as `minimal.smallest_cut` takes them.
    """
    waveform, config = explanation.waveform, explanation.mel_config

    def without(heard: np.ndarray) -> np.ndarray:
        return waveform - inside(boxes(heard == 0, config), waveform, config.sample_rate)

    part = minimal.smallest_cut(explanation, sound=without, progress=progress, cancelled=cancelled)
    if part is None:
        return None
    regions = boxes(part.mask == 0, config, start_s=explanation.start_s)
    return SmallestCut(explanation.tag, regions, part.cells, explanation.probability, part.probability)


def boxes(cells: np.ndarray, mel_config: MelConfig, *, start_s: float = 0.0) -> tuple[Region, ...]:
    """Regions that cover the cells (F, L) that are true, and no others: neighbours meet half-way between their centres.

    Args:
        start_s: where the spectrogram begins in the recording.
    """
    hop_s = mel_config.hop_length / mel_config.sample_rate
    centres = mel_config.band_edges_hz()[:, 1]
    edges_hz = [mel_config.f_min, *((centres[1:] + centres[:-1]) / 2), mel_config.f_max]
    return tuple(
        Region(
            round(start_s + max(0.0, (first - 0.5) * hop_s), DIGITS_S),
            round(start_s + (end - 0.5) * hop_s, DIGITS_S),
            round(float(edges_hz[low]), DIGITS_HZ),
            round(float(edges_hz[high]), DIGITS_HZ),
        )
        for low, high, first, end in rectangles(cells)
    )


def rectangles(cells: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Disjoint rectangles (first row, end row, first column, end column) of the true cells: equal runs are joined."""
    begun: dict[tuple[int, int], int] = {}  # run of columns -> the row it began in
    done = []
    for i, row in enumerate([*cells, np.zeros(cells.shape[1], bool)]):
        edges = np.flatnonzero(np.diff(row, prepend=False, append=False)).tolist()
        runs = set(zip(edges[::2], edges[1::2], strict=True))
        done += [(begun.pop(run), i, *run) for run in [*begun] if run not in runs]
        begun |= {run: i for run in runs if run not in begun}
    return sorted(done)
