"""A whole library: found in order, answered once whatever dies, written in one order."""

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from msecnn import audio, checkpoint
from msecnn.cli import main
from msecnn.files import readable
from msecnn.frontend import MelConfig
from msecnn.library import workers
from msecnn.library.result_journal import LibraryError, ResultJournal
from msecnn.library.run import in_order, tag_library
from msecnn.library.scan import scan
from msecnn.library.serving import ModelServer
from msecnn.library.tables import write_table
from msecnn.library.tagging_job import RecordingTagger, TaggingJob, error_answer
from msecnn.models import registry

TAGS = ("guitar", "slow", "no vocals", "choral")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """FCN-5 with random weights, as a checkpoint."""
    torch.manual_seed(3)
    network = registry.create("fcn5", n_tags=len(TAGS)).eval()
    network.input_norm.running_mean.fill_(-40)
    network.input_norm.running_var.fill_(400)
    folder = tmp_path_factory.mktemp("checkpoints") / "random"
    checkpoint.save(folder, network, mel_config=MelConfig(), tags=TAGS, card={"untrained": True})
    return str(folder)


@pytest.fixture(scope="module")
def tagger(model: str) -> RecordingTagger:
    return RecordingTagger(TaggingJob((model,), device="cpu"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in the workers, so that answers are the same bits."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def music(tmp_path: Path) -> list[str]:
    """Twelve seconds-long recordings and, among them, a file that is none."""
    folder = tmp_path / "music"
    folder.mkdir()
    for i in range(12):
        noise = 0.1 * np.random.default_rng(i).standard_normal((i + 1) * 12_000)
        audio.write_wav(folder / f"{i}.wav", noise.astype(np.float32), 12_000)
    (folder / "3.wav").write_bytes(b"RIFF and no more")
    return list(scan([str(folder)]).files)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def found(folder: Path, *paths: str) -> list[str]:
    return [os.path.relpath(file, folder) for file in scan([str(folder / path) for path in paths or ("",)]).files]


class TestScan:
    def test_order_is_natural_and_folder_by_folder(self, tmp_path: Path) -> None:
        touch(tmp_path, "Track 10.mp3", "track 2.MP3", "B/2.ogg", "B/10.ogg", "b 1/1.wav", "Ä.flac")
        assert found(tmp_path) == ["B/2.ogg", "B/10.ogg", "b 1/1.wav", "track 2.MP3", "Track 10.mp3", "Ä.flac"]

    def test_hidden_and_other_files_are_skipped_and_counted(self, tmp_path: Path) -> None:
        touch(tmp_path, "a.mp3", ".b.mp3", ".hidden/c.mp3", "cover.JPG", "back.jpg", "list.m3u", "README")
        os.mkfifo(tmp_path / "pipe.mp3")
        result = scan([str(tmp_path)])
        assert [Path(file).name for file in result.files] == ["a.mp3"]
        assert result.skipped == {".jpg": 2, ".m3u": 1, "without extension": 1, "special file": 1}
        assert "2 .jpg" in (result.skipped_sentence() or "")

    def test_links_neither_loop_nor_double(self, tmp_path: Path) -> None:
        touch(tmp_path, "z/real.mp3", "elsewhere/far.mp3", "music/own.mp3")
        (tmp_path / "music/up").symlink_to("..")
        (tmp_path / "music/self").symlink_to(".")
        (tmp_path / "music/again.mp3").symlink_to("own.mp3")
        (tmp_path / "music/outside.mp3").symlink_to("../z/real.mp3")
        (tmp_path / "music/far").symlink_to("../elsewhere")
        (tmp_path / "music/nowhere.mp3").symlink_to("nothing")
        result = scan([str(tmp_path / "music")])
        names = sorted(Path(file).resolve().name for file in result.files)
        assert names == ["far.mp3", "own.mp3", "real.mp3"]
        assert str(tmp_path / "music/own.mp3") in result.files
        assert result.skipped == {"broken link": 1}

    def test_what_is_named_comes_in_its_place_and_once(self, tmp_path: Path) -> None:
        touch(tmp_path, "a/1.mp3", "b/1.mp3", "cover.jpg")
        assert found(tmp_path, "b", "cover.jpg", "a", "b/1.mp3") == ["b/1.mp3", "cover.jpg", "a/1.mp3"]

    def test_a_locked_folder_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        touch(tmp_path, "a/1.mp3", "b/2.mp3")
        original = os.scandir

        def scandir(path: str) -> Any:  # permissions do not stop a superuser, who may run the tests
            if path.endswith("/a"):
                raise PermissionError(13, "Permission denied", path)
            return original(path)

        monkeypatch.setattr(os, "scandir", scandir)
        result = scan([str(tmp_path)])
        assert [Path(file).name for file in result.files] == ["2.mp3"]
        assert result.unreadable == {str(tmp_path / "a"): "Permission denied"}

    def test_names_that_are_no_unicode(self, tmp_path: Path) -> None:
        (tmp_path / os.fsdecode(b"caf\xe9.mp3")).write_bytes(b"")
        (file,) = scan([str(tmp_path)]).files
        assert readable(file).endswith(r"caf\xe9.mp3")
        readable(file).encode()


def here(tagger: RecordingTagger) -> Any:
    return lambda files: ((i, tagger(file)) for i, file in enumerate(files))


class TestRun:
    def test_answers_are_the_taggers(self, tagger: RecordingTagger, music: list[str], tmp_path: Path) -> None:
        summary = tag_library(music, tagger, here(tagger), tmp_path / "t.jsonl")
        answers = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
        assert answers == [json.loads(json.dumps(tagger(file))) for file in music]
        assert (summary.n_tagged, summary.n_errors) == (11, 1)
        assert ["error" in answer for answer in answers] == [i == 3 for i in range(12)]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["music", "t.jsonl"]

    def test_all_formats_say_the_same(self, tagger: RecordingTagger, music: list[str], tmp_path: Path) -> None:
        parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra: parquet)")
        answers = [tagger(file) for file in music[:5]]
        for name in ("t.csv", "t.jsonl", "t.parquet"):
            write_table(tmp_path / name, answers, tagger.tags)
        rows = list(csv.DictReader((tmp_path / "t.csv").open()))
        table = parquet.read_table(tmp_path / "t.parquet").to_pylist()
        assert len(rows) == len(table) == 5
        for answer, row, arrow in zip(answers, rows, table, strict=True):
            assert answer["file"] == row["file"] == arrow["file"]
            if "error" in answer:
                assert answer["error"] == row["error"] == arrow["error"]
                assert row["guitar"] == ""
                assert arrow["guitar"] is None
                continue
            said = answer["models"]["random"]["tags"]
            assert {tag: float(row[tag]) for tag in TAGS} == said
            assert {tag: arrow[tag] for tag in TAGS} == pytest.approx(said, abs=1e-6)
            assert float(row["duration_s"]) == arrow["duration_s"] == answer["duration_s"]

    def test_interrupted_anywhere_it_ends_the_same(
        self, tagger: RecordingTagger, music: list[str], tmp_path: Path
    ) -> None:
        answers = {file: tagger(file) for file in music}
        asked: list[str] = []

        def stopping(after: int) -> Any:
            def engine(files: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
                for n, i in enumerate(reversed(range(len(files)))):  # ready in another order than asked for
                    if n == after:
                        raise KeyboardInterrupt
                    asked.append(files[i])
                    yield i, answers[files[i]]

            return engine

        tag_library(music, tagger, stopping(99), tmp_path / "whole.csv")
        for stop in (0, 5, 3):
            asked.clear()
            with pytest.raises(KeyboardInterrupt):
                tag_library(music, tagger, stopping(stop), tmp_path / "t.csv", resume=stop > 0)
            assert not (tmp_path / "t.csv").exists()
            assert (tmp_path / "t.csv.journal").exists() == (stop > 0)  # what holds no answer is in nobody's way
        asked_before = asked.copy()
        tag_library(music, tagger, stopping(99), tmp_path / "t.csv", resume=True)
        assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
        assert len(asked) - len(asked_before) == 12 - 5 - 3
        assert len(set(asked)) == len(asked)

    def test_an_older_table_stays_until_the_new_one_is_whole(
        self, tagger: RecordingTagger, music: list[str], tmp_path: Path
    ) -> None:
        out = tmp_path / "t.csv"
        out.write_text("precious")

        def engine(files: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
            yield 0, tagger(files[0])
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            tag_library(music, tagger, engine, out)
        assert out.read_text() == "precious"
        with pytest.raises(LibraryError, match="--resume"):
            tag_library(music, tagger, engine, out)

    def test_an_error_is_tried_again_and_a_torn_line_dropped(self, tmp_path: Path) -> None:
        path, job = tmp_path / "j", {"models": []}
        with ResultJournal(path, job, resume=False) as journal:
            journal.append({"file": "a", "models": {}})
            journal.append(error_answer("b", "locked"))
        with path.open("ab") as file:
            file.write(b'{"file": "c", "mod')
        with ResultJournal(path, job, resume=True) as journal:
            assert journal.done == {"a"}
            journal.append({"file": "b", "models": {}})
            journal.append({"file": "a", "models": {"nothing": "twice"}})
            assert list(journal.answers("ab")) == [{"file": "a", "models": {}}, {"file": "b", "models": {}}]
            with pytest.raises(LibraryError, match="another run"):
                ResultJournal(path, job, resume=True)
        with pytest.raises(LibraryError, match="other models"):
            ResultJournal(path, {"models": ["other"]}, resume=True)
        path.write_text("shopping list\n")
        with pytest.raises(LibraryError, match="not a journal"):
            ResultJournal(path, job, resume=True)

    def test_a_full_disk_is_told_and_keeps_what_was_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = {"models": []}
        with ResultJournal(tmp_path / "j", job, resume=False) as journal:
            journal.append({"file": "a"})
            healthy = journal._file
            with Path("/dev/full").open("wb", buffering=0) as full:
                monkeypatch.setattr(journal, "_file", full)
                with pytest.raises(LibraryError, match="No space left"):
                    journal.append({"file": "b"})
            monkeypatch.setattr(journal, "_file", healthy)
        with ResultJournal(tmp_path / "j", job, resume=True) as journal:
            assert journal.done == {"a"}

    @pytest.mark.parametrize("name", ["t.txt", "t", "missing/t.csv"])
    def test_a_wrong_table_is_told_before_the_work(self, tagger: RecordingTagger, tmp_path: Path, name: str) -> None:
        with pytest.raises(LibraryError):
            tag_library(["a.mp3"], tagger, here(tagger), tmp_path / name)

    def test_in_order(self) -> None:
        answers = [(2, {"c": 0}), (0, {"a": 0}), (1, {"b": 0}), (3, {"d": 0})]
        assert [next(iter(answer)) for answer in in_order(answers)] == ["a", "b", "c", "d"]


def die_of_poison(job: TaggingJob, pipe: Connection) -> None:
    """A worker that a file called poison kills, as a bug in a decoder would."""
    pipe.send(None)
    while True:
        index, file = pipe.recv()
        if file == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        pipe.send((index, {"file": file}))


def die_at_once(job: TaggingJob, pipe: Connection) -> None:
    os._exit(7)


class TestWorkers:
    def test_workers_agree_with_one_process_and_a_killed_one_loses_nothing(
        self, tagger: RecordingTagger, music: list[str]
    ) -> None:
        run = workers.tag_in_workers(music, tagger.job, jobs=2)
        answers = dict([next(run)])
        os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
        for index, answer in run:
            assert index not in answers
            answers[index] = answer
        assert [answers[i] for i in range(12)] == [tagger(file) for file in music]
        assert not multiprocessing.active_children()

    def test_one_process_runs_the_networks_for_all(self, tagger: RecordingTagger, music: list[str]) -> None:
        server = ModelServer(tagger.taggers)
        answers = dict(workers.tag_in_workers(music, tagger.job, jobs=2, server=server))
        for i, file in enumerate(music):
            expected = tagger(file)
            assert answers[i].keys() == expected.keys()
            if "models" in expected:  # batches of other sizes round differently
                said = [answer["models"]["random"]["timeline"] for answer in (answers[i], expected)]
                np.testing.assert_allclose(*said, atol=2e-6)

    def test_a_file_that_kills_its_worker_is_an_error_and_the_rest_goes_on(
        self, monkeypatch: pytest.MonkeyPatch, tagger: RecordingTagger
    ) -> None:
        monkeypatch.setattr(workers, "_work", die_of_poison)
        files = ["a", "poison", "b", "c"]
        answers = dict(workers.tag_in_workers(files, tagger.job, jobs=1))
        assert [answers[i]["file"] for i in range(4)] == files
        assert ["error" in answers[i] for i in range(4)] == [False, True, False, False]

    def test_workers_that_cannot_start_are_told(self, monkeypatch: pytest.MonkeyPatch, tagger: RecordingTagger) -> None:
        monkeypatch.setattr(workers, "_work", die_at_once)
        with pytest.raises(LibraryError, match="status 7"):
            list(workers.tag_in_workers(["a"], tagger.job, jobs=1))

    def test_sigkill_loses_nothing_and_leaves_no_orphan(
        self, tagger: RecordingTagger, music: list[str], tmp_path: Path
    ) -> None:
        folder, out = str(tmp_path / "music"), tmp_path / "t.jsonl"
        arguments = ["tag", folder, "--recursive", "--out", str(out), "--jobs", "1", "--device", "cpu"]
        arguments += ["--model", tagger.job.models[0], "--runtime", "torch"]
        journal = tmp_path / "t.jsonl.journal"
        with subprocess.Popen([sys.executable, "-m", "msecnn", *arguments], stderr=subprocess.DEVNULL) as process:
            while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
                assert process.poll() is None
                time.sleep(0.01)
            children = descendants(process.pid)
            assert len(children) >= 2  # the fork server and its worker
            process.kill()
        n_kept = journal.read_bytes().count(b"\n") - 1
        assert 3 <= n_kept < 12
        deadline = time.monotonic() + 30
        while any(is_alive(child) for child in children):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert main([*arguments, "--resume"]) == 1  # one file of the twelve is none
        tag_library(music, tagger, here(tagger), tmp_path / "whole.jsonl")
        assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
        assert not journal.exists()


def descendants(pid: int | str) -> list[str]:
    """Processes that a process has started, and those that they have."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return children + [grandchild for child in children for grandchild in descendants(child)]


def is_alive(pid: str) -> bool:
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
