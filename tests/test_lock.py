"""What CI installs is what the project asks for: each pin is locked with its hashes, and in the metadata's range."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
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
EXTRAS = [Requirement(line) for lines in PROJECT["optional-dependencies"].values() for line in lines]
REQUIREMENTS = [*DEPENDENCIES, *(one for one in EXTRAS if one.name != PROJECT["name"])]


def test_every_pin_is_locked() -> None:
    assert PINNED.items() <= LOCKED.items(), "make requirements.lock anew; its first lines tell how"


def test_what_is_pinned_is_what_is_needed() -> None:
    assert PINNED.keys() == {canonicalize_name(one.name) for one in DEPENDENCIES}


@pytest.mark.parametrize("needed", REQUIREMENTS, ids=str)
def test_the_locked_version_lies_in_its_range(needed: Requirement) -> None:
    assert needed.specifier
    assert LOCKED[canonicalize_name(needed.name)] in needed.specifier


@pytest.mark.parametrize("needed", DEPENDENCIES, ids=str)
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


def test_everything_is_hashed() -> None:
    entries = re.split(r"\n(?=[\w.-]+==)", LOCK)[1:]
    assert len(entries) == len(LOCKED)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_no_registry_is_named() -> None:
    assert "://" not in LOCK
