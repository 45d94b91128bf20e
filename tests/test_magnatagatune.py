"""MagnaTagATune: the real label files give the field's counts; a bad server does no harm; nothing is done twice."""

import gzip
import hashlib
import http.server
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import made_up_magnatagatune as made_up
import pytest

from msecnn.cli import main
from msecnn.data import download, magnatagatune
from msecnn.data.download import RemoteFile, fetch
from msecnn.data.manifest import SPLITS, Manifest
from msecnn.errors import DatasetError
from msecnn.json_lines import read_json_lines

PROJECT = Path(__file__).resolve().parents[1]
CONTENT = bytes(range(256)) * 400  # 102,400 bytes
FILE = RemoteFile("file.bin", hashlib.sha256(CONTENT).hexdigest(), max_bytes=200_000)


class Server:
    """Serves a folder on the loopback, and misbehaves as told: one behaviour a request, honest when none are left.

    A behaviour takes the handler, the file's content and the first byte asked for, and answers.
    """

    def __init__(self, folder: Path) -> None:
        self.behaviours: list[Callable] = []
        self.requests: list[tuple[str, str | None]] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name, wanted = self.path.rpartition("/")[2], self.headers.get("Range")
                server.requests.append((name, wanted))
                begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
                behave = server.behaviours.pop(0) if server.behaviours else honest
                behave(self, (folder / name).read_bytes(), begin)
                self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/files/"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(handler: http.server.BaseHTTPRequestHandler, status: int, body: bytes, **headers: object) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def honest(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    if begin and begin >= len(content):
        answer(handler, 416, b"", Content_Range=f"bytes */{len(content)}")
    elif begin:
        place = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        answer(handler, 206, content[begin:], Content_Range=place, Content_Length=len(content) - begin)
    else:
        answer(handler, 200, content, Content_Length=len(content))


def breaking_off(n_bytes: int) -> Callable:
    def behave(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
        honest_write = handler.wfile.write
        n_left = [n_bytes]

        def write(data: bytes) -> None:
            if data.startswith(b"HTTP/"):
                honest_write(data)
            else:
                honest_write(data[: n_left[0]])

        handler.wfile.write = write  # type: ignore[method-assign]
        honest(handler, content, begin)

    return behave


def without_resume(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    honest(handler, content, 0)


def breaking_off_without_resume(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    answer(handler, 200, content[:50_000], Content_Length=len(content))


def promising_too_much(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    place = {"Content_Range": f"bytes {begin}-"} if begin else {}
    answer(handler, 206 if begin else 200, content[begin:], Content_Length=len(content) + 5_000 - begin, **place)


def promising_too_little(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    answer(handler, 200, content, Content_Length=len(content) // 2)


def promising_the_absurd(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    answer(handler, 200, content, Content_Length=10**15)


def endless(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    answer(handler, 200, content * 30)


def damaging(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    honest(handler, content.replace(b"\x07", b"\x08"), begin)


def sending_another_part(handler: http.server.BaseHTTPRequestHandler, content: bytes, begin: int) -> None:
    answer(handler, 206, content[:100], Content_Range=f"bytes 0-99/{len(content)}", Content_Length=100)


def saying(status: int) -> Callable:
    return lambda handler, content, begin: answer(handler, status, b"no", Content_Length=2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / FILE.name).write_bytes(CONTENT)
    server = Server(tmp_path / "served")
    yield server
    server.stop()


@pytest.mark.parametrize(
    "behaviours",
    [
        [],
        [breaking_off(30_000), breaking_off(1), breaking_off(0), breaking_off(40_000)],
        [breaking_off(30_000), without_resume],
        [breaking_off_without_resume, breaking_off_without_resume, without_resume],
        [breaking_off(30_000), sending_another_part],
        [promising_too_much],
        [promising_too_much] * 3,
        [promising_too_little],
        [damaging],
        [breaking_off(30_000), damaging],
        [saying(503), saying(429)],
    ],
)
def test_a_file_arrives_whole_however_the_server_misbehaves(server: Server, tmp_path: Path, behaviours: list) -> None:
    server.behaviours = list(behaviours)
    path = fetch(FILE, server.url, tmp_path / "here", pause_s=0)
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in (tmp_path / "here").iterdir()] == [FILE.name]
    n_requests = len(server.requests)
    assert fetch(FILE, server.url, tmp_path / "here") == path
    assert len(server.requests) == n_requests, "what is there isn't asked for again"


@pytest.mark.parametrize(
    ("behaviours", "words", "is_kept"),
    [
        ([damaging] * 2, "is not the file wanted: its SHA-256 isn't", False),
        ([promising_too_little] * 2, "is not the file wanted", False),
        ([promising_the_absurd], "it has less than 200,000", False),
        ([endless], "sends more than 200,000 bytes", True),
        ([saying(404)], "the server says 404", False),
        ([breaking_off(30_000)] + [saying(503)] * 20, "what has come so far stays", True),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(
    server: Server, tmp_path: Path, behaviours: list, words: str, is_kept: bool
) -> None:
    server.behaviours = list(behaviours)
    with pytest.raises(DatasetError, match=words) as error:
        fetch(FILE, server.url, tmp_path / "here", pause_s=0)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "here" / FILE.name).exists()
    assert (tmp_path / "here" / f"{FILE.name}.partial").exists() == is_kept


def test_only_what_is_missing_is_asked_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin.partial").write_bytes(CONTENT[:70_000])  # as a killed process leaves it
    fetch(FILE, server.url, tmp_path)
    assert server.requests == [("file.bin", "bytes=70000-")]


def test_a_file_that_another_program_left_cut_short_is_completed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(CONTENT[:70_000])
    assert fetch(FILE, server.url, tmp_path).read_bytes() == CONTENT
    assert server.requests == [("file.bin", "bytes=70000-")]


def test_a_server_that_falls_silent_or_is_gone_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(download, "TRIES", 2)
    silence = threading.Event()
    server.behaviours = [lambda *_: silence.wait(5)] * 3
    with pytest.raises(DatasetError, match="timed out"):
        fetch(FILE, server.url, tmp_path, pause_s=0)
    silence.set()
    server.stop()
    with pytest.raises(DatasetError, match="cannot download"):
        fetch(FILE, server.url, tmp_path, pause_s=0)


def test_a_lack_of_room_is_told_before_the_download(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 50_000})
    monkeypatch.setattr("msecnn.files.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DatasetError, match=re.escape("the missing bytes of file.bin need 0.0 GB more")):
        fetch(FILE, server.url, tmp_path)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up MagnaTagATune, labels and unpacked clips."""
    return made_up.build(tmp_path_factory.mktemp("published"), n_clips=60, seconds=1.5)


def labels_of(published: Path, root: Path) -> Path:
    root.mkdir()
    for name in ("annotations_final.csv", "clip_info_final.csv"):
        shutil.copy(published / name, root)
    return root


def test_from_archive_to_manifests_through_every_trouble(published: Path, server: Server, tmp_path: Path) -> None:
    archive = made_up.pack(published, tmp_path / "served")
    root = labels_of(published, tmp_path / "root")
    server.behaviours = [breaking_off(20_000), honest, damaging, honest, saying(404)]
    with pytest.raises(DatasetError, match="404"):  # the second part is damaged once, the third is missing at first
        magnatagatune.prepare(root, base_url=server.url, archive=archive, jobs=1, pause_s=0)
    server.requests.clear()
    manifests = magnatagatune.prepare(root, base_url=server.url, archive=archive, jobs=1, pause_s=0)
    assert server.requests == [("mp3.zip.003", None)], "the first two parts were there"
    folders = manifests["folders"]
    assert [len(folders.split(name)) for name in SPLITS] == [36, 9, 15]
    assert list(folders.left_out.values()) == ["it was published broken"]
    for clip in folders.clips:
        assert clip.path.read_bytes() == (published / "mp3" / clip.path.relative_to(root / "mp3")).read_bytes()
        assert clip.duration_s == pytest.approx(1.5, abs=0.1)
        assert clip.hash == hashlib.sha256(clip.path.read_bytes()).hexdigest()
    read = Manifest.read(root / "folders.jsonl")
    assert (read.hash, read.left_out) == (folders.hash, folders.left_out)
    for path in root.glob("mp3.zip.*"):
        path.unlink()
    server.requests.clear()
    again = magnatagatune.prepare(root, base_url=server.url, archive=archive, jobs=1)
    assert server.requests == [], "the archive isn't fetched again once it is unpacked"
    assert {name: manifest.hash for name, manifest in again.items()} == {
        name: manifest.hash for name, manifest in manifests.items()
    }


def test_unpacking_goes_on_where_it_stopped_and_names_what_is_damaged(published: Path, tmp_path: Path) -> None:
    archive = made_up.pack(published, tmp_path)
    parts = [tmp_path / part.name for part in archive]
    wanted = {path.relative_to(published / "mp3").as_posix() for path in (published / "mp3").rglob("*.mp3")}
    some = set(sorted(wanted)[:20])
    assert magnatagatune.unpack(parts, tmp_path / "mp3", some) == {}
    assert {path.relative_to(tmp_path / "mp3").as_posix() for path in (tmp_path / "mp3").rglob("*")} >= some
    content = bytearray(parts[0].read_bytes())
    content[5_000] ^= 0xFF
    parts[0].write_bytes(content)
    damaged = magnatagatune.unpack(parts, tmp_path / "again", wanted)
    assert len(damaged) == 1
    assert "damaged in the archive" in next(iter(damaged.values()))
    assert len(list((tmp_path / "again").rglob("*.mp3"))) == len(wanted) - 1
    with pytest.raises(DatasetError, match="are not a whole archive"):
        magnatagatune.unpack(parts[:2], tmp_path / "third", wanted)


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "mp3.zip.001", "w") as archive:
        archive.writestr("../../0/evil.mp3", b"evil")
        archive.writestr("mp3/0/good.mp3", b"good")
        archive.writestr("/0/other.mp3", b"other")
    magnatagatune.unpack([tmp_path / "mp3.zip.001"], tmp_path / "deep" / "mp3", {"0/evil.mp3", "0/good.mp3"})
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["deep/mp3/0/evil.mp3", "deep/mp3/0/good.mp3", "mp3.zip.001"]


def test_clips_that_do_not_decode_or_are_missing_are_left_out_by_name(published: Path, tmp_path: Path) -> None:
    root = labels_of(published, tmp_path / "root")
    shutil.copytree(published / "mp3", root / "mp3")
    first, second = sorted(path for path in (root / "mp3").rglob("*.mp3") if path.stat().st_size)[:2]
    first.write_bytes(b"not an MP3")
    second.unlink()
    manifests = magnatagatune.prepare(root, download=False, jobs=1)
    assert len(manifests["folders"]) == 58
    left_out = manifests["folders"].left_out
    assert left_out["/".join(second.parts[-2:])] == "it is not there"
    assert "not a recording" in left_out["/".join(first.parts[-2:])]


def test_the_splits_are_what_their_names_say(published: Path, tmp_path: Path) -> None:
    root = labels_of(published, tmp_path / "root")
    shutil.copytree(published / "mp3", root / "mp3")
    manifests = magnatagatune.prepare(root, download=False, jobs=1)
    for clip in manifests["folders"].clips:
        assert clip.path.parent.name in made_up.FOLDERS[clip.split]
    assert all(clip.labels.any() for clip in manifests["folders_filtered"].clips)
    assert 0 < len(manifests["folders"]) - len(manifests["folders_filtered"]) < 10
    splits_of_artist: dict[str, set[str]] = {}
    for clip in manifests["artist_disjoint"].clips:
        splits_of_artist.setdefault(clip.extra["artist"], set()).add(clip.split)
    assert all(len(splits) == 1 for splits in splits_of_artist.values())
    assert {clip.split for clip in manifests["artist_disjoint"].clips} == set(SPLITS)


def test_the_command_prepares_what_lies_there(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = labels_of(published, tmp_path / "root")
    assert main(["prepare", "magnatagatune", str(root), "--no-download"]) == 1
    assert "none of MagnaTagATune's clips can be used" in capsys.readouterr().err
    for folder in (published / "mp3").iterdir():  # clips may lie right under the root, too
        shutil.copytree(folder, root / folder.name)
    assert main(["prepare", "magnatagatune", str(root), "--no-download", "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert "folders.jsonl: 60 clips (train 36, valid 9, test 15), 50 tags" in told
    assert "the literature's folders: train 18,706, valid 1,825, test 5,329" in told
    assert "left out: " in told
    assert len(Manifest.read(root / "artist_disjoint.jsonl")) == 60


def test_killed_while_it_decodes_it_goes_on_where_it_was(published: Path, tmp_path: Path) -> None:
    root = labels_of(published, tmp_path / "root")
    shutil.copytree(published / "mp3", root / "mp3")
    command = [sys.executable, "-m", "msecnn", "prepare", "magnatagatune", str(root), "--no-download", "--jobs", "1"]
    worker = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=PROJECT)
    while len(before := read_json_lines(root / "inspected.jsonl")) < 5:
        assert worker.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    worker.kill()
    worker.wait()
    assert not (root / "folders.jsonl").exists()
    manifests = magnatagatune.prepare(root, download=False, jobs=1)
    after = read_json_lines(root / "inspected.jsonl")
    assert after[: len(before)] == before
    assert len({row["state"] for row in after}) == len(after) == 60, "no clip is decoded twice"
    assert [len(manifests["folders"].split(name)) for name in SPLITS] == [36, 9, 15]


needs_real_labels = pytest.mark.skipif(not made_up.has_real_labels(), reason="../shared/mtt is not here")


@pytest.fixture(scope="session")
def real_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("labels")
    for name in ("annotations_final.csv", "clip_info_final.csv"):
        (root / name).write_bytes(gzip.decompress((made_up.REAL_LABELS / f"{name}.gz").read_bytes()))
    return root


@needs_real_labels
def test_the_real_label_files_give_the_fields_counts(real_labels: Path) -> None:
    clips = magnatagatune.read_labels(real_labels, real_labels / "mp3")
    assert len(clips) == 25_863
    broken = [clip for clip in clips if clip.clip_id in magnatagatune.BROKEN]
    assert [clip.split for clip in broken] == ["train"] * 3
    manifests = magnatagatune.split([clip for clip in clips if clip not in broken])
    counts = {name: tuple(len(manifest.split(split)) for split in SPLITS) for name, manifest in manifests.items()}
    assert counts["folders"] == (18_706, 1_825, 5_329)
    assert counts["folders_filtered"] == (15_247, 1_529, 4_332)
    artists = {clip.extra["artist"] for clip in manifests["folders"].split("train").clips}
    test = manifests["folders"].split("test").clips
    assert sum(clip.extra["artist"] in artists for clip in test) / len(test) == pytest.approx(0.62, abs=0.005)
    disjoint = manifests["artist_disjoint"]
    parts = [{clip.extra["artist"] for clip in disjoint.split(split).clips} for split in SPLITS]
    assert sum(len(part) for part in parts) == len(set.union(*parts))
    assert counts["artist_disjoint"] == (18_728, 1_815, 5_317)
    assert min(disjoint.split(split).labels().sum(0).min() for split in SPLITS) >= 5, "every tag is in every part"


@needs_real_labels
def test_the_real_label_files_are_fetched_by_their_checksums(real_labels: Path, tmp_path: Path) -> None:
    server = Server(real_labels)
    server.behaviours = [breaking_off(1_000_000)]
    try:
        for labels in (magnatagatune.ANNOTATIONS, magnatagatune.CLIP_INFO):
            assert (
                fetch(labels, server.url, tmp_path, pause_s=0).read_bytes() == (real_labels / labels.name).read_bytes()
            )
    finally:
        server.stop()
    assert [name for name, _ in server.requests] == [
        magnatagatune.ANNOTATIONS.name,
        magnatagatune.ANNOTATIONS.name,
        magnatagatune.CLIP_INFO.name,
    ]
    assert server.requests[1][1] == "bytes=1000000-"
