"""Dry percussion: drum samples in played patterns, split by kit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from msecnn import audio
from msecnn.data.manifest import SPLITS, deal_groups
from msecnn.data.synthesis import effects
from msecnn.data.synthesis.drum_kits import Kit
from msecnn.data.synthesis.gus_patch import play, read_patch
from msecnn.data.synthesis.packages import licence_of
from msecnn.data.synthesis.piece import (
    DURATION_S,
    N_SAMPLES,
    SAMPLE_RATE,
    Piece,
    only_instruments,
    shuffled,
    without_voice,
)
from msecnn.errors import DatasetError

#: Sixteen steps of a bar: how often each is played, in tenths ("a" is always).
PATTERNS: dict[str, dict[str, str]] = {
    "rock": {
        "kick": "a0003001a0400002",
        "snare": "0000a0010000a002",
        "hat": "a090a090a090a090",
        "cymbal": "2000000000000000",
    },
    "funk": {
        "kick": "a020016030a00200",
        "snare": "0000a0030403a003",
        "hat": "a5a5a5a5a5a5a5a5",
        "clap": "0000300000003000",
    },
    "four": {
        "kick": "a000a000a000a001",
        "clap": "0000a0000000a000",
        "hat": "00a000a000a000a2",
        "small": "3131313131313131",
    },
    "break": {
        "kick": "a0a0000000a30000",
        "snare": "0000a00a0a00a00a",
        "hat": "a0a0a0a0a0a0a0a0",
        "cymbal": "1000000000000000",
    },
    "hands": {
        "hand": "a3525a35a352a5a5",
        "small": "a0a5a0a5a0a5a0a5",
        "clap": "0000200000002000",
        "kick": "5000000050000000",
    },
    "toms": {
        "tom": "a2425a24a242a4a6",
        "kick": "a0000000a0000000",
        "snare": "0000100000002010",
        "cymbal": "1000000000000000",
    },
    "march": {
        "snare": "a07a7aa0a07a7aaa",
        "kick": "a0000000a0000000",
        "cymbal": "3000000000000000",
    },
    "sparse": {
        "kick": "a000000000000000",
        "snare": "00000000a0000000",
        "small": "0010001000100010",
        "tom": "0000000000020002",
    },
}
TEMPO = (70.0, 165.0)  # beats a minute, four steps each
LEVEL_DB = (-26.0, -12.0)


def plan_percussion(kits: Sequence[Kit], n_clips: Mapping[str, int], *, seed: int) -> list[Piece]:
    """Plans clips of each split from kits that no other split has."""
    pieces = []
    for split, n in n_clips.items():
        rng = np.random.default_rng([seed, SPLITS.index(split)])
        mine = shuffled(kits_of(kits, split, seed=seed), rng)
        if n and not mine:
            raise DatasetError(f"of {len(kits)} drum kits none is left for {split}")
        pieces += [
            _piece(f"percussion {split} {index:04d}", split, mine[index % len(mine)], rng, seed) for index in range(n)
        ]
    return pieces


def kits_of(kits: Sequence[Kit], split: str, *, seed: int) -> list[Kit]:
    """The kits that are a split's own."""
    split_of = deal_groups({kit.name: 1 for kit in kits}, seed=seed, fractions=(0.6, 0.15, 0.25))
    return [kit for kit in kits if split_of[kit.name] == split]


def played(kit: Kit, pattern: str, tempo: float, rng: np.random.Generator) -> np.ndarray:
    """(T,) a pattern for the length of a piece: with swing, accents, fills and small errors, as people play."""
    step_s, swing = 15 / tempo, rng.uniform(0, 0.25)
    voices = {role: steps for role, steps in PATTERNS[pattern].items() if role in kit.samples}
    voices = voices or dict.fromkeys(sorted(kit.samples)[:2], PATTERNS["toms"]["tom"])
    chosen = {role: [_sample(str(path)) for path in _some(kit.samples[role], rng)] for role in voices}
    loudness_db = {role: rng.uniform(-9, 0) for role in voices}
    sounds = []
    for step in range(int(DURATION_S / step_s)):
        start_s = (step + swing * (step % 2)) * step_s + rng.normal(0, 0.004)
        for role, steps in voices.items():
            if rng.random() < int(steps[step % 16], 16) / 10:
                accent_db = rng.normal(0, 1.5) - 4 * (step % 4 > 0)
                sound = chosen[role][rng.integers(len(chosen[role]))]
                sounds.append((max(0.0, start_s), effects.gain(sound, loudness_db[role] + accent_db)))
    return effects.placed(sounds, N_SAMPLES)


def _some(paths: Sequence[Path], rng: np.random.Generator) -> list[Path]:
    first = int(rng.integers(len(paths)))
    return [paths[(first + offset) % len(paths)] for offset in range(min(3, len(paths)))]


def _sample(path: str) -> np.ndarray:
    """(T,) one stroke, its peak at full scale."""
    if path.endswith(".pat"):
        waveform = play(read_patch(Path(path)), None, 0.0)
    else:
        waveform = audio.read_recording(path, sample_rate=SAMPLE_RATE).waveform.astype(np.float64)
    return waveform / max(float(np.abs(waveform).max(initial=0)), 1e-6)


def _piece(name: str, split: str, kit: Kit, rng: np.random.Generator, seed: int) -> Piece:
    fitting = [name for name, roles in PATTERNS.items() if len(roles.keys() & kit.samples.keys()) >= 2]
    pattern = fitting[rng.integers(len(fitting))]
    tempo, level_db = rng.uniform(*TEMPO), rng.uniform(*LEVEL_DB)
    room = (rng.uniform(0.15, 0.9), rng.uniform(-24, -10)) if rng.random() < 0.5 else None

    def render(own_rng: np.random.Generator) -> np.ndarray:
        dry = played(kit, pattern, tempo, own_rng)
        wet = effects.in_room(dry, own_rng, decay_s=room[0], wet_db=room[1]) if room else dry
        return effects.at_level(wet, level_db)

    told_room = f"{room[0]:.2f} s, {room[1]:.1f} dB" if room else "none"
    numbers = {"tempo": f"{tempo:.1f}", "level": f"{level_db:.1f}", "room": told_room}
    return Piece(
        name=name,
        split=split,
        group=f"kit {kit.name}",
        licence=licence_of(kit.package),
        truths=without_voice() | only_instruments("drums"),
        extra={"recipe": "percussion", "kit": kit.name, "pattern": pattern, **numbers},
        content=tuple(str(path.stat().st_size) for paths in kit.samples.values() for path in paths),
        seed=seed,
        render=render,
    )
