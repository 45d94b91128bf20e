"""The evidence that can be pointed at: blocks of the complete map in which something that is there counts.

A map of the method "shapley" adds up to the change of the logit from the reference to the clip, scale by scale. Where
the clip lies above the reference, its cells are credit or blame for something that is there: presence. The rest is
absence, which is no place to listen to: a maximum that stayed low did so everywhere.

Axis letters: S scales, F mel bands, L frames, P and Q rows and columns of blocks, C channels of a scale.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn.explain import TOP_SHARE
from msecnn.explain.winning_cells import WinningCell
from msecnn.frontend import MelConfig

if TYPE_CHECKING:
    from msecnn.explain.saliency import SaliencyMaps

#: Bands and frames of a block: an octave at the top of the range by a second.
BLOCK = (12, 48)

#: What an event of all scales together is called.
ALL_SCALES = "all"

#: The most cells that the events of one scale and one sign cover.
EVENT_SHARE = TOP_SHARE / 3


@dataclass(frozen=True)
class BlockEvent:
    """Adjoining blocks in which something that is there speaks for one side, of one scale.

    Attributes:
        share: what the cells above the reference add to the logit's change there, in logits.
        start_s, end_s: around the blocks, in the recording.
        low_hz, high_hz: of the triangles of their bands, so sound a little beyond counts too.
        mask: (F, L) ones on the blocks.
        kind: "presence", but for `quiet_event`.
    """

    scale: str
    share: float
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    mask: np.ndarray = field(repr=False, compare=False)
    kind: str = "presence"

    def to_json(self) -> dict[str, Any]:
        names = ("kind", "scale", "start_s", "end_s", "low_hz", "high_hz", "share")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Absence:
    """A channel that speaks for the tag because it found little of what it listens for, anywhere.

    Attributes:
        share: weight times what the feature lacks of the average clip's, in logits; positive.
    """

    scale: str
    channel: int
    share: float

    @property
    def kind(self) -> str:
        return "absence"

    @property
    def sentence(self) -> str:
        return f"little of what channel {self.channel} of {self.scale.replace('level', 'level ')} listens for, anywhere"

    def to_json(self) -> dict[str, Any]:
        names = ("kind", "scale", "channel", "share", "sentence")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class BlockSums:
    """What blocks add to the logit's change; presence and absence together are all of it.

    Attributes:
        scales: S names.
        presence, absence: (S, P, Q) sums over each block's cells above the reference, and over its others.
        shape: (F, L) of the map.
    """

    scales: tuple[str, ...]
    presence: np.ndarray
    absence: np.ndarray
    shape: tuple[int, int]

    def mask(self, strengths: np.ndarray, share: float) -> np.ndarray:
        """(F, L): ones on the strongest blocks, those that are positive, on no more than a share of the cells."""
        return self.over_cells(_strongest(strengths, share, self.shape))

    def over_cells(self, blocks: np.ndarray) -> np.ndarray:
        """(F, L): ones on the cells of some blocks (P, Q)."""
        mask: np.ndarray = np.kron(blocks, np.ones(BLOCK))[: self.shape[0], : self.shape[1]].astype(np.float32)
        return mask


def block_sums(maps: "SaliencyMaps", mel: np.ndarray, reference: np.ndarray) -> BlockSums:
    """Sums a complete map (S, F, L) over blocks of about a second and an octave; `mel` and `reference` are (F, L)."""
    above = mel > reference
    values = maps.maps.astype(np.float64)
    return BlockSums(maps.scales, _pool(values * above), _pool(values * ~above), mel.shape)


def block_events(
    sums: BlockSums, mel_config: MelConfig, *, sign: int = 1, share: float = EVENT_SHARE, window_start_s: float = 0.0
) -> tuple[BlockEvent, ...]:
    """Each scale's strongest blocks for the tag, or against it with `sign` -1, merged where they adjoin."""
    events = []
    for scale, presence in zip(sums.scales, sums.presence, strict=True):
        for group in _adjoining(_strongest(sign * presence, share, sums.shape)):
            mask = sums.over_cells(group)
            place = _place(mask, mel_config, window_start_s)
            events.append(BlockEvent(scale, float(presence[group].sum()), *place, mask))
    return tuple(sorted(events, key=lambda event: -abs(event.share)))


def quiet_event(sums: BlockSums, mel_config: MelConfig, *, window_start_s: float = 0.0) -> BlockEvent | None:
    """Where being below the reference takes most from the logit, all scales together; None where it takes nothing."""
    absence = sums.absence.sum(0)
    groups = _adjoining(_strongest(-absence, EVENT_SHARE, sums.shape))
    if not groups:
        return None
    group = min(groups, key=lambda group: float(absence[group].sum()))
    mask = sums.over_cells(group)
    place = _place(mask, mel_config, window_start_s)
    return BlockEvent(ALL_SCALES, float(absence[group].sum()), *place, mask, kind="absence")


def absences(cells: Iterable[WinningCell]) -> tuple[Absence, ...]:
    """The channels that speak for the tag by having found less than in the average clip, strongest first."""
    found = [Absence(cell.scale, cell.channel, cell.relative) for cell in cells if cell.relative > 0 > cell.weight]
    return tuple(sorted(found, key=lambda absence: -absence.share))


def _pool(values: np.ndarray) -> np.ndarray:
    """(S, F, L) to (S, P, Q)."""
    rows, columns = (np.arange(0, size, step) for size, step in zip(values.shape[1:], BLOCK, strict=True))
    pooled: np.ndarray = np.add.reduceat(np.add.reduceat(values, rows, axis=1), columns, axis=2)
    return pooled


def _strongest(strengths: np.ndarray, share: float, shape: tuple[int, int]) -> np.ndarray:
    """(P, Q): the strongest positive blocks, as many as fit into a share of the cells."""
    areas = _pool(np.ones((1, *shape)))[0]
    order = np.argsort(-strengths, axis=None, kind="stable")
    order = order[strengths.ravel()[order] > 0]
    chosen = np.zeros(strengths.size, dtype=bool)
    chosen[order[np.cumsum(areas.ravel()[order]) <= math.floor(share * areas.sum())]] = True
    return chosen.reshape(strengths.shape)


def _adjoining(chosen: np.ndarray) -> list[np.ndarray]:
    """Groups (P, Q) of chosen blocks that share an edge."""
    left, groups = {tuple(map(int, place)) for place in np.argwhere(chosen)}, []
    while left:
        group, reached = np.zeros_like(chosen), [left.pop()]
        while reached:
            p, q = reached.pop()
            group[p, q] = True
            neighbours = {(p - 1, q), (p + 1, q), (p, q - 1), (p, q + 1)} & left
            left -= neighbours
            reached += neighbours
        groups.append(group)
    return groups


def _place(mask: np.ndarray, mel_config: MelConfig, window_start_s: float) -> tuple[float, float, float, float]:
    """Start and end in seconds, lowest and highest Hz."""
    bands, frames = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    edges_hz = mel_config.band_edges_hz()
    start_s = max(0.0, mel_config.frame_to_s(int(frames[0])))
    end_s = min(mel_config.window_s, mel_config.frame_to_s(int(frames[-1]) + 1))
    return window_start_s + start_s, window_start_s + end_s, float(edges_hz[bands[0], 0]), float(edges_hz[bands[-1], 2])
