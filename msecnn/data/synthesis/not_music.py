"""What is not music: speech in many languages, ambience and effects of games, noise, tones, crackle, applause."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from msecnn import audio
from msecnn.data.manifest import SPLITS, deal_groups
from msecnn.data.synthesis import effects
from msecnn.data.synthesis.noises import NOISES
from msecnn.data.synthesis.packages import licence_of, sound_files
from msecnn.data.synthesis.piece import (
    DURATION_S,
    INSTRUMENTS,
    N_SAMPLES,
    SAMPLE_RATE,
    Piece,
    Render,
    only_instruments,
    shuffled,
    without_voice,
)  # fmt: skip
from msecnn.data.synthesis.speech import Speaker, spoken
from msecnn.errors import DatasetError

LEVEL_DB = (-36.0, -12.0)
MUSIC = r"(?i)music|musik|song|track|theme|/(cs|en|nl|de)/"  # in a path: not an effect, or speech
FRACTIONS = (0.6, 0.15, 0.25)


def plan_not_music(
    speakers: Sequence[Speaker], effect_folders: Mapping[str, Path], n_clips: Mapping[str, int], *, seed: int
) -> list[Piece]:
    """Plans clips of each split: half speech, a quarter each effects and computed noises.

    Speakers and packages of effects are shared by no two splits; noises are drawn anew each time.
    """
    files = {package: sound_files(folder, without=MUSIC) for package, folder in effect_folders.items()}
    split_of = deal_groups({each.group: 1 for each in speakers}, seed=seed, fractions=FRACTIONS)
    split_of |= deal_groups({name: 1 for name, some in files.items() if some}, seed=seed, fractions=FRACTIONS)
    pieces = []
    for split, n in n_clips.items():
        rng = np.random.default_rng([seed, SPLITS.index(split)])
        mine = shuffled([each for each in speakers if split_of[each.group] == split], rng)
        packages = [name for name in files if split_of.get(name) == split]
        if n and not (mine and packages):
            raise DatasetError(f"no speaker, or no package of effects, is left for {split}")
        speaking, noises = itertools.cycle(mine), itertools.cycle(NOISES)
        sounding = itertools.cycle(packages)
        for index in range(n):
            name = f"not music {split} {index:04d}"
            if index % 2 == 0:
                pieces.append(_speech(name, split, next(speaking), rng, seed))
            elif index % 4 == 1:
                package = next(sounding)
                pieces.append(_effects(name, split, package, files[package], rng, seed))
            else:
                noise = next(noises)
                level_db = None if noise.__name__ == "near_silence" else rng.uniform(*LEVEL_DB)
                truths = without_voice() | only_instruments()
                extra = {"kind": noise.__name__}
                pieces.append(_piece(name, split, name, "none needed: computed", truths, extra, noise, level_db, seed))
    return pieces


def strung(paths: Sequence[Path], rng: np.random.Generator) -> np.ndarray:
    """(T,) sounds one after the other with gaps; a long one, an ambience, may fill the piece alone."""
    sounds: list[tuple[float, np.ndarray]] = []
    now_s = 0.0
    while now_s < DURATION_S:
        path = paths[int(rng.integers(len(paths)))]
        sound = audio.read_recording(path, sample_rate=SAMPLE_RATE, duration_s=DURATION_S).waveform.astype(np.float64)
        if len(sound) > 5 * SAMPLE_RATE and not sounds:
            return effects.fitted(sound, N_SAMPLES)
        sounds.append((now_s, effects.at_level(sound, rng.uniform(-30, -18))))
        now_s += max(len(sound) / SAMPLE_RATE, 0.1) + rng.exponential(0.6)
    return effects.placed(sounds, N_SAMPLES)


def _speech(name: str, split: str, speaker: Speaker, rng: np.random.Generator, seed: int) -> Piece:
    decay_s, wet_db = rng.uniform(0.15, 1.2), rng.uniform(-34, -12)

    def render(own_rng: np.random.Generator) -> np.ndarray:
        return effects.in_room(spoken(speaker, own_rng), own_rng, decay_s=decay_s, wet_db=wet_db)

    truths = dict.fromkeys((*INSTRUMENTS, "singing"), 0.0)  # whether speech is "vocals" is for listeners to say
    extra = {"kind": "speech", "speaker": speaker.name, "decay_s": f"{decay_s:.2f}", "wet_db": f"{wet_db:.1f}"}
    level_db = rng.uniform(*LEVEL_DB)
    return _piece(name, split, f"speaker {speaker.group}", speaker.licence, truths, extra, render, level_db, seed)


def _effects(name: str, split: str, package: str, paths: Sequence[Path], rng: np.random.Generator, seed: int) -> Piece:
    extra = {"kind": "effects", "package": package}
    level_db = rng.uniform(*LEVEL_DB)
    return _piece(
        name, split, f"effects of {package}", licence_of(package), {}, extra,
        lambda own_rng: strung(paths, own_rng), level_db, seed,
    )  # fmt: skip


def _piece(
    name: str, split: str, group: str, licence: str, truths: Mapping[str, float], extra: Mapping[str, str],
    render: Render, level_db: float | None, seed: int,
) -> Piece:  # fmt: skip
    def at_its_level(rng: np.random.Generator) -> np.ndarray:
        waveform = render(rng)
        return waveform if level_db is None else effects.at_level(waveform, level_db)

    told = "its own" if level_db is None else f"{level_db:.1f}"
    extra = {"recipe": "not-music", **extra, "level": told}
    return Piece(name, split, group, licence, truths, extra, (), seed, at_its_level)
