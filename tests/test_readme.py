"""README tells the truth: its Python runs, its commands exist, its links lead somewhere, its pins are the pins."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from msecnn.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def front_matter() -> dict[str, str]:
    lines = README.split("---\n")[1].strip().splitlines()
    return {key: value.strip(' "') for key, value in (line.split(":", 1) for line in lines)}


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5


def commands() -> list[str]:
    lines = "".join(blocks("sh")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith("python -m msecnn")]


@pytest.mark.parametrize("command", commands())
def test_commands_take_what_readme_gives_them(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every option that README names stands in the command's help."""
    words = shlex.split(command)[3:]
    assert words[0] in COMMANDS
    with pytest.raises(SystemExit, match="0"):
        main([words[0], "--help"])
    told = capsys.readouterr().out
    for word in words:
        if word.startswith("--"):
            assert word in told


def test_space_settings_are_the_pins() -> None:
    settings = front_matter()
    assert settings["sdk"] == "gradio"
    assert settings["sdk_version"] == pins()["gradio"]
    assert settings.get("thumbnail", "https://").startswith("https://"), "the Hub takes an address only"
    assert settings["tags"].startswith("[")
    assert settings["python_version"] == "3.12"
    assert (ROOT / settings["app_file"]).is_file()
    assert len(settings["short_description"]) <= 60


def test_requirements_are_pinned() -> None:
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        assert not line or line.startswith("#") or re.fullmatch(r"[\w.\-\[\]]+==[\w.]+", line), line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path) if path else document
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_sections_written_by_programs_are_filled(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for name, content in re.findall(r"<!-- ([\w-]+) -->\n(.*?)<!-- /\1 -->", text, flags=re.DOTALL):
        assert content.strip(), f"the section {name} is empty: run its benchmark"


def test_nobody_is_told_to_install_our_name_from_an_index() -> None:
    """No package index holds this project; whoever takes its name there would be installed instead."""
    texts = [*DOCUMENTS, *sorted((ROOT / "msecnn").rglob("*.py")), *sorted((ROOT / "msecnn").rglob("*.js"))]
    told = [line for path in texts for line in re.findall(r"pip install[^`\n]*", path.read_text(encoding="utf-8"))]
    assert told
    assert not [line for line in told if re.search(r"[ '\"]msecnn\b(?![\w./-]*\.whl)", line)]
