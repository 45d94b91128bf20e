"""Notes for bare instruments: melodies, broken chords and jazz piano, drawn at random but by rules of taste."""

from collections.abc import Iterator, Sequence

import numpy as np

from msecnn.data.synthesis.notes import Note
from msecnn.data.synthesis.piece import DURATION_S

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 7, 9))
#: In semitones above the key: I vi ii V, i iv V i, ii V I, I IV V.
PROGRESSIONS = ((0, 9, 2, 7), (0, 5, 7, 0), (2, 7, 0, 0), (0, 5, 7, 7))
TRIADS = {0: (0, 4, 7), 2: (0, 3, 7), 5: (0, 4, 7), 7: (0, 4, 7), 9: (0, 3, 7)}
#: Voicings without a root, of major, minor and dominant sevenths with ninths.
SEVENTHS = {0: (4, 7, 11, 14), 2: (3, 7, 10, 14), 5: (4, 7, 11, 14), 7: (4, 10, 14, 21), 9: (3, 7, 10, 14)}
RHYTHMS = ((1, 1, 1, 1), (0.5, 0.5, 1, 1, 1), (1.5, 0.5, 1, 1), (0.5,) * 8, (2, 1, 1), (0.25,) * 8 + (1, 1))


def melody(lowest: int, highest: int, tempo: float, rng: np.random.Generator) -> list[Note]:
    """One voice: steps and small leaps in a scale, phrases of four bars with a breath, swelling and fading."""
    ladder = _ladder(lowest, highest, rng)
    place, notes = len(ladder) // 2, []
    beat_s, legato = 60 / tempo, rng.uniform(0.6, 1.0)
    loudness = rng.uniform(60, 105)
    for index, (start_s, beats) in enumerate(_onsets(beat_s, rng)):
        place = int(np.clip(place + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 4]), 0, len(ladder) - 1))
        if rng.random() > 0.06:
            swell = 18 * np.sin(index / 9 * np.pi)
            duration_s = beats * beat_s * legato
            notes.append(_note(start_s + rng.normal(0, 0.008), duration_s, ladder[place], loudness + swell, rng))
    return notes


def broken_chords(lowest: int, highest: int, tempo: float, rng: np.random.Generator) -> list[Note]:
    """Chords, a bar each, played one note after the other, with the bass held and a tune above in places."""
    key, beat_s = lowest + int(rng.integers(5, 12)), 60 / tempo
    progression = PROGRESSIONS[rng.integers(len(PROGRESSIONS))]
    pattern = [(0, 1, 2, 1), (0, 2, 1, 2), (0, 1, 2, 3), (3, 2, 1, 0)][rng.integers(4)]
    loudness, notes = rng.uniform(55, 100), []
    for bar in range(int(DURATION_S / (4 * beat_s)) + 1):
        degree = progression[bar % len(progression)]
        tones = [key + degree + step for step in (*TRIADS[degree], 12)]
        for eighth in range(8):
            start_s = (4 * bar + eighth / 2) * beat_s + rng.normal(0, 0.006)
            pitch = tones[pattern[eighth % 4]]
            notes.append(_note(start_s, beat_s * rng.uniform(0.5, 1.5), pitch, loudness, rng))
            if eighth in (0, 6) and rng.random() < 0.5:
                notes.append(_note(start_s, beat_s, min(highest, tones[rng.integers(3)] + 12), loudness + 12, rng))
    return _inside(notes, lowest, highest)


def jazz_piano(lowest: int, highest: int, tempo: float, rng: np.random.Generator) -> list[Note]:
    """A walking bass, chords between the beats, and a swung line above, over II V I and the like."""
    key, beat_s = 48 + int(rng.integers(-5, 6)), 60 / tempo
    progression = PROGRESSIONS[rng.choice([0, 2])]
    line, notes = key + 24, []
    for bar in range(int(DURATION_S / (4 * beat_s)) + 1):
        degree = progression[bar % len(progression)]
        for beat in range(4):
            at_s = (4 * bar + beat) * beat_s
            bass = key - 12 + degree + (TRIADS[degree] + (int(rng.choice([2, 9, 11])),))[beat]
            notes.append(_note(at_s + rng.normal(0, 0.006), 0.9 * beat_s, bass, 72, rng))
            if rng.random() < 0.35:
                for step in SEVENTHS[degree]:
                    notes.append(_note(at_s + 0.62 * beat_s, 0.4 * beat_s, key + degree + step, 66, rng))
            for swing in (0.0, 0.64):
                if rng.random() < 0.7:
                    line = int(np.clip(line + rng.choice([-4, -2, -1, 1, 2, 3, 5]), key + 14, key + 36))
                    notes.append(_note(at_s + swing * beat_s, 0.5 * beat_s, line, 88, rng))
    return _inside(notes, lowest, highest)


def _ladder(lowest: int, highest: int, rng: np.random.Generator) -> Sequence[int]:
    scale, key = SCALES[rng.integers(len(SCALES))], int(rng.integers(12))
    return [pitch for pitch in range(lowest, highest + 1) if (pitch - key) % 12 in scale]


def _onsets(beat_s: float, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Start in seconds and length in beats of each note; each fourth bar ends with a breath."""
    start_s, bar = 0.0, 0
    while start_s < DURATION_S:
        for beats in RHYTHMS[rng.integers(len(RHYTHMS))]:
            yield start_s, beats
            start_s += beats * beat_s
        bar += 1
        start_s += beat_s if bar % 4 == 0 else 0


def _note(start_s: float, duration_s: float, pitch: int, velocity: float, rng: np.random.Generator) -> Note:
    return Note(max(0.0, start_s), duration_s, int(pitch), int(np.clip(velocity + rng.normal(0, 6), 20, 127)))


def _inside(notes: Sequence[Note], lowest: int, highest: int) -> list[Note]:
    """Notes beyond an instrument's compass are moved by octaves."""
    moved = []
    for note in notes:
        pitch = note.pitch
        while pitch > highest:
            pitch -= 12
        while pitch < lowest:
            pitch += 12
        moved.append(Note(note.start_s, note.duration_s, pitch, note.velocity))
    return moved
