"""What CI installs is what the project asks for: every pin stands in requirements.lock, each with its hashes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+) \\$", LOCK, flags=re.MULTILINE))


def pins() -> dict[str, str]:
    """What requirements.txt and the extras of `dev` ask for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (own,) = (one for one in extras["dev"] if one.startswith("msecnn["))
    lines = [*(ROOT / "requirements.txt").read_text().splitlines(), *extras["dev"]]
    for extra in own.removeprefix("msecnn[").rstrip("]").split(","):
        lines += extras[extra]
    return {
        re.sub(r"\[.*\]", "", name).lower().replace("_", "-"): version
        for name, _, version in (line.partition("==") for line in lines)
        if version
    }


def test_every_pin_is_locked() -> None:
    assert pins().items() <= LOCKED.items(), "make requirements.lock anew; its first lines tell how"


def test_everything_is_hashed() -> None:
    entries = re.split(r"\n(?=[\w.-]+==)", LOCK)[1:]
    assert len(entries) == len(LOCKED)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_no_registry_is_named() -> None:
    assert "://" not in LOCK
