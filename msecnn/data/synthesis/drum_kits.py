"""Drum kits among the samples of a package: which file is which drum is told by its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msecnn.data.synthesis.packages import sound_files

#: What a sample's name says of it, first match first.
ROLES = {
    "hat": r"hat|^hh",
    "kick": r"kick|bass.?drum|^bd|^kc",
    "snare": r"snare|^sn|^sd|rim|stick",
    "clap": r"clap|hand|snap",
    "hand": r"conga|bongo|djembe|darbuk|tabla|timbal|udu|cajon|tumba|afri|drum_\d|cuica|^bl",
    "tom": r"tom|^tm",
    "cymbal": r"crash|ride|cymb|splash|china|^rd|^cb",
    "small": r"shak|marac|cabasa|guiro|clave|clav|wood|bell|triang|tamb|agogo|perc|block",
}


@dataclass(frozen=True)
class Kit:
    """Samples that belong together: role to files."""

    name: str
    package: str
    samples: Mapping[str, tuple[Path, ...]]


def find_kits(folders: Mapping[str, Path]) -> list[Kit]:
    """The kits of packages: each folder of samples with a kick, snare or hand drum and at least three roles."""
    kits = []
    for package, folder in folders.items():
        by_folder: dict[Path, dict[str, list[Path]]] = {}
        for path in [*sound_files(folder, without="beats|loops"), *sorted(folder.rglob("Drum_000/*.pat"))]:
            if role := role_of(path.stem):
                by_folder.setdefault(path.parent, {}).setdefault(role, []).append(path)
        for place, roles in sorted(by_folder.items()):
            if len(roles) >= 3 and {"kick", "snare", "hand"} & set(roles):
                samples = {role: tuple(paths) for role, paths in sorted(roles.items())}
                kits.append(Kit(f"{package} {place.name}", package, samples))
    return kits


def role_of(name: str) -> str | None:
    """What is struck, from the name of a sample."""
    name = re.sub(r"^(\d{3}_+|EE_|HE_?|VB_?)", "", name).lower()
    return next((role for role, pattern in ROLES.items() if re.search(pattern, name)), None)
