"""Waveform to log-mel spectrogram, and back from a mel cell to seconds and Hz. What `log_mel` holds needs torch."""

from typing import TYPE_CHECKING, Any

from msecnn.frontend.mel_config import InputSpec, MelConfig, fill_window

if TYPE_CHECKING:
    from msecnn.frontend.log_mel import LogMelSpectrogram, compress

__all__ = ["InputSpec", "LogMelSpectrogram", "MelConfig", "compress", "fill_window"]


def __getattr__(name: str) -> Any:
    """The front end by torch is imported when it is first used (PEP 562)."""
    if name in ("LogMelSpectrogram", "compress"):
        from msecnn.frontend import log_mel

        return getattr(log_mel, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
