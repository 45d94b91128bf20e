"""The packages of Debian whose sounds the recipes use, their licences, and how their files are found."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from msecnn.data.debian import check_source, kept_package
from msecnn.errors import DatasetError

#: Package to the licence of its sounds, as its copyright file states it.
LICENCES = {
    "fluid-soundfont-gm": "MIT",
    "opl3-soundfont": "CC-BY-SA-4.0",
    "timgm6mb-soundfont": "GPL-2",
    "freepats": "GPL-2+ with composition exception",
    "hydrogen-drumkits": "GPL-2, GPL-2+, CC-BY-3.0, CC-BY-SA-3.0, CC-BY-SA-3.0-US, CC0; by kit",
    "lmms-common": "GPL-2+, CC-BY-SA-3.0, CC-BY-SA-4.0 and others; by file",
    "klettres-data": "GPL-2+",
    "ktuberling-data": "GPL-2+",
    "fillets-ng-data-cs": "GPL-2",
    "fillets-ng-data-nl": "GPL-2",
    "pocketsphinx-testdata": "BSD-2-Clause",
    "fillets-ng-data": "GPL-2",
    "lincity-ng-data": "GPL-2+",
    "neverball-common": "GPL-2+",
    "warmux-data": "GPL-2+",
    "freedink-data": "per file",
}
SOUNDFONTS = ("fluid-soundfont-gm", "opl3-soundfont", "timgm6mb-soundfont")
PATCHES = "freepats"  # a folder of patches, of instruments and of drums
DRUMS = ("hydrogen-drumkits", "lmms-common", PATCHES)
SPEECH = ("klettres-data", "ktuberling-data", "fillets-ng-data-cs", "fillets-ng-data-nl", "pocketsphinx-testdata")
EFFECTS = ("fillets-ng-data", "lincity-ng-data", "neverball-common", "warmux-data", "freedink-data")
SOUND_FILES = re.compile(r"\.(wav|ogg|flac|aiff?|opus|mp3)$", re.IGNORECASE)


def fetch(packages: Iterable[str], root: Path, source: Path | None) -> dict[str, Path]:
    """Each package's folder; takes what `msecnn.data.debian.unpacked` takes."""
    check_source(source)
    root.mkdir(parents=True, exist_ok=True)
    return {package: kept_package(package, root, source) for package in packages}


def sound_files(folder: Path, *, without: str = r"$^") -> list[Path]:
    """All sound files under a folder, sorted; `without` is searched for in their paths below it."""
    return sorted(
        path
        for path in folder.rglob("*")
        if SOUND_FILES.search(path.name) and not re.search(without, path.relative_to(folder).as_posix())
    )


def soundfont(folder: Path) -> Path:
    """The soundfont that a package holds."""
    fonts = sorted(folder.rglob("*.sf2"))
    if not fonts:
        raise DatasetError(f"there is no soundfont (.sf2) under {folder}")
    return fonts[0]


def licence_of(package: str, licences: Mapping[str, str] = LICENCES) -> str:
    return f"{licences.get(package, 'not stated')} (debian:{package})"
