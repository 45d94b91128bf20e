"""What is installed is what the project asks for: every pin stands in its lock, each with its hashes.

`requirements.lock` is what CI installs on Linux and Python 3.11, `requirements-app.lock` what the app needs on any
system and Python from 3.11 to 3.13. Where both have a package it is of one version: what is tested is what is used.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+) \\$", LOCK, flags=re.MULTILINE))
APP_LOCK = (ROOT / "requirements-app.lock").read_text(encoding="utf-8")
APP_LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+) (?:; .+)?\\$", APP_LOCK, flags=re.MULTILINE))


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


def test_every_pin_of_the_app_is_in_its_lock_in_the_version_that_is_tested() -> None:
    app = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    wanted = {name.replace("_", "-"): version for name, version in app.items()}
    assert wanted.items() <= APP_LOCKED.items(), "make requirements-app.lock anew; its first lines tell how"
    both = LOCKED.keys() & APP_LOCKED.keys()
    assert len(both) > 50
    assert {name: LOCKED[name] for name in both} == {name: APP_LOCKED[name] for name in both}


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_what_this_project_needs_itself_needs_no_marker(version: str, system: str) -> None:
    """A package has one version, and what has a marker is there for whom it names."""
    environment = {"python_full_version": f"{version}.1", "python_version": version, "sys_platform": system}
    markers = dict(re.findall(r"^([\w.-]+)==\S+ ; (.+) \\$", APP_LOCK, flags=re.MULTILINE))
    kept = {name for name in APP_LOCKED if name not in markers or Marker(markers[name]).evaluate(environment)}
    assert {"torch", "gradio", "av", "librosa"} <= kept
    assert ("audioop-lts" in kept) == (version == "3.13")  # the module left Python's own library then
    assert ("triton" in kept) == (system == "linux")


@pytest.mark.parametrize(("lock", "locked"), [(LOCK, LOCKED), (APP_LOCK, APP_LOCKED)], ids=["ci", "app"])
def test_everything_is_hashed(lock: str, locked: dict[str, str]) -> None:
    entries = re.split(r"\n(?=[\w.-]+==)", lock)[1:]
    assert len(entries) == len(locked)
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("lock", [LOCK, APP_LOCK], ids=["ci", "app"])
def test_the_first_lines_tell_the_command_and_no_registry_is_named(lock: str) -> None:
    assert re.match(r"# .*\n#    uv pip compile .* --generate-hashes .*\n", lock)
    assert "://" not in lock
