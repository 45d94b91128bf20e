"""Bare instruments: our own notes by several soundfonts, in rooms, split by instrument and soundfont together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn.data.manifest import SPLITS, deal_groups
from msecnn.data.synthesis import effects, melodies
from msecnn.data.synthesis.notes import Note, patch_of, rendered
from msecnn.data.synthesis.packages import licence_of
from msecnn.data.synthesis.piece import Piece, only_instruments, shuffled, without_voice
from msecnn.errors import DatasetError

Compose = Callable[[int, int, float, np.random.Generator], list[Note]]
TEMPO = (55.0, 150.0)  # beats a minute
LEVEL_DB = (-30.0, -12.0)


@dataclass(frozen=True)
class Instrument:
    """Attributes:
    program: of General MIDI, from 0.
    lowest, highest: compass, MIDI numbers.
    compose: ways in which it is played.
    tags: of the vocabulary that are true of it.
    uncertain: what some listeners would call it too.
    """

    program: int
    lowest: int
    highest: int
    compose: tuple[Compose, ...] = (melodies.melody,)
    tags: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()


_KEYS = (melodies.broken_chords, melodies.jazz_piano, melodies.melody)
_PLUCKED = (melodies.broken_chords, melodies.melody)
INSTRUMENTS = {
    "piano": Instrument(0, 33, 96, _KEYS, ("piano",)),
    "jazz piano": Instrument(0, 33, 96, (melodies.jazz_piano,), ("piano",)),
    "electric piano": Instrument(4, 36, 90, _KEYS, uncertain=("piano",)),
    "harpsichord": Instrument(6, 36, 88, _PLUCKED, ("harpsichord",)),
    "vibraphone": Instrument(11, 53, 88, _PLUCKED),
    "marimba": Instrument(12, 45, 90, _PLUCKED),
    "church organ": Instrument(19, 36, 88, _PLUCKED),
    "accordion": Instrument(21, 53, 88, _PLUCKED),
    "nylon guitar": Instrument(24, 40, 79, _PLUCKED, ("guitar",)),
    "steel guitar": Instrument(25, 40, 81, _PLUCKED, ("guitar",)),
    "double bass": Instrument(32, 28, 55, uncertain=("cello", "strings")),
    "violin": Instrument(40, 55, 93, tags=("violin",)),
    "cello": Instrument(42, 36, 74, tags=("cello",)),
    "pizzicato": Instrument(45, 36, 88, _PLUCKED, ("strings",), ("violin", "cello")),
    "harp": Instrument(46, 36, 93, _PLUCKED, ("harp",)),
    "strings": Instrument(48, 40, 88, _PLUCKED, ("strings",), ("violin", "cello")),
    "trumpet": Instrument(56, 55, 82),
    "trombone": Instrument(57, 40, 70),
    "tenor saxophone": Instrument(66, 44, 75),
    "oboe": Instrument(68, 58, 88),
    "bassoon": Instrument(70, 34, 70),
    "clarinet": Instrument(71, 50, 88),
    "flute": Instrument(73, 60, 93, tags=("flute",)),
    "recorder": Instrument(74, 65, 93, uncertain=("flute",)),
    "sitar": Instrument(104, 48, 77, tags=("sitar",)),
    "banjo": Instrument(105, 48, 81, _PLUCKED, uncertain=("guitar",)),
}


@dataclass(frozen=True)
class Voice:
    """An instrument as one package has it."""

    name: str
    package: str
    sounds: Path

    @property
    def group(self) -> str:
        return f"{INSTRUMENTS[self.name].program} of {self.package}"


def available(sounds: Mapping[str, Path], names: Sequence[str] = tuple(INSTRUMENTS)) -> list[Voice]:
    """Every instrument of every package that has it; `sounds` maps packages to soundfonts or folders of patches."""
    return [
        Voice(name, package, place)
        for name in names
        for package, place in sounds.items()
        if not place.is_dir() or patch_of(place, INSTRUMENTS[name].program)
    ]


def split_voices(voices: Sequence[Voice], *, seed: int) -> dict[str, list[Voice]]:
    """Deals instruments of packages out to the splits; what shares a sound stays together."""
    sizes = {voice.group: 1 for voice in voices}
    split_of = deal_groups(sizes, seed=seed, fractions=(0.7, 0.12, 0.18))
    return {split: [voice for voice in voices if split_of[voice.group] == split] for split in SPLITS}


def plan_instruments(sounds: Mapping[str, Path], n_clips: Mapping[str, int], *, seed: int) -> list[Piece]:
    """Plans clips of each split, all its instruments in turn."""
    pieces = []
    voices = split_voices(available(sounds), seed=seed)
    for split, n in n_clips.items():
        rng = np.random.default_rng([seed, SPLITS.index(split)])
        mine = shuffled(voices[split], rng)
        if n and not mine:
            raise DatasetError(f"no instrument is left for {split}")
        for index in range(n):
            voice = mine[index % len(mine)]
            pieces.append(_piece(f"instrument {split} {index:04d}", split, voice, rng, seed))
    return pieces


def _piece(name: str, split: str, voice: Voice, rng: np.random.Generator, seed: int) -> Piece:
    instrument = INSTRUMENTS[voice.name]
    compose = instrument.compose[rng.integers(len(instrument.compose))]
    tempo, level_db = rng.uniform(*TEMPO), rng.uniform(*LEVEL_DB)
    decay_s, wet_db = rng.uniform(0.2, 2.5), rng.uniform(-30, -8)

    def render(own_rng: np.random.Generator) -> np.ndarray:
        notes = compose(instrument.lowest, instrument.highest, tempo, own_rng)
        dry = rendered(notes, instrument.program, voice.sounds)
        return effects.at_level(effects.in_room(dry, own_rng, decay_s=decay_s, wet_db=wet_db), level_db)

    truths = without_voice() | only_instruments(*instrument.tags)
    numbers = {"tempo": tempo, "level": level_db, "decay_s": decay_s, "wet_db": wet_db}
    named = {"recipe": "instruments", "instrument": voice.name, "sounds": voice.package, "played": compose.__name__}
    return Piece(
        name=name,
        split=split,
        group=voice.group,
        licence=licence_of(voice.package),
        truths={tag: value for tag, value in truths.items() if tag not in instrument.uncertain},
        extra={**named, **{key: f"{value:.3f}" for key, value in numbers.items()}},
        content=(voice.package,),
        seed=seed,
        render=render,
    )
