"""Several visitors at once get what one gets alone; a server that dies and comes back loses nobody."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from running_page import ROOT, RunningPage, Visitor

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import load

EXAMPLE = ROOT / "assets" / "examples" / "piano.mp3"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[RunningPage]:
    with RunningPage(environment={"GRADIO_TEMP_DIR": str(tmp_path)}) as page:
        yield page


@pytest.mark.slow
def test_visitors_do_not_disturb_each_other_and_outlive_the_server(
    page: RunningPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short form of benchmarks/load.py, then a power cut. One test: each server takes seconds to start."""
    monkeypatch.setattr(load, "N_CLIPS", 2)
    monkeypatch.setattr(load, "TAGS", ("piano",))
    found = load.run(page, n_visitors=6, seconds=10)
    assert found.problems == []
    assert found.answers >= 6

    client, visitor = Client(page.address, verbose=False), Visitor(page.address)
    assert "error" not in visitor.ask("open", example="piano")
    before = client.predict(handle_file(EXAMPLE), ["msecnn"], api_name="/tag")
    page.kill()
    with pytest.raises(Exception, match="Connection refused"):
        client.predict(handle_file(EXAMPLE), ["msecnn"], api_name="/tag")
    page.start()
    assert load.same(client.predict(handle_file(EXAMPLE), ["msecnn"], api_name="/tag"), before)
    assert "open it again" in visitor.ask("window", window=0)["error"]
    assert "error" not in visitor.ask("open", example="piano")
    assert "picture" in visitor.ask("window", window=0)


def test_another_answer_is_noticed() -> None:
    answer = {"models": {"fcn5": {"tags": {"piano": 0.25}, "timeline": [[0.25]]}}, "notes": ["Resampled."]}
    close = {"models": {"fcn5": {"tags": {"piano": 0.250001}, "timeline": [[0.25]]}}, "notes": ["Resampled."]}
    other = {"models": {"fcn5": {"tags": {"piano": 0.26}, "timeline": [[0.25]]}}, "notes": ["Resampled."]}
    assert load.same(close, answer)
    assert not load.same(other, answer)
    assert not load.same({**answer, "notes": []}, answer)
    assert not load.same({"models": {}}, answer)
