"""Where speech comes from: recorded words and sentences of packages, by speaker, and espeak-ng reading numbers."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msecnn import audio
from msecnn.data.debian import run_program
from msecnn.data.synthesis import effects
from msecnn.data.synthesis.packages import licence_of, sound_files
from msecnn.data.synthesis.piece import DURATION_S, N_SAMPLES, SAMPLE_RATE

#: Of espeak-ng; half of each split's synthetic speech is by a variant voice of a woman.
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "sv", "pl", "cs", "pt", "ru", "tr", "fi", "el", "hu", "hi")
MIN_FILES = 5  # of a speaker
#: fillets-ng: the small fish ("m") and the big one ("v") are two actors, told by the file's name.
FISH = re.compile(r"[-_]([mv])[-_]")


@dataclass(frozen=True)
class Speaker:
    """Recordings that are as one voice, or, where there are none, a language of espeak-ng.

    Attributes:
        name: package and language, and which of two actors.
        group: who may be the same person.
        licence: of the recordings.
        files: the recordings.
        language: of espeak-ng.
    """

    name: str
    group: str
    licence: str
    files: tuple[Path, ...] = ()
    language: str = ""


def find_speakers(folders: Mapping[str, Path], *, synthetic: bool) -> list[Speaker]:
    """A speaker for each language of each package, two where fish speak; and for each language of espeak-ng."""
    by_name: dict[str, tuple[str, list[Path]]] = {}
    for package, folder in folders.items():
        for path in sound_files(folder):
            by_name.setdefault(_speaker(package, path.relative_to(folder)), (package, []))[1].append(path)
    recorded = [
        Speaker(name, " ".join(name.split()[:2]), licence_of(package), tuple(files))
        for name, (package, files) in sorted(by_name.items())
        if len(files) >= MIN_FILES
    ]
    licence = "none needed: computed by espeak-ng"
    names = {f"espeak-ng {language}": language for language in LANGUAGES if synthetic and shutil.which("espeak-ng")}
    return recorded + [Speaker(name, name, licence, language=language) for name, language in names.items()]


def _speaker(package: str, path: Path) -> str:
    """Package, language (a folder with a name of two or three letters, or pt_BR) and, of fish, which."""
    language = next((part for part in reversed(path.parts[:-1]) if re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", part)), "")
    language = path.parent.name if package == "pocketsphinx-testdata" else language
    fish = FISH.search(path.stem) if package.startswith("fillets") else None
    return " ".join(filter(None, (package, language, fish.group(1) if fish else "")))


def spoken(speaker: Speaker, rng: np.random.Generator) -> np.ndarray:
    """(T,) sentences or words one after the other, with pauses, for the length of a piece."""
    sounds, now_s = [], rng.uniform(0, 0.5)
    while now_s < DURATION_S:
        if speaker.files:
            path = speaker.files[rng.integers(len(speaker.files))]
            words = audio.read_recording(path, sample_rate=SAMPLE_RATE, duration_s=DURATION_S).waveform.astype(
                np.float64
            )
        else:
            words = _read_aloud(speaker.language, rng)
        sounds.append((now_s, effects.at_level(words, -20)))
        now_s += max(len(words), 1600) / SAMPLE_RATE + rng.uniform(0.05, 0.8)
    return effects.placed(sounds, N_SAMPLES)


def _read_aloud(language: str, rng: np.random.Generator) -> np.ndarray:
    """Some numbers, which espeak-ng reads in any language."""
    text = ". ".join(", ".join(str(rng.integers(1, 10 ** rng.integers(2, 6))) for _ in range(4)) for _ in range(3))
    variant = str(rng.choice(["", "+f2", "+f4", "+m3", "+m7"]))
    options = ("-v", language + variant, "-s", str(rng.integers(120, 210)), "-p", str(rng.integers(25, 75)))
    with tempfile.TemporaryDirectory() as folder:
        run_program("espeak-ng", *options, "-w", "speech.wav", text, cwd=Path(folder))
        return audio.read_recording(Path(folder, "speech.wav"), sample_rate=SAMPLE_RATE).waveform.astype(np.float64)
