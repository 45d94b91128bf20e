"""Waveform to log-mel spectrogram, and back from a mel cell to seconds and Hz. Only `LogMelSpectrogram` needs torch."""

from typing import TYPE_CHECKING, Any

from msecnn.frontend.mel_config import InputSpec, MelConfig, fill_window

if TYPE_CHECKING:
    from msecnn.frontend.log_mel import LogMelSpectrogram

__all__ = ["InputSpec", "LogMelSpectrogram", "MelConfig", "fill_window"]


def __getattr__(name: str) -> Any:
    """The front end by torch is imported when it is first used (PEP 562)."""
    if name == "LogMelSpectrogram":
        from msecnn.frontend import log_mel

        return log_mel.LogMelSpectrogram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
