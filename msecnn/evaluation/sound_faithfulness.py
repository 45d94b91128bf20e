"""Whether what one hears is the evidence: sounds of its strongest part, tagged again, and events taken away.

The strongest evidence of one clip is rendered as page and command line do it, with and without the rest, and the sound
is tagged from its waveform on: cut by cells, and by blocks. Beside it, as much of the loudest.

Axis letters: T samples, F mel bands, L frames, K tags, S scales.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch

from msecnn.explain import DEFAULT_BASELINE, DEFAULT_FILL, FILLS, TOP_SHARE
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.block_events import BLOCK, BlockEvent
from msecnn.explain.contributions import with_scales
from msecnn.explain.explanation import Explanation
from msecnn.explain.masked_metrics import PERCENTAGES, masked_metrics
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.explain.sonification import render, strongest_cells
from msecnn.models.fast.incremental import IncrementalNetwork

#: Orders of single cells: by what is there and speaks for the tag, which is heard as the evidence, and by loudness.
EVIDENCE, LOUDEST_CELLS = "evidence", "loudest cells"
#: The same of blocks.
BLOCKS, LOUDEST_BLOCKS = "blocks", "loudest blocks"
#: Shares of the cells, in percent: those of `masked_metrics`, and the one that page and command line play.
SOUND_PERCENTAGES = (*PERCENTAGES, round(100 * TOP_SHARE))
SIDES = ("in_favour", "against")
#: A term that changes by less than float32's rounding has not moved.
UNMOVED = 1e-5


def measure_sounds(explanation: Explanation, *, fills: tuple[str, ...] = FILLS) -> list[dict[str, float | str]]:
    """For each order of blocks, fill and share: {"order", "fill", "percentage", "cells", and `masked_metrics`}.

    "cells" is the share of the clip's cells in the kept part, in percent. The metrics are of sounds, tagged again.
    """
    sums = explanation.block_sums
    strengths = {BLOCKS: sums.presence.sum(0), LOUDEST_BLOCKS: _block_levels(explanation.mel, sums.presence.shape[1:])}
    rows: list[dict[str, float | str]] = []
    for percentage in SOUND_PERCENTAGES:
        blocks = sums.mask(strengths[BLOCKS], percentage / 100)
        for order, strength in strengths.items():
            mask = blocks if order == BLOCKS else sums.mask(strength, float(blocks.mean()))
            for fill in fills:
                found = _tagged_again(explanation, mask, fill)
                rows.append({"order": order, "fill": fill, "percentage": percentage, **found})
                rows[-1]["cells"] = 100 * float(mask.mean())
    return rows


def measure_cells(explanation: Explanation, *, fill: str = DEFAULT_FILL) -> list[dict[str, float | str]]:
    """The same of single cells: the evidence as page and command line play it, and the loudest."""
    mel = explanation.mel
    strengths = {EVIDENCE: explanation.presence.sum(0), LOUDEST_CELLS: mel - mel.min()}
    rows: list[dict[str, float | str]] = []
    for percentage in SOUND_PERCENTAGES:
        for order, strength in strengths.items():
            mask = strongest_cells(strength, percentage / 100)
            rows.append({"order": order, "fill": fill, "percentage": percentage})
            rows[-1] |= {**_tagged_again(explanation, mask, fill), "cells": 100 * float(mask.mean())}
    return rows


def measure_events(explanation: Explanation) -> dict[str, list[tuple[float, float]]]:
    """For events in favour and against: each one's share, and what its own scale's term loses without it.

    What is there, in the event's blocks above the clip's mean, is brought to the clip's mean.
    """
    network = with_scales(explanation.tagger.model)
    mel = torch.from_numpy(np.array(explanation.mel))
    mean = baseline_mel(network, explanation.mel, DEFAULT_BASELINE, explanation.mel_config)
    terms = ScaleTerms(network, explanation.tag_index, network.scales)
    spliced = IncrementalNetwork(terms.network, mel[None, None])

    def term(event: BlockEvent, x: torch.Tensor) -> float:
        return float(terms.of(spliced.features(x[None, None]))[0, network.scales.index(event.scale)])

    def lost(event: BlockEvent) -> float:
        there = (torch.from_numpy(event.mask) > 0) & (mel > mean)
        return term(event, mel) - term(event, torch.where(there, mean, mel))

    sides = (explanation.events, explanation.events_against)
    return {side: [(event.share, lost(event)) for event in events] for side, events in zip(SIDES, sides, strict=True)}


def as_claimed(events: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Of one clip's events of a side, in percent: those whose term moves as claimed, not at all, and the other way."""
    moved = [lost * np.sign(share) for share, lost in events]
    kinds = {"as_claimed": (UNMOVED, np.inf), "unmoved": (-UNMOVED, UNMOVED), "other_way": (-np.inf, -UNMOVED)}
    return {
        name: 100 * float(np.mean([low <= change < high for change in moved])) for name, (low, high) in kinds.items()
    }


def _tagged_again(explanation: Explanation, mask: np.ndarray, fill: str) -> dict[str, float]:
    config = explanation.mel_config
    sound = partial(render, explanation.waveform, mel_config=config, fill=fill)

    def logits(part: np.ndarray) -> np.ndarray:
        tagged = explanation.tagger.tag((sound(part), config.sample_rate), keep_mel=False)
        first: np.ndarray = tagged.window_logits[0]
        return first

    clip = explanation.prediction.window_logits[explanation.window]
    return masked_metrics(clip, logits(mask), logits(1 - mask), explanation.tag_index)


def _block_levels(mel: np.ndarray, n_blocks: tuple[int, ...]) -> np.ndarray:
    """(P, Q) each block's mean level in dB above the quietest cell."""
    return np.array([[float(block.mean()) for block in row] for row in _blocks(mel - mel.min(), n_blocks)])


def _blocks(mel: np.ndarray, n_blocks: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    for row in range(n_blocks[0]):
        bands = mel[row * BLOCK[0] : (row + 1) * BLOCK[0]]
        yield [bands[:, column * BLOCK[1] : (column + 1) * BLOCK[1]] for column in range(n_blocks[1])]
