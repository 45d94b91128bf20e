"""Distorted guitars: clean ones through a wave shaper and a cabinet, alone or with bass and drums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn.data.manifest import SPLITS, Clip, Manifest, deal_groups
from msecnn.data.synthesis import effects, percussion
from msecnn.data.synthesis.drum_kits import Kit
from msecnn.data.synthesis.notes import Note, patch_of, rendered
from msecnn.data.synthesis.packages import licence_of
from msecnn.data.synthesis.piece import (
    DURATION_S,
    N_SAMPLES,
    SAMPLE_RATE,
    Piece,
    known_truths,
    loaded,
    only_instruments,
    shuffled,
    without_voice,
)  # fmt: skip
from msecnn.errors import DatasetError

#: General MIDI: nylon, steel, jazz, clean, muted.
PROGRAMS = (24, 25, 26, 27, 28)
BASS_PROGRAM = 33
DRIVE_DB = (8.0, 36.0)
TEMPO = (75.0, 170.0)
LEVEL_DB = (-22.0, -11.0)
#: Semitones above the key: roots of riffs in the minor and blues scales.
ROOTS = (0, 0, 0, 3, 5, 7, 10, -2)
STRINGS = "plucked string model"  # no package: the sound is computed


@dataclass(frozen=True)
class Guitar:
    """A clean guitar: a program of a package, a recorded clip, or the string model where both are missing."""

    group: str
    licence: str
    program: int = 0
    sounds: Path | None = None
    clip: Clip | None = None


def find_guitars(sounds: Mapping[str, Path], recorded: Manifest | None) -> tuple[list[Guitar], dict[str, list[Guitar]]]:
    """Guitars that may go to any split, and recorded ones, which have theirs."""
    free = [
        Guitar(f"guitar {program} of {package}", licence_of(package), program, place)
        for package, place in sounds.items()
        for program in PROGRAMS
        if not place.is_dir() or patch_of(place, program)
    ]
    clips = recorded.clips if recorded else ()
    of_split: dict[str, list[Guitar]] = {split: [] for split in SPLITS}
    for clip in clips:
        if recorded and known_truths(recorded.tags, clip).get("guitar") == 1:
            licence = clip.extra.get("licence") or "not stated"
            of_split[clip.split].append(Guitar(f"{clip.group or clip.clip_id}", licence, clip=clip))
    return [*free, Guitar(STRINGS, "none needed: computed")], of_split


def plan_guitars(
    sounds: Mapping[str, Path], kits: Sequence[Kit], recorded: Manifest | None, n_clips: Mapping[str, int], *, seed: int
) -> list[Piece]:
    """Plans clips of each split: guitars and drum kits are shared by none; every other clip is a band.

    Args:
        sounds: packages to soundfonts or folders of patches.
        kits: for the bands.
        recorded: clips of which it is known that a guitar plays, in their own splits.
        n_clips: how many for each split.
        seed: of all that is drawn.
    """
    free, of_split = find_guitars(sounds, recorded)
    split_of = deal_groups({guitar.group: 1 for guitar in free}, seed=seed, fractions=(0.65, 0.15, 0.2))
    pieces = []
    for split, n in n_clips.items():
        rng = np.random.default_rng([seed, SPLITS.index(split)])
        guitars = shuffled([guitar for guitar in free if split_of[guitar.group] == split] + of_split[split], rng)
        mine = percussion.kits_of(kits, split, seed=seed)
        if n and not (guitars and mine):
            raise DatasetError(f"no guitar, or no drum kit, is left for {split}")
        for index in range(n):
            kit = mine[rng.integers(len(mine))] if index % 2 else None
            guitar = guitars[index // 2 % len(guitars)]
            pieces.append(_piece(f"guitar {split} {index:04d}", split, guitar, kit, sounds, rng, seed))
    return pieces


def riff(tempo: float, rng: np.random.Generator, *, chords: bool) -> list[Note]:
    """Power chords and palm-muted eighths, or a lead line, in one key."""
    key, step_s, notes = 40 + int(rng.integers(0, 8)), 30 / tempo, []
    bars = [[int(rng.choice(ROOTS)) for _ in range(4)] for _ in range(2)]
    for step in range(int(DURATION_S / step_s)):
        root = key + bars[step // 8 % 2][step // 2 % 4]
        start_s, velocity = step * step_s + abs(rng.normal(0, 0.004)), int(rng.integers(85, 125))
        if chords and rng.random() < 0.85:
            length_s = step_s * (0.35 if rng.random() < 0.4 else 0.95)  # muted, or ringing
            notes += [Note(start_s, length_s, root + interval, velocity) for interval in (0, 7, 12)]
        elif not chords and rng.random() < 0.75:
            notes.append(Note(start_s, step_s * rng.uniform(0.8, 2), root + 12 + int(rng.choice(ROOTS)), velocity))
    return notes


def plucked(notes: Sequence[Note], rng: np.random.Generator) -> np.ndarray:
    """(T,) by the string of Karplus and Strong (Computer Music Journal, 1983): looped noise, averaged each turn."""
    sounds = []
    for note in notes:
        period = max(2, round(SAMPLE_RATE / note.hz))
        turns = round((note.duration_s + 0.1) * SAMPLE_RATE) // period + 1
        string = np.empty((turns, period))
        string[0] = rng.uniform(-1, 1, period)
        for turn in range(1, turns):
            string[turn] = 0.498 * (string[turn - 1] + np.roll(string[turn - 1], 1))
        sounds.append((note.start_s, note.velocity / 127 * string.ravel()))
    return effects.placed(sounds, N_SAMPLES)


def _clean(guitar: Guitar, notes: Sequence[Note], rng: np.random.Generator) -> np.ndarray:
    if guitar.clip is not None:
        return effects.fitted(loaded(guitar.clip), N_SAMPLES)
    return rendered(notes, guitar.program, guitar.sounds) if guitar.sounds else plucked(notes, rng)


def _piece(
    name: str, split: str, guitar: Guitar, kit: Kit | None, sounds: Mapping[str, Path],
    rng: np.random.Generator, seed: int,
) -> Piece:  # fmt: skip
    tempo, drive_db, level_db = rng.uniform(*TEMPO), rng.uniform(*DRIVE_DB), rng.uniform(*LEVEL_DB)
    chords, guitar_db = bool(rng.random() < 0.65), rng.uniform(0, 8)
    pattern = str(rng.choice(["rock", "four", "break", "toms"]))
    bass_from = sorted(sounds)[rng.integers(len(sounds))] if sounds else ""

    def render(own_rng: np.random.Generator) -> np.ndarray:
        notes = riff(tempo, own_rng, chords=chords)
        clean = _clean(guitar, notes, own_rng)
        driven = effects.distorted(clean, drive_db=drive_db, asymmetry=own_rng.uniform(0, 0.3))
        sound = effects.through_cabinet(driven, own_rng)
        sound = effects.in_room(sound, own_rng, decay_s=own_rng.uniform(0.2, 1.2), wet_db=own_rng.uniform(-26, -12))
        if kit:
            sound = effects.at_level(sound, guitar_db) + effects.at_level(
                percussion.played(kit, pattern, tempo, own_rng), 0
            )
            if bass_from and guitar.clip is None:
                low = [Note(n.start_s, n.duration_s, n.pitch - 12, n.velocity) for n in notes[:: 3 if chords else 2]]
                sound = sound + effects.at_level(rendered(low, BASS_PROGRAM, sounds[bass_from]), -3)
        return effects.at_level(sound, level_db)

    in_band = f"{kit.name}, {pattern}" if kit else "alone"
    numbers = {"tempo": tempo, "drive_db": drive_db, "level": level_db}
    parts = [guitar.licence, licence_of(kit.package) if kit else "", licence_of(bass_from) if kit and bass_from else ""]
    return Piece(
        name=name,
        split=split,
        group=guitar.group,
        licence=" and ".join(dict.fromkeys(filter(None, parts))),
        truths=without_voice() | only_instruments("guitar", *(("drums",) if kit else ())),
        extra={
            "recipe": "guitars", "guitar": guitar.group, "band": in_band, "chords": str(chords),
            **{key: f"{value:.3f}" for key, value in numbers.items()},
        },
        content=(guitar.clip.hash if guitar.clip else "",),
        seed=seed,
        render=render,
    )  # fmt: skip
