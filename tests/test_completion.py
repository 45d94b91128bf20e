"""A shell completes what the command line has: asked of bash itself with the script that the command prints."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from msecnn.cli import COMMANDS, main
from msecnn.cli.completion import SHELLS

BASH = shutil.which("bash")
#: Bash's own way of asking: the words of the line, the one that is completed, and what the function answers.
ASK = """
eval "$(cat script)"
COMP_WORDS=({words}); COMP_CWORD={last}; COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}
completer=$(complete -p msecnn | sed 's/.* -F \\([^ ]*\\).*/\\1/')
$completer msecnn "${{COMP_WORDS[-1]}}" "${{COMP_WORDS[-2]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("shtab")
    path = tmp_path_factory.mktemp("completion") / "script"
    done = subprocess.run([sys.executable, "-m", "msecnn", "completion", "bash"], capture_output=True, check=True)
    path.write_bytes(done.stdout)
    return path


def completed(script: Path, *words: str) -> set[str]:
    if BASH is None:
        pytest.skip("no bash here")
    quoted = " ".join(f"'{word}'" for word in words)
    asked = ASK.format(words=quoted, last=len(words) - 1, line=" ".join(words))
    done = subprocess.run([BASH, "-c", asked], cwd=script.parent, capture_output=True, text=True)
    return {line.strip() for line in done.stdout.splitlines()} - {""}


def test_commands(script: Path) -> None:
    assert completed(script, "msecnn", "") >= set(COMMANDS)
    assert completed(script, "msecnn", "exp") == {"explain", "export"}


def test_options_and_their_choices(script: Path) -> None:
    assert "--recursive" in completed(script, "msecnn", "tag", "--rec")
    assert completed(script, "msecnn", "models", "--format", "j") == {"json"}


def test_files(script: Path) -> None:
    (script.parent / "song.mp3").write_bytes(b"")
    assert completed(script, "msecnn", "tag", "so") == {"song.mp3"}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_of_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert not [name for name in COMMANDS if name not in printed]
    assert os.path.expanduser("~") not in printed


def test_without_its_package_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 1
    assert "pip install shtab" in capsys.readouterr().err
