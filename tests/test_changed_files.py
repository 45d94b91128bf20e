"""Files that change while, or after, they are tagged: no answer is taken for that of another recording."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from audio_files import encode, music

from msecnn.cli import main
from msecnn.library import unfinished
from msecnn.library.file_tags import FileTagWriter
from msecnn.library.run import still_true, tag_files, tag_library
from msecnn.library.scan import scan
from msecnn.library.stamps import Stamp, same_content
from msecnn.library.tagging_job import RecordingTagger, TaggingJob

Engine = Callable[[Sequence[str]], Iterator[tuple[int, dict[str, Any]]]]
A_DAY_NS = 86_400 * 10**9


class ByContent(RecordingTagger):
    """A tagger that tells a file's first word, without a network: its tags are that word, certainly."""

    def __init__(self) -> None:
        self.job = TaggingJob(())
        self.taggers = []
        self.n_tagged = 0

    def __call__(self, file: str, **options: Any) -> dict[str, Any]:
        self.n_tagged += 1
        word = Path(file).read_bytes().split()[0].decode("latin-1")
        return {"file": file, "duration_s": 1.0, "notes": [], "windows": [], "models": {"m": {"tags": {word: 1.0}}}}

    def engine(self, files: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        return ((i, self(file)) for i, file in enumerate(files))


@pytest.fixture
def tagger() -> ByContent:
    return ByContent()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{i}.mp3" for i in range(3)]
    for path in paths:
        path.write_text("old music")
    return [str(path) for path in paths]


def replace(file: str, content: str = "new music", *, later_ns: int = 10**9) -> None:
    """Other content of the same size, changed so much later."""
    before = os.stat(file).st_mtime_ns
    Path(file).write_text(content)
    os.utime(file, ns=(before + later_ns, before + later_ns))


def words(table: Path) -> list[str]:
    answers = [json.loads(line) for line in table.read_text().splitlines()]
    return [answer.get("error") or next(iter(answer["models"]["m"]["tags"])) for answer in answers]


def interrupted_after(n: int, engine: Engine) -> Engine:
    def stopping(files: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        for done, pair in enumerate(engine(files)):
            if done == n:
                raise KeyboardInterrupt
            yield pair

    return stopping


def test_what_was_replaced_between_interruption_and_resume_is_tagged_anew(
    tagger: ByContent, files: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "t.jsonl"
    with pytest.raises(KeyboardInterrupt):
        tag_library(files, tagger, interrupted_after(2, tagger.engine), out)
    replace(files[0])
    tagger.n_tagged = 0
    tag_library(files, tagger, tagger.engine, out, resume=True)
    assert words(out) == ["new", "old", "old"]
    assert tagger.n_tagged == 2, "the one that stayed is not tagged again"


def test_asked_for_the_content_it_sees_what_size_and_time_hide(
    tagger: ByContent, files: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "t.jsonl"
    with pytest.raises(KeyboardInterrupt):
        tag_library(files, tagger, interrupted_after(2, tagger.engine), out, content=True)
    replace(files[0], later_ns=0)
    replace(files[1], "old music", later_ns=A_DAY_NS)  # only touched
    tagger.n_tagged = 0
    tag_library(files, tagger, tagger.engine, out, resume=True, content=True)
    assert words(out) == ["new", "old", "old"]
    assert tagger.n_tagged == 2


def changing(file: str, engine: Engine, n: int) -> Engine:
    """Replaces a file just after it was read, the first n times."""
    left = iter(range(n))

    def replacing(files: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        for i, answer in engine(files):
            if files[i] == file and (turn := next(left, None)) is not None:
                replace(file, f"turn{turn} music")
            yield i, answer

    return replacing


def test_what_changes_while_it_is_read_is_read_once_more(tagger: ByContent, files: list[str], tmp_path: Path) -> None:
    tag_library(files, tagger, changing(files[1], tagger.engine, 1), tmp_path / "t.jsonl")
    assert words(tmp_path / "t.jsonl") == ["old", "turn0", "old"]
    tag_library(files, tagger, changing(files[1], tagger.engine, 9), tmp_path / "t.jsonl")
    assert "“1.mp3” was changed by another program while it was read" in words(tmp_path / "t.jsonl")[1]


def test_tags_of_another_recording_are_not_written(
    tagger: ByContent, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, list[str] | None] = {}
    monkeypatch.setattr("msecnn.library.file_tags.read_field", lambda file, field: None)
    monkeypatch.setattr(
        "msecnn.library.file_tags.write_field", lambda file, field, values: written.update({file: values})
    )
    said: list[str] = []
    writer = FileTagWriter("m", 1, 0.5, tmp_path / "undo", "F", False, said.append)
    stamped = list(tag_files(files, tagger.engine))
    replace(files[1])
    assert writer(still_true(stamped)) == 1
    assert written == {files[0]: ["old"], files[2]: ["old"]}
    assert "“1.mp3” was changed after it was tagged" in said[0]

    written.clear()

    def then(answers: Iterable[dict[str, Any]]) -> None:
        replace(files[2])
        assert writer(answers) == 1

    summary = tag_library(files, tagger, tagger.engine, tmp_path / "t.jsonl", then=then)
    assert (summary.n_errors, set(written)) == (0, {files[0], files[1]})


def test_writing_tags_does_not_make_an_interrupted_run_begin_anew(
    tagger: ByContent, files: list[str], tmp_path: Path
) -> None:
    def writing(answers: Iterator[dict[str, Any]]) -> None:
        for number, answer in enumerate(answers):
            if number == 2:
                raise KeyboardInterrupt
            replace(answer["file"], "old music with a tag in it")

    out = tmp_path / "t.jsonl"
    with pytest.raises(KeyboardInterrupt):
        tag_library(files, tagger, tagger.engine, out, then=writing)
    tagger.n_tagged = 0
    tag_library(files, tagger, tagger.engine, out, resume=True)
    assert tagger.n_tagged == 0


def test_stamps_of_what_cannot_be_read(tmp_path: Path) -> None:
    assert Stamp.of(str(tmp_path / "nothing")) is None
    assert Stamp.of("a\0b") is None
    assert same_content(None, None)
    assert not same_content(None, Stamp(1, 2))


# ---- killed while tags were written

WRITE = """
import os, signal, sys
from msecnn.library import fields
fields._copy_owner = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
fields.write_field(sys.argv[1], "F", ["rock"])
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A folder with a recording and the whole copy of it that a killed process has left."""
    pytest.importorskip("mutagen", reason="mutagen is not installed (extra: tags)")
    (tmp_path / "song.flac").write_bytes(encode(music(1.0, 44_100), 44_100, "flac"))
    command = [sys.executable, "-c", WRITE, tmp_path / "song.flac"]
    subprocess.run(command, check=False, capture_output=True)
    assert len(os.listdir(tmp_path)) == 2
    return tmp_path


def test_copies_that_a_killed_run_left_are_found_and_removed(
    killed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan([str(killed)]).unfinished == (), "it may still be written"
    monkeypatch.setattr(unfinished, "ABANDONED_S", -1.0)
    (killed / ".mine.flac").write_bytes(b"another program's hidden file")
    (killed / ".link.0123456789abcdef.msecnn-partial").symlink_to(killed / "song.flac")
    (copy,) = scan([str(killed)]).unfinished
    assert main(["tag", "--clean", "--dry-run", str(killed)]) == 0
    assert "unfinished copies would be removed: 1 (" in capsys.readouterr().err
    assert Path(copy).exists()
    assert main(["tag", "--clean", str(killed)]) == 0
    assert sorted(os.listdir(killed)) == [".link.0123456789abcdef.msecnn-partial", ".mine.flac", "song.flac"]


def test_a_scan_tells_of_them(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from msecnn.library.reporting import find_recordings

    monkeypatch.setattr(unfinished, "ABANDONED_S", -1.0)
    said: list[str] = []
    files, _ = find_recordings([str(killed)], said.append)
    assert files == (str(killed / "song.flac"),)
    assert re.search(r"left there: 1 \(\d\.\d MB\); their originals are whole, and --clean removes them", said[0])


# ---- ended from outside, and outputs that are full

ENDED = """
import sys, time
from msecnn import cli
from msecnn.files import replacing
from pathlib import Path
def run(args):
    with replacing(Path(sys.argv[1])):
        print("begun", flush=True)
        time.sleep(60)
import msecnn.cli.models
msecnn.cli.models.run = run
sys.exit(cli.main(["models"]))
"""


def test_sigterm_cleans_up_as_ctrl_c_does(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDED, tmp_path / "out"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "begun\n"
        assert len(os.listdir(tmp_path)) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
        assert process.stderr.read() == "msecnn models: stopped\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", ["json", "table"])
def test_a_full_output_is_one_sentence(form: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "msecnn", "models", "--format", form], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr == "msecnn models: The output cannot be written: the disk is full.\n"
