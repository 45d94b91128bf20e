"""The plan of the house, read from its imports: who may know whom, and who owns each heavy library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "msecnn"
#: The floor of each room; a room imports from lower floors and from itself.
FLOORS = {
    "__init__": 0, "errors": 0, "tags": 0,
    "audio": 1, "frontend": 1,
    "models": 2,
    "checkpoint": 3,
    "tagger": 4, "explain": 4, "data": 4,
    "training": 5, "plots": 5, "library": 5,
    "ui": 6,
    "cli": 7, "__main__": 8,
}  # fmt: skip
OWNERS = {
    "gradio": {"ui", "app"},
    "captum": {"explain"},
    "matplotlib": {"plots"},
    "sklearn": {"training"},
    "av": {"audio"},
    "soxr": {"audio"},
    "mutagen": {"library"},
    "ray": {"library"},
    "librosa": set(),
    "torchaudio": set(),
    "pickle": set(),
}
MODULES = [*sorted(PACKAGE.rglob("*.py")), ROOT / "app.py"]


def room(path: Path) -> str:
    return "app" if path.name == "app.py" else path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Full names of all modules that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_import_from_lower_floors_only(path: Path) -> None:
    here = room(path)
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "msecnn" and len(parts) > 1 and parts[1] in FLOORS and here != "app":
            there = parts[1]
            assert there == here or FLOORS[there] < FLOORS[here], f"{here} imports {there}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_have_one_owner(path: Path) -> None:
    for library in {module.split(".")[0] for module in imports(path)} & OWNERS.keys():
        assert room(path) in OWNERS[library], f"{room(path)} imports {library}"


def test_every_room_has_a_floor() -> None:
    assert {room(path) for path in MODULES} - {"app"} <= FLOORS.keys()


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) in ("ui", "app")], ids=lambda path: path.name)
def test_the_page_knows_nothing_of_training(path: Path) -> None:
    assert not {module for module in imports(path) if module.startswith(("msecnn.data", "msecnn.training"))}


@pytest.mark.parametrize("module", ["msecnn", "msecnn.tagger", "msecnn.cli.tag"])
def test_tagging_is_light(module: str) -> None:
    heavy = {"gradio", "captum", "librosa", "sklearn", "matplotlib", "torchaudio"}
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "config"])
def test_no_room_without_a_purpose(name: str) -> None:
    assert not list(PACKAGE.rglob(f"{name}.py"))


def test_every_module_says_what_it_is() -> None:
    assert not [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
