"""The architecture, read from the imports: who may import whom, and who owns each heavy library."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "msecnn"
#: The layer of each module; a module imports from lower layers and from itself.
LAYERS = {
    "__init__": 0, "errors": 0, "resources": 0, "tags": 0,
    "memory": 0, "files": 0.5, "json_lines": 0.5, "statistics": 0.5, "run_record": 0.5,
    "audio": 1, "frontend": 1,
    "models": 2,
    "checkpoint_card": 2, "familiarity": 2, "hub": 2.5, "hub_card": 2.5,
    "checkpoint_weights": 2.5, "checkpoint_network": 2.7, "checkpoint": 3,
    "onnx_export": 3.3, "runtimes": 3.5, "hub_publishing": 4, "tagger": 4,
    "explain": 5, "music_rows": 5, "data": 5, "what_if": 5.5, "live": 5.5, "evaluation": 5.5,
    "plots": 6, "library": 6, "teaching": 6,
    "training": 6.5,
    "distillation": 7,
    "ui": 8,
    "cli": 9, "__main__": 10,
}  # fmt: skip
OWNERS = {
    "gradio": {"ui", "app"},
    "segno": {"ui"},
    "captum": {"explain"},
    "matplotlib": {"plots"},
    "sklearn": {"evaluation"},
    "av": {"audio"},
    "soxr": {"audio"},
    "onnxruntime": {"runtimes"},
    "mutagen": {"library"},
    "ray": {"library"},
    "huggingface_hub": {"hub", "hub_publishing"},
    "plotly": {"plots"},
    "librosa": {"music_rows", "plots", "what_if"},
    "torchaudio": {"models", "explain", "what_if"},
    "pickle": set(),
}
MODULES = [*sorted(PACKAGE.rglob("*.py")), ROOT / "app.py"]


def module_of(path: Path) -> str:
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
def test_modules_import_from_lower_layers_only(path: Path) -> None:
    here = module_of(path)
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "msecnn" and len(parts) > 1 and parts[1] in LAYERS and here != "app":
            there = parts[1]
            assert there == here or LAYERS[there] < LAYERS[here], f"{here} imports {there}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_have_one_owner(path: Path) -> None:
    for library in {module.split(".")[0] for module in imports(path)} & OWNERS.keys():
        assert module_of(path) in OWNERS[library], f"{module_of(path)} imports {library}"


def test_every_module_has_a_layer() -> None:
    assert {module_of(path) for path in MODULES} - {"app"} <= LAYERS.keys()


@pytest.mark.parametrize("path", [p for p in MODULES if module_of(p) in ("ui", "app")], ids=lambda path: path.name)
def test_the_page_knows_nothing_of_training(path: Path) -> None:
    assert not {
        module
        for module in imports(path)
        if module.startswith(("msecnn.data", "msecnn.training", "msecnn.distillation"))
    }


#: What an `Explanation` is made of.
COMPUTED_BY_EXPLAIN = {
    "msecnn.explain.contributions.contributions",
    "msecnn.explain.cell_evidence.evidence",
    "msecnn.explain.saliency.saliency",
    "msecnn.explain.sonification.render",
    "msecnn.explain.block_events.block_sums",
    "msecnn.explain.block_events.block_events",
}
#: It also looks at networks with random weights, which have no prediction to explain.
LOOKS_AT_OTHER_WEIGHTS = PACKAGE / "ui" / "tabs" / "network.py"


@pytest.mark.parametrize(
    "path",
    [
        *sorted({*(PACKAGE / "ui").rglob("*.py")} - {LOOKS_AT_OTHER_WEIGHTS}),
        *sorted((PACKAGE / "plots").glob("*.py")),
        PACKAGE / "cli" / "explain.py",
    ],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_nobody_assembles_an_explanation_but_its_entry_function(path: Path) -> None:
    """From a click to a strip: a handler asks `explain`, which computes; the way back is drawing."""
    assert not imports(path) & COMPUTED_BY_EXPLAIN


@pytest.mark.parametrize(
    "module", ["msecnn", "msecnn.tagger", "msecnn.cli.tag", "msecnn.library.workers", "msecnn.explain.contributions"]
)
def test_tagging_is_light(module: str) -> None:
    """Without torch too; `tests/test_light_install.py` runs it where there is none."""
    heavy = {"torch", "gradio", "captum", "librosa", "sklearn", "matplotlib", "plotly"}
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "config"])
def test_no_module_without_a_purpose(name: str) -> None:
    assert not list(PACKAGE.rglob(f"{name}.py"))


def test_every_module_says_what_it_is() -> None:
    assert not [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]


def test_no_two_test_files_share_a_name() -> None:
    """Their folders are no packages, so the second of a name would be taken for the first."""
    counts = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert not [name for name, count in counts.items() if count > 1]
