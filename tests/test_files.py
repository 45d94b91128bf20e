"""The one atomic write, the one lock and the one printable name."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msecnn.files import (
    UNFINISHED,
    LockedError,
    WriteError,
    locked,
    printable,
    readable,
    replacing,
    write_atomically,
    write_json,
)
from msecnn.json_lines import JsonLinesLog, read_json_lines

#: Any name that may come from a file system, an archive or JSON: half characters and control characters included.
NAMES = st.text(st.characters(exclude_categories=()))
KILLED = """
import os, signal, sys
from pathlib import Path
from msecnn.files import replacing
with replacing(Path(sys.argv[1])) as partial:
    partial.write_bytes(b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""
HOLDER = """
import sys, time
from pathlib import Path
from msecnn.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def interrupted(path: Path) -> None:
    with replacing(path) as partial:
        assert partial.suffix == path.suffix
        partial.write_text("half of the sec")
        raise KeyboardInterrupt


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_atomically(path, "first")
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert (path.read_text(), os.listdir(tmp_path)) == ("first", ["table.csv"])
    write_json(path, {"second": "zweite ä"})
    assert path.read_text(encoding="utf-8") == '{\n  "second": "zweite ä"\n}\n'


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(WriteError, match=r"a\.txt cannot be written: the disk is full\.$"):
        write_atomically(tmp_path / "a.txt", b"content")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["song.mp3", "no-ending", ".hidden", "ä" * 120 + ".flac", "a\nb.ogg"])
def test_what_a_killed_process_leaves_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / name], check=False)
    (left,) = os.listdir(tmp_path)
    assert UNFINISHED.fullmatch(left)
    assert not UNFINISHED.fullmatch(name)


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_lock_excludes_other_processes_and_ends_with_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, tmp_path / "lock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError), locked(tmp_path / "lock"):
            pass
        holder.kill()
    with locked(tmp_path / "lock"):
        pass


def test_a_lock_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(WriteError, match="file/lock cannot be written"), locked(tmp_path / "file" / "lock"):
        pass


def test_any_name_can_be_logged(tmp_path: Path) -> None:
    row = {"file": os.fsdecode(b"caf\xe9\n.mp3")}
    with JsonLinesLog(tmp_path / "log") as log:
        log.append(row)
    assert read_json_lines(tmp_path / "log") == [row]


@given(NAMES)
def test_a_printed_name_is_one_line_that_commands_nothing(name: str) -> None:
    assert printable(name).isprintable()
    readable(name).encode()
    assert len(printable(name, longest=20)) <= 20


def test_a_name_that_says_where_it_is_odd() -> None:
    assert printable(os.fsdecode(b"caf\xe9.mp3")) == r"caf\xe9.mp3"
    assert printable("ab\x1b[2Jc\nd") == "ab�[2Jc�d"
    assert printable("a" * 50 + "b" * 50, longest=9) == "aaaaaa…bb"
