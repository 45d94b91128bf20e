"""The page for programs: endpoints by name with types and words, an MCP server, and the examples of docs/api.md."""

import ast
import base64
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from running_page import ROOT, RunningPage

from msecnn.cli import main
from msecnn.ui.upload import LONGEST_NAME

EXAMPLE = ROOT / "assets" / "examples" / "piano.mp3"
HAS_MCP = importlib.util.find_spec("mcp") is not None
DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
#: Those that ask the page; what the others ask of the Hub is in test_hub.py.
EXAMPLES = [code for code in re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL) if "7860" in code]


@pytest.fixture(scope="module")
def page() -> Iterator[RunningPage]:
    with RunningPage(*(["--mcp"] if HAS_MCP else [])) as page:
        yield page


def test_endpoints_are_typed_and_described(page: RunningPage) -> None:
    endpoints: Any = Client(page.address, verbose=False).view_api(return_format="dict")["named_endpoints"]
    assert set(endpoints) == {"/tag", "/explain", "/what_if", "/models"}
    for endpoint in endpoints.values():
        assert len(endpoint["description"]) > 30
        for parameter in endpoint["parameters"]:
            assert parameter["python_type"]["type"] != "Any"
    assert [parameter["parameter_name"] for parameter in endpoints["/explain"]["parameters"]] == [
        "recording", "tag", "model", "window", "minimal",
    ]  # fmt: skip


HOSTILE = "$$$ money $$$ {^_" + "y" * 200 + ".mp3"  # as long as file systems let a name be


@pytest.mark.parametrize("endpoint", ["/tag", "/explain"])
def test_a_recording_s_name_is_bounded(page: RunningPage, tmp_path: Path, endpoint: str) -> None:
    shutil.copyfile(EXAMPLE, tmp_path / HOSTILE)
    client = Client(page.address, verbose=False)
    options = {"models": ["msecnn"]} if endpoint == "/tag" else {"tag": "piano", "model": "msecnn"}
    answer = client.predict(handle_file(tmp_path / HOSTILE), **options, api_name=endpoint)
    assert "money" in answer["file"]
    assert len(answer["file"]) <= LONGEST_NAME


def ask(page: RunningPage, edits: str = "", **options: Any) -> Any:
    client = Client(page.address, verbose=False)
    return client.predict(_file(), edits, ["fcn5", "msecnn"], **options, api_name="/what_if")


def test_what_if_answers_as_the_command_line_does(page: RunningPage, capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(page, "level=-6 remove=2:3,200:800", start_s=1, duration_s=6, curve="pitch=-1:1:3")
    words = ["--edit", "level=-6", "--edit", "remove=2:3,200:800", "--start-s", "1", "--duration-s", "6"]
    main(["what-if", str(EXAMPLE), *words, "--curve", "pitch=-1:1:3", "--no-evidence", "--format", "json"])
    told = json.loads(capsys.readouterr().out)
    assert answer["models"] == told["models"]
    assert answer["curves"] == told["curves"]
    assert (answer["part"], answer["edits"], answer["schema"]) == (told["part"], told["edits"], told["schema"])
    evidence = ask(page, "remove=0:9", tag="piano")["models"]["msecnn"]["evidence"]
    assert evidence["tag"] == "piano"
    assert evidence["vanished"]


@pytest.mark.parametrize(
    ("edits", "options", "sentence"),
    [
        ("bend=1", {}, "no edit 'bend'"),
        ("speed=9", {}, "from 0.25 to 4 times"),
        ("add=/etc/passwd", {}, "command line and Python"),
        ("subtract=/etc/passwd", {}, "command line and Python"),
        ("speed=4 speed=4 speed=4", {"duration_s": 5}, "0.1 to 600 s"),
        ("reverse " * 9, {}, "at most 8 edits"),
        ("reverse", {"duration_s": 61}, "at most 60 seconds"),
        ("reverse", {"duration_s": 0}, "at most 60 seconds"),
        ("reverse", {"start_s": -1}, "number of seconds"),
        ("reverse", {"start_s": 90}, "after the end"),
        ("reverse", {"tag": "no such tag"}, "knows no tag"),
        ("reverse", {"curve": "speed=0.8:1.2:10"}, "at most 9 points"),
        ("reverse", {"curve": "add=1:2:3"}, "A curve is of"),
    ],
)
def test_what_if_refuses_in_one_sentence(page: RunningPage, edits: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AppError) as caught:
        ask(page, edits, **options)
    assert sentence in str(caught.value)
    assert "/etc/passwd" not in str(caught.value)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_in_the_documentation_run(page: RunningPage, number: int) -> None:
    code = EXAMPLES[number].replace("http://127.0.0.1:7860", page.address)
    if "import mcp" in code or "from mcp" in code:
        pytest.importorskip("mcp")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.skipif(not HAS_MCP, reason="the package mcp is not installed")
def test_tools_are_called_by_an_mcp_client(page: RunningPage) -> None:
    import anyio
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def converse() -> tuple[dict[str, Any], Any, Any, Any, Any]:
        async with (
            streamablehttp_client(f"{page.address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            sound = "data:audio/mpeg;base64," + base64.b64encode(EXAMPLE.read_bytes()).decode()
            tagged = await session.call_tool("tag", {"recording": sound, "models": ["msecnn"]})
            why = await session.call_tool("explain", {"recording": sound, "tag": "piano", "model": "msecnn"})
            question = {"recording": sound, "edits": "reverse", "models": ["msecnn"], "duration_s": 5}
            changed = await session.call_tool("what_if", question)
            refused = await session.call_tool("tag", {"recording": "http://127.0.0.1:1/a.wav", "models": ["msecnn"]})
            return tools, tagged, why, changed, refused

    with ThreadPoolExecutor(1) as thread:  # Playwright, in the same process, keeps a loop in this one
        tools, tagged, why, changed, refused = thread.submit(anyio.run, converse).result()
    assert set(tools) == {"tag", "explain", "what_if", "models"}
    assert "recording" in tools["tag"].inputSchema["properties"]
    expected = Client(page.address, verbose=False).predict(_file(), ["msecnn"], api_name="/tag")
    assert _object(tagged)["models"] == expected["models"]
    split = _object(why)
    assert split["base_value"] + sum(scale["relative"] for scale in split["scales"]) == pytest.approx(
        split["logit"], abs=1e-4
    )
    for row in _object(changed)["models"]["msecnn"]["tags"].values():
        assert sum(row["scales"].values()) == pytest.approx(row["change"], abs=1e-5)
    assert refused.isError
    assert "fetches nothing" in refused.content[0].text


def _file() -> Any:
    from gradio_client import handle_file

    return handle_file(EXAMPLE)


def _object(result: Any) -> Any:
    """Gradio writes a tool's answer as Python does."""
    assert not result.isError, result.content
    return ast.literal_eval(result.content[0].text)


@pytest.mark.skipif(HAS_MCP, reason="the package mcp is installed")
def test_a_missing_package_is_said_in_a_sentence() -> None:
    done = subprocess.run([sys.executable, "app.py", "--mcp"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "gradio[mcp]" in done.stderr
