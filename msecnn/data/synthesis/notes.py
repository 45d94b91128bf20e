"""Notes, and what plays them: fluidsynth with a soundfont, or patches of freepats."""

import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn import audio
from msecnn.data.debian import run_program
from msecnn.data.synthesis.effects import placed
from msecnn.data.synthesis.gus_patch import play, read_patch
from msecnn.data.synthesis.piece import N_SAMPLES, SAMPLE_RATE
from msecnn.errors import DatasetError

TICKS = 1000  # of MIDI in a second: a quarter lasts one, whatever the music's own beat is
FONT_RATE = 44_100  # Hz, at which fluidsynth renders
GAIN = 0.4  # of fluidsynth: chords stay below full scale


@dataclass(frozen=True)
class Note:
    """Attributes:
    start_s, duration_s: seconds.
    pitch: MIDI number, 69 is A of 440 Hz.
    velocity: 1 to 127.
    """

    start_s: float
    duration_s: float
    pitch: int
    velocity: int

    @property
    def hz(self) -> float:
        return 440 * 2 ** ((self.pitch - 69) / 12)


def midi_file(notes: Sequence[Note], program: int) -> bytes:
    """A Standard MIDI File of one track, for one General MIDI program (0 to 127)."""
    events = [(0, 0, bytes([0xC0, program]))]
    for note in notes:
        begin, end = round(note.start_s * TICKS), round((note.start_s + note.duration_s) * TICKS)
        events.append((begin, 2, bytes([0x90, note.pitch, note.velocity])))
        events.append((max(begin + 1, end), 1, bytes([0x80, note.pitch, 0])))
    track, now = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big"), 0
    for tick, _, event in sorted(events):
        track += _variable_length(tick - now) + event
        now = tick
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable_length(number: int) -> bytes:
    """Seven bits a byte, the first ones marked by the eighth bit."""
    found = [number & 0x7F]
    while number := number >> 7:
        found.append(0x80 | number & 0x7F)
    return bytes(reversed(found))


def rendered(notes: Sequence[Note], program: int, sounds: Path) -> np.ndarray:
    """(T,) of a piece's length, dry.

    Args:
        notes: what is played.
        program: of General MIDI, from 0.
        sounds: a soundfont (`.sf2`), or a folder with patches of freepats.
    """
    return _by_patches(notes, program, sounds) if sounds.is_dir() else _by_soundfont(notes, program, sounds)


def patch_of(folder: Path, program: int) -> Path | None:
    """The patch that freepats has for a program, if it has one."""
    return next(iter(sorted(folder.rglob(f"Tone_000/{program:03d}_*.pat"))), None)


def _by_soundfont(notes: Sequence[Note], program: int, font: Path) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "notes.mid"), Path(folder, "notes.wav")
        midi.write_bytes(midi_file(notes, program))
        options = ("-q", "-n", "-i", "-R", "0", "-C", "0", "-g", str(GAIN), "-r", str(FONT_RATE))
        run_program("fluidsynth", *options, "-F", str(wav), str(font.absolute()), str(midi), cwd=Path(folder))
        waveform = audio.read_recording(wav, sample_rate=SAMPLE_RATE).waveform.astype(np.float64)
    return placed([(0.0, waveform)], N_SAMPLES)


def _by_patches(notes: Sequence[Note], program: int, folder: Path) -> np.ndarray:
    patch = patch_of(folder, program)
    if patch is None:
        raise DatasetError(f"{folder} has no patch for program {program}")
    samples = read_patch(patch)
    return placed(
        [(n.start_s, (n.velocity / 127) ** 1.5 * play(samples, n.hz, n.duration_s)) for n in notes], N_SAMPLES
    )
