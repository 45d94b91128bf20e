"""Any recording (path, bytes or array) to a mono waveform at one sample rate, saying what was done on the way.

PyAV (FFmpeg) decodes, soxr resamples at its HQ quality. Everything streams: a block of about a second is in memory
at a time, and a part of a long file is reached by seeking. No bytes reach FFmpeg but those of the one file asked for.
"""

from msecnn.audio.codec_round_trip import CODECS, coded, encoded
from msecnn.audio.condition import SILENT
from msecnn.audio.info import AudioInfo
from msecnn.audio.mono import side
from msecnn.audio.recording import SAMPLE_RATE, AudioStream, Recording, Source, probe, read_recording
from msecnn.audio.source import AudioError
from msecnn.audio.streaming import StreamResampler
from msecnn.audio.wav import wav_bytes, write_wav

__all__ = [
    "CODECS",
    "SAMPLE_RATE",
    "SILENT",
    "AudioError",
    "AudioInfo",
    "AudioStream",
    "Recording",
    "Source",
    "StreamResampler",
    "coded",
    "encoded",
    "probe",
    "read_recording",
    "side",
    "wav_bytes",
    "write_wav",
]
