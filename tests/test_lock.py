"""What is installed is what the project asks for: every pin is locked with its hashes, in the metadata's range.

`requirements.lock` is what CI installs on Linux and Python 3.11, `requirements-app.lock` what the app needs on any
system and Python from 3.11 to 3.13. Where both have a package it is of one version: what is tested is what is used.
"""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+) \\$", LOCK, flags=re.MULTILINE))
PINNED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
}
DEPENDENCIES = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(line) for line in lines] for name, lines in PROJECT["optional-dependencies"].items()}
EXTRA_REQUIREMENTS = [one for extra in EXTRAS.values() for one in extra if one.name != PROJECT["name"]]
REQUIREMENTS = [*DEPENDENCIES, *EXTRA_REQUIREMENTS]
APP_LOCK = (ROOT / "requirements-app.lock").read_text(encoding="utf-8")
APP_LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+) (?:; .+)?\\$", APP_LOCK, flags=re.MULTILINE))


def test_every_pin_is_locked() -> None:
    assert PINNED.items() <= LOCKED.items(), "make requirements.lock anew; its first lines tell how"


def with_extra(name: str) -> set[str]:
    """Packages that an extra brings along, those of the extras in it included."""
    own = {canonicalize_name(one.name) for one in EXTRAS[name]} - {PROJECT["name"]}
    inner = {extra for one in EXTRAS[name] if one.name == PROJECT["name"] for extra in one.extras}
    return own.union(*(with_extra(extra) for extra in inner))


def test_what_is_pinned_is_what_the_page_needs() -> None:
    assert PINNED.keys() == {canonicalize_name(one.name) for one in DEPENDENCIES} | with_extra("page")


@pytest.mark.parametrize("needed", REQUIREMENTS, ids=str)
def test_the_locked_version_lies_in_its_range(needed: Requirement) -> None:
    assert needed.specifier
    assert LOCKED[canonicalize_name(needed.name)] in needed.specifier


@pytest.mark.parametrize(
    "needed", [*DEPENDENCIES, *EXTRAS["page"][1:], *EXTRAS["explain"][1:], *EXTRAS["torch"]], ids=str
)
def test_the_package_fits_into_other_environments(needed: Requirement) -> None:
    """A range from a lowest version to the next major one, no single version."""
    assert {one.operator for one in needed.specifier} == {">=", "<"}


def test_the_workflow_runs_the_gate_on_three_systems() -> None:
    """`.ci/run`, as everybody runs it, also on each Python that the metadata names."""
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"].values()
    matrix = job["strategy"]["matrix"]["include"]
    assert {row["system"].split("-")[0] for row in matrix} == {"ubuntu", "macos", "windows"}
    assert ".ci/run" in [step.get("run") for step in job["steps"]]
    named = {one.rpartition(" ")[2] for one in PROJECT["classifiers"] if "Python :: 3." in one}
    assert named <= {row["python"] for row in matrix}


def test_every_pin_of_the_app_is_in_its_lock_in_the_version_that_is_tested() -> None:
    assert PINNED.items() <= APP_LOCKED.items(), "make requirements-app.lock anew; its first lines tell how"
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
