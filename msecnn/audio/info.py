"""What a recording's header says, and what of it can be believed."""

from dataclasses import asdict, dataclass
from typing import Any

from msecnn.audio.source import AudioError

SAMPLE_RATES = (1_000, 768_000)  # Hz; beyond these a header is wrong rather than unusual
MAX_CHANNELS = 64


@dataclass(frozen=True)
class AudioInfo:
    """What a recording's header says, before anything is decoded.

    Attributes:
        duration_s: Seconds; None where the header does not say (live recordings). An estimate for MP3 without a
            Xing header and for raw AAC.
        sample_rate: Hz.
        channels: Number of channels.
        codec: FFmpeg's name of the codec, such as "mp3", "pcm_s16le"; "array" for arrays.
        container: FFmpeg's name of the container, such as "ogg"; "array" for arrays.
    """

    duration_s: float | None
    sample_rate: int
    channels: int
    codec: str
    container: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def check_rate(whose: str, sample_rate: int) -> None:
    low, high = SAMPLE_RATES
    if not low <= sample_rate <= high or sample_rate != int(sample_rate):
        raise AudioError(
            f"The {whose} sample rate must be a whole number of {low:,} to {high:,} Hz, not {sample_rate}."
        )
