"""The page for programs: endpoints by name with types and words, an MCP server, and the examples of docs/api.md."""

import ast
import base64
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gradio_client import Client
from running_page import ROOT, RunningPage

EXAMPLE = ROOT / "assets" / "examples" / "piano.mp3"
HAS_MCP = importlib.util.find_spec("mcp") is not None
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture(scope="module")
def page() -> Iterator[RunningPage]:
    with RunningPage(*(["--mcp"] if HAS_MCP else [])) as page:
        yield page


def test_endpoints_are_typed_and_described(page: RunningPage) -> None:
    endpoints: Any = Client(page.address, verbose=False).view_api(return_format="dict")["named_endpoints"]
    assert set(endpoints) == {"/tag", "/explain", "/models"}
    for endpoint in endpoints.values():
        assert len(endpoint["description"]) > 30
        for parameter in endpoint["parameters"]:
            assert parameter["python_type"]["type"] != "Any"
    assert [parameter["parameter_name"] for parameter in endpoints["/explain"]["parameters"]] == [
        "recording", "tag", "model", "window",
    ]  # fmt: skip


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

    async def converse() -> tuple[dict[str, Any], Any, Any, Any]:
        async with (
            streamablehttp_client(f"{page.address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            sound = "data:audio/mpeg;base64," + base64.b64encode(EXAMPLE.read_bytes()).decode()
            tagged = await session.call_tool("tag", {"recording": sound, "models": ["msecnn"]})
            why = await session.call_tool("explain", {"recording": sound, "tag": "piano", "model": "msecnn"})
            refused = await session.call_tool("tag", {"recording": "http://127.0.0.1:1/a.wav", "models": ["msecnn"]})
            return tools, tagged, why, refused

    with ThreadPoolExecutor(1) as thread:  # Playwright, in the same process, keeps a loop in this one
        tools, tagged, why, refused = thread.submit(anyio.run, converse).result()
    assert set(tools) == {"tag", "explain", "models"}
    assert "recording" in tools["tag"].inputSchema["properties"]
    expected = Client(page.address, verbose=False).predict(_file(), ["msecnn"], api_name="/tag")
    assert _object(tagged)["models"] == expected["models"]
    split = _object(why)
    assert split["base_value"] + sum(scale["relative"] for scale in split["scales"]) == pytest.approx(
        split["logit"], abs=1e-4
    )
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
