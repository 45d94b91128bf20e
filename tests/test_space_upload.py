"""The command that puts the repository onto a Space, run against a stand-in of the Hub that refuses as the Hub does."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import HubStandIn, hub_stand_in, is_binary

ROOT = Path(__file__).resolve().parents[1]
ONE_FILE = 10 * 2**20  # bytes that a file may have without large storage


def tracked() -> list[str]:
    """The repository's files; a checkout without git has none to name."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubStandIn]:
    with hub_stand_in(monkeypatch, str(tmp_path / "cache")) as stand_in:
        yield stand_in


def command() -> list[str]:
    """For the app itself; the second such line is for the page without a server."""
    line, _ = re.findall(r"^hf upload .*$", (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8"), re.MULTILINE)
    return shlex.split(line.replace("YOUR-NAME/YOUR-SPACE", "somebody/tags"))


def test_exactly_the_binary_files_are_named_for_large_storage() -> None:
    names = tracked()
    done = subprocess.run(
        ["git", "check-attr", "-z", "--stdin", "filter"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        input="\0".join(names),
    )
    assert done.returncode == 0, done.stderr
    fields = done.stdout.split("\0")
    named = {path for path, value in zip(fields[::3], fields[2::3], strict=False) if value == "lfs"}
    assert named == {name for name in names if is_binary((ROOT / name).read_bytes())}
    assert max((ROOT / name).stat().st_size for name in set(names) - named) < ONE_FILE


def test_the_command_uploads_what_the_hub_accepts(server: HubStandIn, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in tracked():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, clone / name)
    environment = {"HF_ENDPOINT": server.address, "HF_HOME": str(tmp_path), "HF_TOKEN": "hf_nobody"}
    environment |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    program, *words = command()
    assert program == "hf"
    done = subprocess.run(
        [sys.executable, "-m", "huggingface_hub.cli.hf", *words],
        cwd=clone,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _, uploaded = server.commit("somebody/tags", "main") or ("", {})
    assert uploaded.keys() == {str(path.relative_to(clone)) for path in clone.rglob("*") if path.is_file()}
    assert all(content == (ROOT / name).read_bytes() for name, content in uploaded.items())
    assert {content for content in uploaded.values() if is_binary(content)} == set(server.large.values())


def test_the_stand_in_refuses_a_binary_file_that_comes_as_an_ordinary_one(server: HubStandIn, tmp_path: Path) -> None:
    """As the Hub refuses a push of git's."""
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    operation = CommitOperationAdd("tune.mp3", b"\xff\xfb\x90\x00" * 50)
    operation._upload_mode, operation._should_ignore = "regular", False
    operation._is_uploaded = True
    with pytest.raises(HfHubHTTPError, match="contains binary files"):
        HfApi().create_commit("somebody/tags", [operation], commit_message="push", repo_type="space")
