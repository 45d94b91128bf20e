"""Every option of every command, read from the parsers: whatever it is given, the command answers or says why not.

Nothing is fetched, trained or served here: each command gets the least with which it would begin, mostly a file or a
manifest that is empty, so that what is tried is whether a value is checked. A new option is tried by being there.
"""

import argparse
import importlib
import itertools
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msecnn.audio import write_wav
from msecnn.cli import COMMANDS, main

#: Words that no option expects, each of which once made some program fail.
ODD = ("", " ", "nan", "inf", "-inf", "-1", "0", "1e400", "9" * 40, "0x10", "1_0", "७", "é\u0301", "\x1b[2J", "a\nb",
       "cuda:99", "no such thing", "x" * 300, "nowhere/at/all", "'", "%s", "{}")  # fmt: skip
#: No system hands a program a NUL in its arguments; and a path to the root would have the whole disk searched.
TEXT = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), max_size=8)
WORDS = st.sampled_from(ODD) | st.integers().map(str) | st.floats().map(str) | TEXT
#: The least with which a command begins; FILE is a recording of a second, EMPTY an empty file, NEW a new folder.
LEAST: dict[tuple[str, ...], list[str]] = {
    ("tag",): ["EMPTY", "--model", "fcn5"],
    ("explain",): ["EMPTY", "--tag", "piano"],
    ("what-if",): ["EMPTY", "--edit", "level=-3"],
    ("models",): [],
    ("completion",): ["bash"],
    ("serve",): [],
    ("export",): ["fcn5", "--out", "NEW.onnx"],
    ("prepare", "folder"): ["NEW", "--out", "NEW"],
    ("prepare", "csv"): ["EMPTY", "--audio-root", "NEW", "--out", "NEW", "--tags-column", "tags"],
    ("prepare", "magnatagatune"): ["NEW", "--no-download"],
    ("prepare", "open-music"): ["NEW", "--from", "NEW"],
    ("prepare", "join"): ["EMPTY", "--out", "NEW"],
    ("prepare", "speeds"): ["EMPTY", "--out", "NEW"],
    ("prepare", "mels"): ["EMPTY", "--out", "NEW"],
    ("prepare", "songs"): ["EMPTY", "EMPTY", "--out", "NEW"],
    ("prepare", "conditions"): ["EMPTY", "--out", "NEW"],
    ("prepare", "instruments"): ["--out", "NEW", "--packages", "NEW", "--from", "NEW"],
    ("prepare", "guitars"): ["--out", "NEW", "--packages", "NEW", "--from", "NEW"],
    ("prepare", "percussion"): ["--out", "NEW", "--packages", "NEW", "--from", "NEW"],
    ("prepare", "not-music"): ["--out", "NEW", "--packages", "NEW", "--from", "NEW"],
    ("prepare", "join-labels"): ["NEW", "--out", "NEW"],
    ("train",): ["--model", "fcn5", "--data", "EMPTY", "--out", "NEW"],
    ("distill",): ["--model", "fcn5", "--data", "EMPTY", "--out", "NEW", "--teacher", "x"],
    ("evaluate",): ["--scores", "EMPTY"],
    ("faithfulness",): ["--data", "EMPTY"],
    ("worksheets",): ["EMPTY", "--out", "NEW.csv"],
    ("study", "forms"): ["NEW"],
    ("study", "analyse"): ["EMPTY"],
}


def parsers() -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Each command that does something, by its words."""
    for name in COMMANDS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"msecnn.cli.{name.replace('-', '_')}").add_arguments(parser)
        yield from leaves((name,), parser)


def leaves(words: tuple[str, ...], parser: argparse.ArgumentParser) -> Iterator[Any]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield words, parser
    for action in below:
        for name, inner in action.choices.items():
            yield from leaves((*words, name), inner)


OPTIONS = [
    (words, action)
    for words, parser in parsers()
    for action in parser._actions
    if not isinstance(action, argparse._HelpAction)
]


def test_every_command_has_its_least() -> None:
    assert LEAST.keys() == {words for words, _ in parsers()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    write_wav(folder / "FILE", np.zeros(12_000, np.float32), 12_000)
    return folder


@pytest.fixture
def nothing_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, where what is written by chance hurts nobody; the page is not opened."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("msecnn.cli.serve._serve", lambda *_: True)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(101, "nothing is fetched in this test")

    connect = socket.socket.connect

    def within_the_machine(own: socket.socket, address: object) -> None:
        """What worker processes are started over; an address of a network is refused."""
        return connect(own, address) if own.family == socket.AF_UNIX else refuse()

    monkeypatch.setattr("subprocess.run", refuse)  # apt-get, which fetches packages
    monkeypatch.setattr("socket.socket.connect", within_the_machine)


def answer(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit status and what was said on standard error; any exception but argparse's own fails the test."""
    capsys.readouterr()
    try:
        status = main(argv)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capsys.readouterr().err


def typed(action: argparse.Action, word: str) -> list[str]:
    """The option as it would be typed, with a value that begins with `-` too."""
    if not action.option_strings:
        return ["--", word]
    flag = action.option_strings[-1]
    return [flag] if action.nargs == 0 else [flag, word, word, word] if action.nargs == 3 else [f"{flag}={word}"]


@pytest.mark.parametrize(("words", "action"), OPTIONS, ids=lambda value: getattr(value, "dest", "") or "-".join(value))
@settings(max_examples=2, deadline=None, suppress_health_check=[*HealthCheck])
@given(word=WORDS)
def test_whatever_an_option_is_given_the_command_answers_or_says_why_not(
    folder: Path,
    nothing_runs: None,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    action: argparse.Action,
    word: str,
) -> None:
    (folder / "EMPTY").write_text("")
    least = [*words, *LEAST[words]]
    if not action.option_strings:  # in the place of the least's own
        least = [*words, *itertools.dropwhile(lambda part: not part.startswith("--"), LEAST[words])]
    argv = [*least, *typed(action, word)]
    status, told = answer(argv, capsys)
    assert status in (0, 1, 2), told
    assert "Traceback" not in told
    if status == 1:
        last = told.strip().splitlines()[-1]
        assert last.startswith(("msecnn ", "files", "“")) or last.endswith("."), last


def test_a_file_where_a_folder_should_be_is_told_in_one_line(
    folder: Path, nothing_runs: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "TAKEN").write_text("")
    status, told = answer(["prepare", "guitars", "--out", "NEW", "--packages", "TAKEN", "--from", "."], capsys)
    assert status == 1
    assert told.splitlines()[-1].startswith("msecnn prepare: TAKEN")
