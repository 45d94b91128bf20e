"""Tags in the files themselves: our field and nothing else, and back again."""

import os
from pathlib import Path
from typing import Any

import av
import pytest
from audio_files import encode, music

from msecnn.library.fields import FileTagError, check_field, read_field, write_field
from msecnn.library.file_tags import FIELD, undo, write_tags
from msecnn.library.undo_list import UndoList

mutagen = pytest.importorskip("mutagen", reason="mutagen is not installed (extra: tags)")
from mutagen.flac import FLAC, Picture  # noqa: E402
from mutagen.id3 import APIC, COMM, ID3, POPM, TIT2, TXXX, TYER  # noqa: E402
from mutagen.mp4 import MP4, MP4Cover  # noqa: E402

KINDS = ("mp3", "flac", "vorbis.ogg", "opus", "flac.ogg", "m4a", "mp4")
TAGS = ["rock", "no vocals", "日本"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


@pytest.fixture(scope="module")
def sounds() -> dict[str, bytes]:
    """A second of music in each kind of file."""
    waveform = music(1.0, 48_000)
    return {kind: encode(waveform, 48_000, kind) for kind in (*KINDS, "16bit.wav", "webm")}


def write(path: Path, content: bytes) -> str:
    """The file with fields of other people's in it."""
    path.write_bytes(content)
    if path.suffix == ".mp3":
        tags = ID3()
        tags.add(TIT2(3, ["Title", "Second title"]))
        tags.add(TYER(0, "1999"))  # a frame of version 2.3, which 2.4 calls otherwise
        tags.add(COMM(1, "eng", "", "a comment"))
        tags.add(TXXX(3, "MOOD", "blue"))
        tags.add(POPM("me@example.org", 255, 7))
        tags.add(APIC(0, "image/png", 3, "front", PNG))
        tags.add(APIC(0, "image/png", 3, "front", PNG[::-1]))
        tags.save(path, v2_version=3, v23_sep=None)
        path.write_bytes(path.read_bytes() + b"TAG" + b"Another title".ljust(125, b"\0"))
    elif path.suffix in (".m4a", ".mp4"):
        mp4 = MP4(path)
        mp4["\xa9nam"] = ["Title"]
        mp4["----:com.apple.iTunes:MOOD"] = [b"blue"]
        mp4["covr"] = [MP4Cover(PNG, MP4Cover.FORMAT_PNG)]
        mp4.save()
    else:
        opened = mutagen.File(path)
        opened["TiTle"] = ["Title", "Second title"]
        opened["MOOD"] = ["blue"]
        if isinstance(opened, FLAC):
            picture = Picture()
            picture.data, picture.type, picture.mime = PNG, 3, "image/png"
            opened.add_picture(picture)
        opened.save()
    return str(path)


def packets(path: str) -> list[tuple[Any, ...]]:
    """All packets of sound and moving pictures, with their times."""
    with av.open(path) as container:
        streams = [s for s in container.streams if not s.disposition & av.stream.Disposition.attached_pic]
        return [(p.stream_index, p.pts, p.dts, p.duration, bytes(p)) for p in container.demux(streams) if p.size]


def metadata(path: str) -> dict[str, str]:
    """The fields as FFmpeg reads them, without ours."""
    with av.open(path) as container:
        found = dict(container.metadata)
        for stream in container.streams:
            found |= {f"{stream.index}.{key}": value for key, value in stream.metadata.items()}
    return {key: value for key, value in found.items() if FIELD not in key.upper()}


def pictures(path: str) -> list[bytes]:
    if path.endswith(".mp3"):
        return [frame.data for frame in ID3(path).getall("APIC")]
    opened = mutagen.File(path)
    return [p.data for p in getattr(opened, "pictures", [])] + [bytes(p) for p in opened.get("covr", [])]


def seen(path: str) -> tuple[Any, ...]:
    return packets(path), metadata(path), pictures(path)


@pytest.mark.parametrize("kind", KINDS)
def test_our_field_changes_and_nothing_else(kind: str, sounds: dict[str, bytes], tmp_path: Path) -> None:
    path = write(tmp_path / f"a.{kind}", sounds[kind])
    os.chmod(path, 0o640)
    os.utime(path, (1, 1))
    before = seen(path)
    assert "Title" in str(before[1])
    assert read_field(path, FIELD) is None
    for values in (TAGS, ["x" * 100_000], ["rock"]):
        write_field(path, FIELD, values)
        assert read_field(path, FIELD) == values
        assert seen(path) == before
    assert FIELD in str(mutagen.File(path).tags.pprint()).upper()
    assert os.stat(path).st_mode & 0o777 == 0o640
    assert os.stat(path).st_mtime > 1
    write_field(path, FIELD, None)
    assert read_field(path, FIELD) is None
    assert seen(path) == before
    assert os.listdir(tmp_path) == [f"a.{kind}"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_tags(kind: str, sounds: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(sounds[kind])
    if kind == "mp3":
        ID3(path).delete()
    before = packets(str(path))
    write_field(str(path), FIELD, TAGS)
    assert read_field(str(path), FIELD) == TAGS
    assert packets(str(path)) == before
    write_field(str(path), FIELD, None)
    assert read_field(str(path), FIELD) is None
    assert packets(str(path)) == before


@pytest.mark.parametrize("version", [(2, 3), (2, 4)])
def test_id3_keeps_its_version_and_id3v1_its_bytes(
    version: tuple[int, int], sounds: dict[str, bytes], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.mp3", sounds["mp3"])
    if version == (2, 4):
        ID3(path).save(path, v2_version=4)
        Path(path).write_bytes(Path(path).read_bytes()[:-128] + b"TAG" + b"Another title".ljust(125, b"\0"))
    before = ID3(path, translate=False, load_v1=False)
    write_field(path, FIELD, TAGS)
    after = ID3(path, translate=False, load_v1=False)
    assert after.version[:2] == before.version[:2] == version
    assert Path(path).read_bytes()[-128:] == b"TAG" + b"Another title".ljust(125, b"\0")
    assert {key: repr(frame) for key, frame in after.items() if key != f"TXXX:{FIELD}"} == {
        key: repr(frame) for key, frame in before.items()
    }


@pytest.mark.parametrize("name", ["a.wav", "a.webm", "a.txt", "gone.mp3"])
def test_what_cannot_be_written_is_told_and_left_alone(name: str, sounds: dict[str, bytes], tmp_path: Path) -> None:
    content = {"a.wav": sounds["16bit.wav"], "a.webm": sounds["webm"], "a.txt": b"no music"}.get(name)
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileTagError, match=name):
        write_field(str(tmp_path / name), FIELD, TAGS)
    if content:
        assert (tmp_path / name).read_bytes() == content


def test_a_failure_half_way_leaves_the_file(
    sounds: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(sounds["flac"])

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FLAC, "save", full)
    with pytest.raises(FileTagError, match="the disk is full"):
        write_field(str(path), FIELD, TAGS)
    assert path.read_bytes() == sounds["flac"]
    assert os.listdir(tmp_path) == ["a.flac"]


@pytest.mark.parametrize("field", ["", " ", "A=B", "naïve", "a\nb", "~"])
def test_impossible_names_of_fields(field: str) -> None:
    with pytest.raises(FileTagError):
        check_field(field)


def answer(file: str, **tags: float) -> dict[str, Any]:
    return {"file": file, "models": {"msecnn": {"tags": tags}}}


def test_writing_and_undoing(sounds: dict[str, bytes], tmp_path: Path) -> None:
    a, b, c = (write(tmp_path / name, sounds[name[2:]]) for name in ("a.mp3", "b.flac", "c.m4a"))
    write_field(b, FIELD, ["by hand"])
    undo_list = UndoList(tmp_path / "undo")
    options: dict[str, Any] = {"model": "msecnn", "top": 2, "min_probability": 0.3}
    answers = [answer(a, slow=0.4, rock=0.9, loud=0.35), answer(b, rock=0.5, slow=0.1), answer(c, slow=0.1)]
    answers += [{"file": "bad.mp3", "error": "bad"}]
    originals = [seen(file) for file in (a, b, c)]

    planned = list(write_tags(answers, **options, undo_list=None))
    assert [read_field(file, FIELD) for file in (a, b, c)] == [None, ["by hand"], None]
    changes = list(write_tags(answers, **options, undo_list=undo_list))
    assert changes == planned
    assert [(change.before, change.after) for change in changes] == [(None, ["rock", "slow"]), (["by hand"], ["rock"])]
    assert [read_field(file, FIELD) for file in (a, b, c)] == [["rock", "slow"], ["rock"], None]
    assert list(write_tags(answers, **options, undo_list=undo_list)) == []

    list(write_tags([answer(a, piano=1.0)], **options, undo_list=undo_list))
    with undo_list.path.open("ab") as file:
        file.write(b'{"file": "torn')
    assert len(list(undo(undo_list, dry_run=True))) > 0
    assert read_field(a, FIELD) == ["piano"]
    taken_back = [change for _, change in undo(undo_list)]
    assert [change.after for change in taken_back] == [["rock", "slow"], ["by hand"], None]
    assert [read_field(file, FIELD) for file in (a, b, c)] == [None, ["by hand"], None]
    assert [seen(file) for file in (a, b, c)] == originals
    assert [change for _, change in undo(undo_list) if not change.error] == []


def test_undoing_leaves_what_others_changed_since(sounds: dict[str, bytes], tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", sounds["flac"])
    undo_list = UndoList(tmp_path / "undo")
    list(write_tags([answer(path, rock=1.0)], model="msecnn", top=1, min_probability=0, undo_list=undo_list))
    write_field(path, FIELD, ["by hand"])
    ((_, change),) = undo(undo_list)
    assert "left alone" in (change.error or "")
    assert read_field(path, FIELD) == ["by hand"]


def test_what_is_no_undo_list_is_told(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("[1]\n")
    for name in ("list", "gone"):
        with pytest.raises(FileTagError, match=name):
            list(undo(UndoList(tmp_path / name)))
