"""Which events of evidence for a tag an edit took away, and which it brought.

An explanation names the strongest blocks of each scale, on 5 % of its cells at most: an event that has gone is no
longer among them, or has lost three quarters of what it counted. Its sound may have gone, or others are stronger now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from msecnn.explain.block_events import BlockEvent
from msecnn.explain.explanation import Explanation, explain
from msecnn.tagger import Tagger
from msecnn.what_if.chain import Moved
from msecnn.what_if.change import ModelChange

#: Two boxes are in the same place where they share so much of the shorter one, in time and in frequency.
SHARED = 0.5
#: An event is still there while events in its place have so much of its logits: a cut leaves a little at its edges.
WORTH = 0.25
#: Start and end in seconds, lowest and highest Hz.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class EvidenceChange:
    """The evidence for one tag, in the window where it was most probable and in the one that holds most of its sound.

    Attributes:
        vanished: events of before, strongest first, at their places of before.
        appeared: events of after, at their places of after.
        n_kept: events of before that are still there.
    """

    tag: str
    vanished: tuple[BlockEvent, ...]
    appeared: tuple[BlockEvent, ...]
    n_kept: int

    def to_json(self) -> dict[str, Any]:
        return {
            "tag": self.tag,
            "vanished": [event.to_json() for event in self.vanished],
            "appeared": [event.to_json() for event in self.appeared],
            "kept": self.n_kept,
        }


def evidence_change(tagger: Tagger, change: ModelChange, tag: str | None, moved: Moved) -> EvidenceChange:
    """Explains a tag, the most probable one by default, before and after; takes as long as two explanations."""
    before = explain(tagger, change.before, tag)
    start_s, _ = moved.span_s(*change.before.windows[before.window])
    window = int(np.abs(change.after.window_starts_s - start_s).argmin())
    after = explain(tagger, change.after, before.tag, window)
    old = [(event, _moved(event, moved)) for event in before.events]
    new = [(event, _box(event)) for event in after.events]
    in_view = [(event, box) for event, box in old if _is_within(box, after)]
    vanished = tuple(event for event, box in in_view if not _is_among(event, box, new))
    return EvidenceChange(
        tag=before.tag,
        vanished=vanished,
        appeared=tuple(event for event, box in new if not _is_among(event, box, old)),
        n_kept=len(in_view) - len(vanished),
    )


def _box(event: BlockEvent) -> Box:
    return event.start_s, event.end_s, event.low_hz, event.high_hz


def _moved(event: BlockEvent, moved: Moved) -> Box:
    return *moved.span_s(event.start_s, event.end_s), moved.hz(event.low_hz), moved.hz(event.high_hz)


def _is_within(box: Box, explanation: Explanation) -> bool:
    """Whether the middle of a box lies in the explanation's window, so that it could be there."""
    middle_s = (box[0] + box[1]) / 2
    return explanation.start_s <= middle_s <= explanation.start_s + explanation.mel_config.window_s


def _is_among(event: BlockEvent, box: Box, others: Iterable[tuple[BlockEvent, Box]]) -> bool:
    """Whether events of the same scale in the same place are still worth something beside it."""
    same = (other.share for other, place in others if other.scale == event.scale and _is_same(box, place))
    return sum(same) >= WORTH * event.share


def _is_same(a: Box, b: Box) -> bool:
    overlaps = [min(a[i + 1], b[i + 1]) - max(a[i], b[i]) for i in (0, 2)]
    shorter = [min(a[i + 1] - a[i], b[i + 1] - b[i]) for i in (0, 2)]
    return all(overlap >= SHARED * extent for overlap, extent in zip(overlaps, shorter, strict=True))
