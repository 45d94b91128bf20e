"""The recording as the evidence sees it: its short-time spectrum weighted by a map over mel bands, made sound again.

What can be heard of an explanation has a name: "window", "evidence", "rest", "smallest", "cut", "scale:NAME" and
"event:N". Command line, page, zip and worksheet take every sound from `sonify`.

Axis letters: T samples, F mel bands, L frames.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from msecnn.explain import DEFAULT_FILL, FILLS, TOP_SHARE, ExplanationError
from msecnn.explain.choices import choose
from msecnn.frontend import MelConfig

if TYPE_CHECKING:
    from msecnn.explain.block_events import BlockEvent
    from msecnn.explain.explanation import Explanation

#: How many of the events in favour have a sound in folder, zip and report.
N_NAMED_EVENTS = 3
#: The smallest sound that keeps the tag, and the window without the smallest cut that loses it.
MINIMAL = ("smallest", "cut")
#: Blocks and gates of ITU-R BS.1770-4, from which loudness is measured (its K-weighting is left out: what is compared
#: is one recording with parts of itself).
BLOCK_S, BLOCK_HOP_S = 0.4, 0.1
ABSOLUTE_GATE_DB, RELATIVE_GATE_DB = -70.0, -10.0


class NothingToHear(ExplanationError):
    """No cell of this part speaks for the tag."""


def sound_names(explanation: "Explanation") -> tuple[str, ...]:
    """What can be heard of an explanation; of the events only the strongest few."""
    scales = (f"scale:{scale}" for scale in explanation.contributions.scales)
    return (
        "window",
        "evidence",
        "rest",
        "smallest",
        "cut",
        *scales,
        *list(_named_events(explanation))[:N_NAMED_EVENTS],
    )


def sonify(explanation: "Explanation", name: str, *, share: float, fill: str, equal_loudness: bool) -> np.ndarray:
    """(T,) the window's sound, of which only a part is heard.

    Args:
        name: "window" is all of it; "evidence" the cells that are there and speak most for the tag, "rest" all but
            them; "smallest" the smallest part that keeps the tag; "cut" what is left by the smallest cut that
            loses it; "scale:NAME" the same of one scale; "event:N" one event, from 1, strongest first.
        share: of the window's cells at most, 0 to 1.
        fill: what the rest becomes, see `render`.
        equal_loudness: see `render`.

    Raises:
        NothingToHear: nothing there speaks for the tag.
        ExplanationError: there is no such part, or the explanation was made without its recording.
    """
    if name == "window":
        return explanation.waveform
    mask = part_mask(explanation, name, share=share)
    return render(explanation.waveform, mask, explanation.mel_config, fill=fill, equal_loudness=equal_loudness)


def part_mask(explanation: "Explanation", name: str, *, share: float = TOP_SHARE) -> np.ndarray:
    """(F, L): ones on what is heard of a named part."""
    sums = explanation.block_sums
    if name in ("evidence", "rest"):
        mask = _heard(strongest_cells(explanation.presence.sum(0), share))
        return mask if name == "evidence" else 1 - mask
    if name in MINIMAL:
        return _minimal_mask(explanation, name)
    if (scale := name.removeprefix("scale:")) != name and scale in sums.scales:
        return _heard(strongest_cells(explanation.presence[sums.scales.index(scale)], share))
    if name in (events := _named_events(explanation)):
        return events[name].mask
    parts = "the window, the evidence, the rest, the smallest sound, the cut, a scale or an event"
    raise ExplanationError(f"One can listen to {parts}, not to {name!r}.")


def strongest_cells(strengths: np.ndarray, share: float) -> np.ndarray:
    """(F, L): ones on the strongest of the positive cells, on no more than a share of all."""
    n_left = strengths.size - int(share * strengths.size)
    least = max(0.0, float(np.partition(strengths, n_left - 1, axis=None)[n_left - 1])) if n_left else 0.0
    return (strengths > least).astype(np.float32)


def _minimal_mask(explanation: "Explanation", name: str) -> np.ndarray:
    part = explanation.smallest_sound if name == MINIMAL[0] else explanation.smallest_cut
    if part is None:
        raise NothingToHear("The tag is kept whatever part of its evidence is cut, so there is nothing to listen to.")
    return part.mask


def _named_events(explanation: "Explanation") -> dict[str, "BlockEvent"]:
    return {f"event:{number}": event for number, event in enumerate(explanation.events, start=1)}


def _heard(mask: np.ndarray) -> np.ndarray:
    if not mask.any():
        raise NothingToHear("Nothing that is there speaks for this tag, so there is nothing to listen to.")
    return mask


def render(
    waveform: np.ndarray,
    mask: np.ndarray,
    mel_config: MelConfig,
    *,
    fill: str = DEFAULT_FILL,
    equal_loudness: bool = False,
) -> np.ndarray:
    """Weights a waveform by a map over its mel spectrogram: same length, same alignment, original phase.

    Frequencies between two bands' centres get the weights of both, linearly; overlapping windows fade every change in
    time, so that nothing clicks. A map of ones returns the waveform. What is removed becomes what the maps measure
    from: with "mean" its band is brought to the band's mean level in dB over the window, with its own phase.

    Args:
        waveform: (T,) at the front end's sample rate, no longer than the map.
        mask: (F, L) weights, 0 to 1.
        fill: what removed cells become, one of `FILLS`. Where the waveform is digital silence, it stays silent.
        equal_loudness: raise what is left to the waveform's loudness (gated RMS, see `loudness_db`), but no peak beyond
            full scale.

    Raises:
        ExplanationError: the map's bands are not the front end's, or its frames end before the waveform.
    """
    n_samples, hop = len(waveform), mel_config.hop_length
    fill = choose(fill, "fill", FILLS)
    if mask.ndim != 2 or len(mask) != mel_config.n_mels or mask.shape[1] < n_samples // hop + 1:
        raise ExplanationError(f"A map {mask.shape} does not cover {n_samples} samples of sound.")

    def weigh(spectrum: np.ndarray) -> np.ndarray:
        weights = np.pad(mask, ((0, 0), (0, 1)), mode="edge")[:, : spectrum.shape[1]]
        if fill == "mean":
            weights = weights + (1 - weights) * _gains_to_mean(spectrum, mel_config)
        return _over_bins(weights, mel_config)

    masked = weighted(waveform, weigh, n_fft=mel_config.n_fft, hop_length=hop)
    return _match_loudness(masked, waveform, mel_config.sample_rate) if equal_loudness else masked


def weighted(
    waveform: np.ndarray, weigh: Callable[[np.ndarray], np.ndarray], *, n_fft: int, hop_length: int
) -> np.ndarray:
    """A waveform (T,) whose short-time spectrum is weighted: same length, same phase; weights of one return it.

    Args:
        weigh: gives the weights of a complex spectrum (n_fft / 2 + 1, L), whose frames are centred on every
            `hop_length` samples; the last frame is centred on the last sample or beyond.
    """
    n_frames = -(-len(waveform) // hop_length) + 1
    padded = torch.zeros((n_frames - 1) * hop_length)
    padded[: len(waveform)] = torch.from_numpy(np.asarray(waveform, dtype=np.float32))
    window = torch.hann_window(n_fft)
    spectrum = torch.stft(padded, n_fft, hop_length, window=window, pad_mode="constant", return_complex=True)
    spectrum *= torch.from_numpy(weigh(spectrum.numpy()).astype(np.float32))
    sound: np.ndarray = torch.istft(spectrum, n_fft, hop_length, window=window, length=len(padded)).numpy()
    return sound[: len(waveform)]


def loudness_db(waveform: np.ndarray, sample_rate: int) -> float:
    """Mean power in dB of the blocks that are heard: those no more than 10 dB below the rest and above -70 dB."""
    block, hop = round(BLOCK_S * sample_rate), round(BLOCK_HOP_S * sample_rate)
    padded = np.pad(np.asarray(waveform, dtype=np.float64), (0, max(0, block - len(waveform))))
    powers = np.lib.stride_tricks.sliding_window_view(padded, block)[::hop]
    powers = np.einsum("bt,bt->b", powers, powers) / block
    powers = powers[powers > 10 ** (ABSOLUTE_GATE_DB / 10)]
    if not len(powers):
        return -np.inf
    return float(10 * np.log10(powers[powers > powers.mean() * 10 ** (RELATIVE_GATE_DB / 10)].mean()))


def _gains_to_mean(spectrum: np.ndarray, mel_config: MelConfig) -> np.ndarray:
    """(F, L) what brings each band of a spectrum (bins, L) to its mean level in dB, as a factor of the amplitude."""
    power = _bands_of_bins(mel_config).T @ np.abs(spectrum).astype(np.float64) ** 2
    levels_db = 10 * np.log10(np.maximum(power, mel_config.amin))
    gains: np.ndarray = 10 ** ((levels_db.mean(1, keepdims=True) - levels_db) / 20)
    return gains


def _over_bins(mask: np.ndarray, mel_config: MelConfig) -> np.ndarray:
    """(F, L) over mel bands to (n_fft / 2 + 1, L) over frequencies: linear between the bands' centres, level beyond."""
    return (_bands_of_bins(mel_config) @ mask).astype(np.float32)


def _bands_of_bins(mel_config: MelConfig) -> np.ndarray:
    """(n_fft / 2 + 1, F): each frequency's shares of the bands, which add up to one."""
    centres_hz = mel_config.band_edges_hz()[:, 1]
    frequencies_hz = np.linspace(0, mel_config.sample_rate / 2, mel_config.n_fft // 2 + 1)
    return np.stack([np.interp(frequencies_hz, centres_hz, row) for row in np.eye(len(centres_hz))], axis=1)


def _match_loudness(masked: np.ndarray, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    wanted, had = loudness_db(waveform, sample_rate), loudness_db(masked, sample_rate)
    if not (np.isfinite(wanted) and np.isfinite(had)):
        return masked
    gain = min(10 ** ((wanted - had) / 20), 1 / np.abs(masked).max())
    return (masked * gain).astype(np.float32)
