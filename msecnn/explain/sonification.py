"""The recording as the evidence sees it: its short-time spectrum weighted by a map over mel bands, made sound again.

What can be heard of an explanation has a name: "window", "evidence", "rest", "scale:NAME" and "event:N". Command line,
page, zip and worksheet take every sound from `sonify`.

Axis letters: T samples, F mel bands, L frames.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from msecnn.explain import TOP_SHARE, ExplanationError
from msecnn.frontend import MelConfig

if TYPE_CHECKING:
    from msecnn.explain.events import EvidenceEvent
    from msecnn.explain.explanation import Explanation

#: How many of the strongest events in favour are "the strongest evidence", and how many have a name of their own.
N_EVENTS, N_NAMED_EVENTS = 12, 3
#: An event over more of the window than this points at nothing; the map is heard instead.
WHOLE_WINDOW = 0.8
#: Sound around an event, so that it can be recognised.
MARGIN_S = 0.5
#: Blocks and gates of ITU-R BS.1770-4, from which loudness is measured (its K-weighting is left out: what is compared
#: is one recording with parts of itself).
BLOCK_S, BLOCK_HOP_S = 0.4, 0.1
ABSOLUTE_GATE_DB, RELATIVE_GATE_DB = -70.0, -10.0


class Box(Protocol):
    """A stretch of time and frequency: a winning cell or an event."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def low_hz(self) -> float: ...
    @property
    def high_hz(self) -> float: ...


class NothingToHear(ExplanationError):
    """No cell of this part speaks for the tag."""


def sound_names(explanation: "Explanation") -> tuple[str, ...]:
    """What can be heard of an explanation; of the events only the strongest few."""
    scales = (f"scale:{scale}" for scale in explanation.contributions.scales)
    return ("window", "evidence", "rest", *scales, *list(_named_events(explanation))[:N_NAMED_EVENTS])


def sonify(explanation: "Explanation", name: str, *, share: float, equal_loudness: bool) -> np.ndarray:
    """(T,) the window's sound, of which only a part is heard.

    Args:
        name: "window" is all of it; "evidence" the strongest events in favour, "rest" all but them; "scale:NAME" the
            evidence of one scale; "event:N" one event that does not cover the window, from 1, strongest first. Where
            the events of the scales asked for all cover the window, the strongest cells of their map are heard.
        share: of the map's cells, 0 to 1.
        equal_loudness: see `render`.

    Raises:
        NothingToHear: nothing there speaks for the tag.
        ExplanationError: there is no such part, or the explanation was made without its recording.
    """
    if name == "window":
        return explanation.waveform
    mask = part_mask(explanation, name, share=share)
    return render(explanation.waveform, mask, explanation.mel_config, equal_loudness=equal_loudness)


def part_mask(explanation: "Explanation", name: str, *, share: float = TOP_SHARE) -> np.ndarray:
    """(F, L): ones on what is heard of a named part."""
    scales, events = explanation.contributions.scales, _named_events(explanation)
    if name in ("evidence", "rest"):
        mask = _evidence_mask(explanation, scales, share)
        return mask if name == "evidence" else 1 - mask
    if name in (f"scale:{scale}" for scale in scales):
        return _evidence_mask(explanation, (name.removeprefix("scale:"),), share)
    if name in events:
        return box_mask([events[name]], explanation.mel_config, window_start_s=explanation.start_s)
    raise ExplanationError(
        f"One can listen to the window, the evidence, the rest, a scale or an event, not to {name!r}."
    )


def covers_window(event: Box, mel_config: MelConfig) -> bool:
    """Whether an event covers so much of the window that it points at nothing in it."""
    return event.end_s - event.start_s > WHOLE_WINDOW * mel_config.window_s


def _named_events(explanation: "Explanation") -> dict[str, "EvidenceEvent"]:
    return {f"event:{number}": event for number, event in enumerate(explanation.brief_events, start=1)}


def _evidence_mask(explanation: "Explanation", scales: tuple[str, ...], share: float) -> np.ndarray:
    """(F, L): the strongest events of these scales; where they all cover the window, the strongest cells of the map."""
    events = [event for event in explanation.brief_events if event.scale in scales]
    if events:
        return box_mask(events[:N_EVENTS], explanation.mel_config, window_start_s=explanation.start_s)
    maps = explanation.sound_maps
    mask = top_mask(maps.maps[[maps.scales.index(scale) for scale in scales]].sum(0), share)
    if not mask.any():
        raise NothingToHear("Nothing in this window speaks for this tag, so there is nothing to listen to.")
    return mask


def render(
    waveform: np.ndarray, mask: np.ndarray, mel_config: MelConfig, *, equal_loudness: bool = False
) -> np.ndarray:
    """Weights a waveform by a map over its mel spectrogram: same length, same alignment, original phase.

    Frequencies between two bands' centres get the weights of both, linearly; overlapping windows fade every change in
    time, so that nothing clicks. A map of ones returns the waveform.

    Args:
        waveform: (T,) at the front end's sample rate, no longer than the map.
        mask: (F, L) weights, 0 to 1.
        equal_loudness: raise what is left to the waveform's loudness (gated RMS, see `loudness_db`), but no peak beyond
            full scale.

    Raises:
        ExplanationError: the map's bands are not the front end's, or its frames end before the waveform.
    """
    n_samples, hop = len(waveform), mel_config.hop_length
    n_frames = -(-n_samples // hop) + 1
    if mask.ndim != 2 or len(mask) != mel_config.n_mels or mask.shape[1] < n_samples // hop + 1:
        raise ExplanationError(f"A map {mask.shape} does not cover {n_samples} samples of sound.")
    weights = _over_bins(np.pad(mask, ((0, 0), (0, 1)), mode="edge")[:, :n_frames], mel_config)  # (bins, frames)
    padded = torch.zeros((n_frames - 1) * hop)
    padded[:n_samples] = torch.from_numpy(np.asarray(waveform, dtype=np.float32))
    window = torch.hann_window(mel_config.n_fft)
    spectrum = torch.stft(padded, mel_config.n_fft, hop, window=window, pad_mode="constant", return_complex=True)
    spectrum *= torch.from_numpy(weights)
    masked: np.ndarray = torch.istft(spectrum, mel_config.n_fft, hop, window=window, length=len(padded)).numpy()
    masked = masked[:n_samples]
    return _match_loudness(masked, waveform, mel_config.sample_rate) if equal_loudness else masked


def top_mask(attribution: np.ndarray, share: float) -> np.ndarray:
    """Ones on the given share (0 to 1) of the cells, those that speak most for the tag; zeros elsewhere.

    Cells that do not speak for it at all are never among them.
    """
    n_cells = min(round(share * attribution.size), int((attribution > 0).sum()))
    mask = np.zeros(attribution.size, dtype=np.float32)
    if n_cells:
        mask[np.argpartition(attribution.ravel(), -n_cells)[-n_cells:]] = 1
    return mask.reshape(attribution.shape)


def box_mask(
    boxes: Iterable[Box], mel_config: MelConfig, *, window_start_s: float = 0.0, margin_s: float = MARGIN_S
) -> np.ndarray:
    """Ones (F, L) on the bands and moments of events or cells, and for a margin of time around them.

    Args:
        window_start_s: where the window stands in the recording, as it was told to `evidence`.
    """
    centres_hz = mel_config.band_edges_hz()[:, 1]
    frames_s = window_start_s + mel_config.frame_to_s(1) * np.arange(mel_config.n_frames)
    mask = np.zeros((mel_config.n_mels, mel_config.n_frames), dtype=np.float32)
    for box in boxes:
        bands = (box.low_hz <= centres_hz) & (centres_hz <= box.high_hz)
        frames = (box.start_s - margin_s <= frames_s) & (frames_s <= box.end_s + margin_s)
        mask[np.ix_(bands, frames)] = 1
    return mask


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


def _over_bins(mask: np.ndarray, mel_config: MelConfig) -> np.ndarray:
    """(F, L) over mel bands to (n_fft / 2 + 1, L) over frequencies: linear between the bands' centres, level beyond."""
    centres_hz = mel_config.band_edges_hz()[:, 1]
    frequencies_hz = np.linspace(0, mel_config.sample_rate / 2, mel_config.n_fft // 2 + 1)
    share_of_band = np.stack([np.interp(frequencies_hz, centres_hz, row) for row in np.eye(len(centres_hz))], axis=1)
    return (share_of_band @ mask).astype(np.float32)


def _match_loudness(masked: np.ndarray, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    wanted, had = loudness_db(waveform, sample_rate), loudness_db(masked, sample_rate)
    if not (np.isfinite(wanted) and np.isfinite(had)):
        return masked
    gain = min(10 ** ((wanted - had) / 20), 1 / np.abs(masked).max())
    return (masked * gain).astype(np.float32)
