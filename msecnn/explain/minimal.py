"""The smallest sound that keeps a tag, the smallest cut that loses it, and what would have to be louder for it.

Sounds are made as everywhere else, and tagged again from the waveform on. The blocks stand in the order of what is
there and speaks for the tag; how many of them it takes is searched for by halving, and then each of them is left out
that is not needed. That is greedy: there may be a smaller one.

Axis letters: F mel bands, L frames, P and Q rows and columns of blocks.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from msecnn.explain import DEFAULT_BASELINE
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.block_events import BlockEvent, quiet_event
from msecnn.explain.sonification import render

if TYPE_CHECKING:
    from msecnn.explain.explanation import Explanation

#: A tag is kept while its probability is at least this share of the whole clip's.
KEPT_SHARE = 0.5
#: Sounds that are tagged again at most, for each search.
MAX_TAGGINGS = 16


@dataclass(frozen=True)
class MinimalPart:
    """A part of the clip that is enough for the tag, or without which it is lost.

    Attributes:
        kind: "smallest" for the part that keeps the tag alone, "cut" for the one without which it is lost.
        cells: share of the clip's cells in the part, 0 to 1.
        probability: of the tag in the sound: of the part alone, or of the clip without it.
        mask: (F, L) ones on what is heard of the clip.
    """

    kind: str
    cells: float
    probability: float
    mask: np.ndarray = field(repr=False, compare=False)

    @property
    def sentence(self) -> str:
        share = f"{100 * self.cells:.1f} % of the clip's cells"
        if self.kind == "smallest":
            return f"{share} keep the tag: alone they have a probability of {self.probability:.3f}."
        return f"Without {share} the tag is lost: the rest has a probability of {self.probability:.3f}."

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("kind", "cells", "probability", "sentence")}


@dataclass(frozen=True)
class Louder:
    """Where the clip is below its mean, and that speaks most against the tag.

    Attributes:
        event: its place; the share is what being quiet there takes from the logit.
        logit_change: of the clip's spectrogram once these cells are brought to the clip's mean: measured.
    """

    event: BlockEvent
    logit_change: float

    @property
    def sentence(self) -> str:
        event = self.event
        return (
            f"Quiet at {event.start_s:.2f} to {event.end_s:.2f} s, {event.low_hz:.0f} to {event.high_hz:.0f} Hz speaks "
            f"most against the tag: raised to the clip's mean there, the logit changes by {self.logit_change:+.3f}."
        )

    def to_json(self) -> dict[str, Any]:
        return {**self.event.to_json(), "logit_change": self.logit_change, "sentence": self.sentence}


def smallest_sound(explanation: "Explanation") -> MinimalPart:
    """The fewest blocks found that keep the tag while everything else is filled."""
    search = _Search(explanation, cut=False)
    return search.part("smallest", search.pruned(search.halved()))


def smallest_cut(explanation: "Explanation") -> MinimalPart | None:
    """The fewest blocks found without which the tag is lost; None if it is kept even without all of them."""
    search = _Search(explanation, cut=True)
    found = search.part("cut", search.pruned(search.halved()))
    return found if found.probability < search.threshold else None


def louder(explanation: "Explanation") -> Louder | None:
    """The strongest absence: where more energy would speak most for the tag; None if there is no such place."""
    event = quiet_event(explanation.block_sums, explanation.mel_config, window_start_s=explanation.start_s)
    if event is None:
        return None
    tagger, mel = explanation.tagger, torch.from_numpy(np.array(explanation.mel))
    mean = baseline_mel(tagger.model, explanation.mel, DEFAULT_BASELINE, explanation.mel_config)
    raised = torch.where((torch.from_numpy(event.mask) > 0) & (mel < mean), mean, mel)
    logits, _ = tagger.run(raised[None, None].numpy())
    return Louder(event, float(logits[0, explanation.tag_index]) - explanation.logit)


class _Search:
    """The fewest blocks (P, Q), strongest first, that keep the tag alone, or whose cut loses it."""

    def __init__(self, explanation: "Explanation", *, cut: bool) -> None:
        self.explanation, self.cut, self.sums = explanation, cut, explanation.block_sums
        self.threshold = KEPT_SHARE * explanation.probability
        self.order = np.argsort(-self.sums.presence.sum(0), axis=None, kind="stable")
        self.n_left = MAX_TAGGINGS - 1  # one is for the part that was found

    def halved(self) -> int:
        """How many of the strongest blocks it takes; all of them may be too few for a cut."""
        too_few, enough = 0, len(self.order)
        while enough - too_few > 1 and self.n_left:
            middle = (too_few + enough) // 2
            too_few, enough = (too_few, middle) if self._is_enough(self._first(middle)) else (middle, enough)
        return enough

    def pruned(self, n_blocks: int) -> np.ndarray:
        """(P, Q) the first blocks without those of them that are not needed, weakest first; but for the very last."""
        blocks = self._first(n_blocks)
        for block in self.order[: n_blocks - 1][::-1]:
            if not self.n_left:
                break
            fewer = blocks.copy()
            fewer.flat[block] = False
            blocks = fewer if self._is_enough(fewer) else blocks
        return blocks

    def part(self, kind: str, blocks: np.ndarray) -> MinimalPart:
        cells = float(self.sums.over_cells(blocks).mean())
        return MinimalPart(kind, cells, self._probability(blocks), self._heard(blocks))

    def _first(self, n_blocks: int) -> np.ndarray:
        blocks = np.zeros(self.sums.presence.shape[1:], dtype=bool)
        blocks.flat[self.order[:n_blocks]] = True
        return blocks

    def _is_enough(self, blocks: np.ndarray) -> bool:
        self.n_left -= 1
        kept = self._probability(blocks) >= self.threshold
        return kept != self.cut

    def _probability(self, blocks: np.ndarray) -> float:
        explanation, config = self.explanation, self.explanation.mel_config
        sound = render(explanation.waveform, self._heard(blocks), config)
        tagged = explanation.tagger.tag((sound, config.sample_rate), keep_mel=False)
        return float(tagged.window_probabilities[0, explanation.tag_index])

    def _heard(self, blocks: np.ndarray) -> np.ndarray:
        """(F, L): ones on what is heard of the clip."""
        mask = self.sums.over_cells(blocks)
        return 1 - mask if self.cut else mask
