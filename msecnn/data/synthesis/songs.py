"""Songs: dry voices over instrumental clips, women and men in equal number, neither shared between the splits."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from msecnn.data.manifest import SPLITS, Clip, Manifest
from msecnn.data.synthesis import effects
from msecnn.data.synthesis.piece import INSTRUMENTS, N_SAMPLES, Piece, known_truths, loaded, shuffled
from msecnn.errors import DatasetError
from msecnn.tags import FAMILIES

VOICE_DB = (0.0, 9.0)  # of the voice without its pauses, re the backing
LEVEL_DB = (-24.0, -12.0)  # of the song, dB re full scale: as the corpus, less the level where peaks don't fit
SPEEDS = (0.95, 1.05)  # of a voice: tempo, pitch and formants together
LOWERED_SPEEDS = (0.72, 0.8)  # a woman's voice with a man's pitch and formants, where there are no men
MAX_USES = 12  # of one man's clip in a split


@dataclass(frozen=True)
class Singer:
    """A clip of a dry voice, and whose it is: "woman", "man" or "lowered", a woman's voice played slower."""

    clip: Clip
    kind: str


def plan_songs(voices: Manifest, backings: Manifest, n_songs: Mapping[str, int], *, seed: int) -> list[Piece]:
    """Plans each split's songs from voices and backings of that split.

    Args:
        voices: of which those clips are taken where singing, and a woman or a man, are known to be true.
        backings: of which all clips are taken where no voice is known.
        n_songs: how many for each split.
        seed: of all that is drawn.

    Raises:
        DatasetError: a split of which songs are wanted has no woman's voice or no backing.
    """
    pieces = []
    for split in (split for split in SPLITS if n_songs.get(split)):
        rng = np.random.default_rng([seed, SPLITS.index(split)])
        singers = _singers(voices.split(split), rng)
        over = shuffled(_instrumental(backings.split(split)), rng)
        if not over:
            raise DatasetError(f"{backings.name} has no instrumental clips in its {split} split to sing over")
        for index, singer, backing in zip(range(n_songs[split]), singers, itertools.cycle(over), strict=False):
            truths = _truths(singer, known_truths(backings.tags, backing))
            pieces.append(_song(f"song {split} {index:04d}", singer, backing, truths, rng, seed))
    return pieces


def mixed(voice: np.ndarray, backing: np.ndarray, voice_db: float) -> np.ndarray:
    """(T,) a voice, repeated or cut to the backing's length, `voice_db` above it; pauses of either don't count."""
    voice = effects.fitted(voice, len(backing))
    ratio_db = effects.active_level_db(voice) - effects.active_level_db(backing)
    return backing + effects.gain(voice, voice_db - ratio_db)


def _singers(voices: Manifest, rng: np.random.Generator) -> Iterator[Singer]:
    """A woman, then a man, then a woman, without end."""
    of = {"woman": [], "man": []}  # type: dict[str, list[Clip]]
    for clip in voices.clips:
        truths = known_truths(voices.tags, clip)
        sexes = [sex for sex in of if truths.get(sex) == 1]
        if truths.get("singing") == 1 and len(sexes) == 1:
            of[sexes[0]].append(clip)
    if not of["woman"]:
        raise DatasetError(f"{voices.name} has no clips of which it is known that a woman sings in this split")
    women = shuffled(of["woman"], rng)
    men = [Singer(clip, "man") for clip in shuffled(of["man"], rng) * MAX_USES]
    lowered = (Singer(clip, "lowered") for clip in itertools.cycle(shuffled(women, rng)))
    alternating = itertools.chain.from_iterable(zip(men, lowered, strict=False))  # men that are men, as often as not
    others = itertools.chain(alternating, lowered)
    for woman in itertools.cycle(women):
        yield Singer(woman, "woman")
        yield next(others)


def _instrumental(backings: Manifest) -> Iterator[Clip]:
    for clip in backings.clips:
        truths = known_truths(backings.tags, clip)
        if not any(truths.get(tag) == 1 for tag in FAMILIES["vocals"]):
            yield clip


def _truths(singer: Singer, of_backing: Mapping[str, float]) -> dict[str, float]:
    """What is known of a song: somebody sings, who, and the instruments that are known to play."""
    truths = dict.fromkeys(FAMILIES["vocals"], 1.0) | dict.fromkeys(FAMILIES["no vocals"], 0.0)
    truths |= {tag: 1.0 for tag in INSTRUMENTS if of_backing.get(tag) == 1}
    if singer.kind != "lowered":  # whom a lowered voice sounds like is for listeners to say
        truths |= {tag: float(singer.kind == "woman") for tag in FAMILIES["female voice"]}
        truths |= {tag: float(singer.kind == "man") for tag in FAMILIES["male voice"]}
    return truths


def _song(
    name: str, singer: Singer, backing: Clip, truths: Mapping[str, float], rng: np.random.Generator, seed: int
) -> Piece:
    speed = rng.uniform(*(LOWERED_SPEEDS if singer.kind == "lowered" else SPEEDS))
    voice_db, level_db = rng.uniform(*VOICE_DB), rng.uniform(*LEVEL_DB)
    decay_s, wet_db = rng.uniform(0.3, 2.2), rng.uniform(-22, -6)
    delay_s, echo_db = rng.uniform(0.15, 0.5), rng.uniform(-24, -9)
    pan = rng.normal(0, 0.25)  # of the voice, -1 left, 1 right; the networks listen to one channel

    def render(own_rng: np.random.Generator) -> np.ndarray:
        voice = loaded(singer.clip, speed=speed)
        voice = effects.with_echoes(voice, delay_s=delay_s, echo_db=echo_db)
        voice = effects.in_room(voice, own_rng, decay_s=decay_s, wet_db=wet_db)
        music = effects.fitted(loaded(backing), N_SAMPLES)
        return effects.at_level(mixed(voice, music, voice_db), level_db)

    numbers = {
        "speed": speed, "voice_db": voice_db, "level": level_db, "decay_s": decay_s, "wet_db": wet_db,
        "delay_s": delay_s, "echo_db": echo_db, "pan": float(np.clip(pan, -1, 1)),
    }  # fmt: skip
    named = {"recipe": "songs", "singer": singer.kind, "voice": singer.clip.clip_id, "backing": backing.clip_id}
    groups = {"voice_group": str(singer.clip.group), "backing_group": str(backing.group)}
    licences = dict.fromkeys(clip.extra.get("licence") or "not stated" for clip in (singer.clip, backing))
    return Piece(
        name=name,
        split=backing.split,
        group=f"{singer.clip.group} over {backing.group}",
        licence=" and ".join(licences),
        truths=truths,
        extra={**named, **groups, **{key: f"{value:.3f}" for key, value in numbers.items()}},
        content=(singer.clip.hash, backing.hash),
        seed=seed,
        render=render,
    )
