"""The page's modules: all are used, none asks another host or repeats a fact of Python's; and how they are served."""

import json
import re
import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from msecnn import checkpoint
from msecnn.explain import BASELINES, METHODS
from msecnn.explain.faithfulness import BLIND_ORDERS
from msecnn.explain.faithfulness_card import BASELINE_WORDS
from msecnn.explain.winning_cells import receptive_ends
from msecnn.plots.html import plotly_script
from msecnn.ui import explanation_choices, faithfulness_check, sonification
from msecnn.ui.server import static_modules
from msecnn.ui.server.static_modules import STATIC, loader, module_folder, module_names, module_routes, plotly_path

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(STATIC.glob("*.js"))


def code_of(path: Path) -> str:
    """A module without its comments."""
    return re.sub(r"/\*[\s\S]*?\*/|(?<!:)//.*", "", path.read_text(encoding="utf-8"))


def imported_by(name: str) -> set[str]:
    return set(re.findall(r'^import .*?"\./([\w]+\.js)";', (STATIC / name).read_text("utf-8"), re.M | re.S))


def test_every_module_is_reached_from_the_first() -> None:
    reached: set[str] = set()
    waiting = {"app.js"}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= imported_by(name) - reached
    assert reached == set(module_names()) == {path.name for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_other_host_is_asked(path: Path) -> None:
    assert "http" not in path.read_text(encoding="utf-8").replace('"http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_repeats_what_python_knows(path: Path) -> None:
    """Names of methods, baselines, orders, sounds and bundled models, and the numbers of the front end and the crop."""
    code = code_of(path)
    models = {Path(folder).name for folder in checkpoint.bundled()}
    names = {*METHODS, *BASELINES, *faithfulness_check.ORDER_TITLES.values(), *sonification.PARTS, *models}
    words = {name for name in names if re.search(rf'["\']{re.escape(name)}["\']', code)}
    numbers = set(re.findall(r"\b(?:1280|1366|12000|12_000|29(?:\.\d+)?)\b", code))
    assert not words
    assert not numbers


def test_each_choice_has_its_words() -> None:
    assert tuple(explanation_choices.METHOD_WORDS) == METHODS
    assert tuple(BASELINE_WORDS) == BASELINES
    assert set(faithfulness_check.ORDER_TITLES) == set(BLIND_ORDERS)
    assert set(explanation_choices.QUICK_METHODS) <= set(METHODS)


def test_where_a_scale_stops_to_see_is_the_network_s_own() -> None:
    """The poolings after a map leave whole multiples; each convolution on the way sees one cell further."""
    ends = receptive_ends(checkpoint.load("msecnn").model)  # type: ignore[arg-type]
    assert ends["input"] == 1280  # 1366 frames, of which the poolings 4, 4, 4, 5, 4 keep a whole number of
    assert ends["level1"] == 1280 + 1
    assert ends["level2"] == 1280 + 1 + 4
    assert ends["level3"] == 1280 + 1 + 4 + 16
    assert ends["level4"] == 1280 + 1 + 4 + 16 + 64


class TestServing:
    @pytest.fixture
    def client(self) -> TestClient:
        return TestClient(Starlette(routes=module_routes()))

    def test_a_module_may_be_kept_for_ever(self, client: TestClient) -> None:
        answer = client.get(f"/{module_folder()}app.js")
        assert answer.text == (STATIC / "app.js").read_text(encoding="utf-8")
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in answer.headers["Cache-Control"]

    @pytest.mark.parametrize("encoding", ["gzip", "identity"])
    def test_plotly_comes_from_here_too(self, client: TestClient, encoding: str) -> None:
        answer = client.get(f"/{plotly_path()}", headers={"Accept-Encoding": encoding})
        assert answer.text == plotly_script()
        assert answer.headers.get("Content-Encoding", "identity") == encoding
        assert "immutable" in answer.headers["Cache-Control"]

    def test_another_content_has_another_address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = module_folder()
        shutil.copytree(STATIC, tmp_path / "static")
        (tmp_path / "static" / "app.js").write_text("export {};")
        monkeypatch.setattr(static_modules, "STATIC", tmp_path / "static")
        assert module_folder() != before

    @pytest.mark.parametrize("path", ["../page.py", "..%2fpage.py", "%2e%2e/page.py", "/etc/passwd"])
    def test_nothing_else_is_served(self, client: TestClient, path: str) -> None:
        assert client.get(f"/{module_folder()}{path}").status_code == 404

    def test_the_loader_names_every_module_relative_to_the_page(self) -> None:
        assert all(f'"{name}"' in loader() for name in module_names())
        assert f'"./{module_folder()}"' in loader()


def test_the_lock_names_no_host() -> None:
    """npm and its packages are for development only; `.ci/run` calls what lints with them and checks types."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for package in packages.values())
