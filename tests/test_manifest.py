"""The manifest: reads back as written, draws splits by group, takes anybody's music, refuses what it can't mean."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.data.inspection import inspect_files
from msecnn.data.manifest import SPLITS, Clip, Manifest, draw_splits, join, torn_groups
from msecnn.data.parallel import map_in_order
from msecnn.errors import DatasetError
from msecnn.tags import MAGNATAGATUNE_TAGS

NAN = float("nan")


def make_clip(clip_id: str, **changes: object) -> Clip:
    values: dict = {
        "path": f"audio/{clip_id}.wav",
        "split": "train",
        "labels": [1, 0, NAN],
        "hash": f"hash of {clip_id}",
    }
    return Clip(clip_id=clip_id, **(values | changes))


def make_manifest(*clips: Clip, **changes: object) -> Manifest:
    return Manifest(**({"tags": ("rock", "piano", "harp"), "clips": clips, "name": "made up"} | changes))


def test_a_manifest_reads_back_as_it_was_written(tmp_path: Path) -> None:
    clips = (
        make_clip("a", path=tmp_path / "music" / "ä b.mp3", labels=[0.1, 0, NAN], group="album", duration_s=29.12),
        make_clip("b", path=tmp_path / "music" / "deep" / "b.mp3", split="test", start_s=3.5, extra={"title": "Ode"}),
    )
    written = make_manifest(*clips, licence="CC0", left_out={"c.mp3": "it is empty"})
    read = Manifest.read(written.write(tmp_path).parent)
    assert (read.tags, read.name, read.licence, read.left_out) == (
        written.tags,
        "made up",
        "CC0",
        {"c.mp3": "it is empty"},
    )
    for before, after in zip(written.clips, read.clips, strict=True):
        assert after.path.resolve() == before.path.resolve()
        for key in ("clip_id", "split", "group", "duration_s", "start_s", "hash", "extra"):
            assert getattr(after, key) == getattr(before, key)
        np.testing.assert_array_equal(after.labels, before.labels)
    assert read.hash == written.hash


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 1, width=32)), min_size=3, max_size=3))
def test_any_labels_survive_the_file_exactly(tmp_path_factory: pytest.TempPathFactory, labels: list[float]) -> None:
    path = tmp_path_factory.mktemp("labels") / "soft.jsonl"
    manifest = make_manifest(make_clip("a", labels=labels))
    manifest.write(path)
    np.testing.assert_array_equal(Manifest.read(path).labels(), manifest.labels())


def test_a_data_set_moves_with_its_manifest_and_keeps_its_hash(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    manifest = make_manifest(make_clip("a", path=tmp_path / "here" / "mp3" / "a.mp3"))
    manifest.write(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = Manifest.read(tmp_path / "there")
    assert moved.clips[0].path.resolve() == (tmp_path / "there" / "mp3" / "a.mp3").resolve()
    assert moved.hash == manifest.hash


@pytest.mark.parametrize(
    "change", [{"split": "test"}, {"labels": [1, 0, 0]}, {"hash": "another"}, {"start_s": 1.0}, {"clip_id": "z"}]
)
def test_the_hash_sees_every_change_that_a_model_could_learn_from(change: dict) -> None:
    before = make_clip("a")
    values = {key: getattr(before, key) for key in ("clip_id", "path", "split", "labels", "hash", "start_s")}
    assert make_manifest(Clip(**(values | change))).hash != make_manifest(before).hash


def test_the_filtered_protocol_keeps_clips_with_at_least_one_tag() -> None:
    manifest = make_manifest(make_clip("a"), make_clip("b", labels=[0, 0, 0]), make_clip("c", labels=[NAN, 0, NAN]))
    assert [clip.clip_id for clip in manifest.filtered().clips] == ["a"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: make_clip("a", split="dev"), "clip a: the split is 'dev'; it may be one of train, valid, test"),
        (lambda: make_clip("a", labels=[2, 0, 0]), "from 0 to 1"),
        (lambda: make_manifest(make_clip("a", labels=[1, 0])), "for 3 tags"),
        (lambda: make_manifest(make_clip("a"), make_clip("a")), "two clips are called a"),
        (lambda: make_manifest(tags=("a", "a")), "twice"),
        (lambda: make_manifest().split("dev"), "there is no split 'dev'"),
    ],
)
def test_what_a_manifest_cannot_mean_is_refused_in_one_sentence(make: object, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: "", "line 1"),
        (lambda text: text[: len(text) - 30], "line 3"),
        (lambda text: "\n".join(text.splitlines()[:2]), "1 clips where the first line announces 2"),
        (lambda text: text.replace('"rock": 1', '"rok": 1'), "rok is not in the vocabulary"),
        (lambda text: text.replace("manifest-1", "manifest-9"), "manifest-9"),
        (lambda text: text.replace('"hash": ', '"hush": '), "'hash' is missing"),
    ],
)
def test_a_damaged_manifest_is_refused_with_the_line(tmp_path: Path, damage: object, words: str) -> None:
    path = make_manifest(make_clip("a"), make_clip("b")).write(tmp_path)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(DatasetError, match=words):
        Manifest.read(path)


def test_a_missing_manifest_names_those_that_are_there(tmp_path: Path) -> None:
    make_manifest(make_clip("a")).write(tmp_path / "folders.jsonl")
    with pytest.raises(DatasetError, match=r"there are folders\.jsonl"):
        Manifest.read(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=3, max_size=80), st.integers(0, 5))
def test_drawn_splits_never_tear_a_group(groups: list[int], seed: int) -> None:
    # group 0 stands for "unknown"; every fourth clip is the same file again under another group
    clips = [
        make_clip(str(i), group=f"artist {group}" if group else None, hash=f"file {i // 4 if i % 4 == 0 else i}")
        for i, group in enumerate(groups)
    ]
    drawn = draw_splits(clips, seed=seed)
    assert [clip.clip_id for clip in drawn] == [clip.clip_id for clip in clips]
    assert torn_groups(drawn) == {}


def test_drawn_splits_are_near_the_fractions_and_follow_the_seed() -> None:
    clips = [make_clip(str(i), group=str(i // 3)) for i in range(600)]
    first, again, other = (draw_splits(clips, seed=seed) for seed in (1, 1, 2))
    assert [clip.split for clip in first] == [clip.split for clip in again] != [clip.split for clip in other]
    counts = [sum(clip.split == split for clip in first) for split in SPLITS]
    np.testing.assert_allclose(counts, [480, 60, 60], atol=3)


def test_three_groups_suffice_for_three_splits() -> None:
    clips = draw_splits([make_clip(name, group=name) for name in "abc"], seed=0)
    assert {clip.split for clip in clips} == set(SPLITS)


def test_given_splits_that_tear_a_group_or_a_file_are_found() -> None:
    clips = [
        make_clip("a", group="album"),
        make_clip("b", group="album", split="test"),
        make_clip("c", hash="same"),
        make_clip("d", hash="same", split="valid"),
        make_clip("e"),
    ]
    assert torn_groups(clips) == {"album": ("test", "train"), "content same": ("train", "valid")}


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """rock/Ann/1.wav, rock/Ann/2.wav, rock/Bob/3.wav, piano/Bob/4.wav, piano/5.wav: five sounds of half a second."""
    root = tmp_path / "music"
    for number, name in enumerate(("rock/Ann/1", "rock/Ann/2", "rock/Bob/3", "piano/Bob/4", "piano/5")):
        path = root / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, 0.1 * np.random.default_rng(number).normal(size=6_000).astype(np.float32), 12_000)
    return root


def prepare_csv(tmp_path: Path, text: str, *options: str) -> Manifest:
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    out = tmp_path / "out" / "some.jsonl"
    root = str(tmp_path / "music")
    assert main(["prepare", "csv", str(table), "--audio-root", root, "--out", str(out), "--jobs", "1", *options]) == 0
    return Manifest.read(out)


def known_labels(manifest: Manifest) -> dict[str, dict[str, float]]:
    return {
        clip.clip_id: {
            tag: round(float(value), 6)
            for tag, value in zip(manifest.tags, clip.labels, strict=True)
            if not np.isnan(value)
        }
        for clip in manifest.clips
    }


def test_a_table_with_tags_in_one_cell(music: Path, tmp_path: Path) -> None:
    text = (
        "path;mood;tags;split;artist;album\n"
        "rock/Ann/1.wav;sad;rock, loud=0.25;training;Ann;One\n"
        "rock/Ann/2.wav;glad;rock|guitar;VAL;Ann;Two\n"
        "piano/5.wav;;;test;;\n"
    )
    options = [
        "--tags-column",
        "tags",
        "--split-column",
        "split",
        "--group-column",
        "artist",
        "--group-column",
        "album",
    ]
    manifest = prepare_csv(tmp_path, text, *options, "--name", "mine", "--licence", "CC0")
    assert manifest.tags == ("rock", "guitar", "loud"), "the commonest first"
    assert [clip.split for clip in manifest.clips] == ["train", "valid", "test"]
    assert [clip.group for clip in manifest.clips] == ["Ann / One", "Ann / Two", None]
    assert [clip.extra["mood"] for clip in manifest.clips] == ["sad", "glad", ""]
    assert [clip.duration_s for clip in manifest.clips] == [0.5] * 3
    assert (manifest.name, manifest.licence) == ("mine", "CC0")
    assert known_labels(manifest) == {
        "rock/Ann/1.wav": {"rock": 1, "guitar": 0, "loud": 0.25},
        "rock/Ann/2.wav": {"rock": 1, "guitar": 1, "loud": 0},
        "piano/5.wav": {"rock": 0, "guitar": 0, "loud": 0},
    }
    unknown = prepare_csv(tmp_path, text, *options, "--absent", "unknown", "--vocabulary", "magnatagatune")
    assert unknown.tags == MAGNATAGATUNE_TAGS
    assert known_labels(unknown)["rock/Ann/1.wav"] == {"rock": 1, "loud": 0.25}
    assert known_labels(unknown)["piano/5.wav"] == {}


def test_a_table_with_a_column_a_tag_holds_soft_and_unknown_labels(music: Path, tmp_path: Path) -> None:
    text = "path\trock\tpiano\tyear\nrock/Ann/1.wav\t0.9\t\t1999\npiano/5.wav\t0\t1\t2001\n"
    manifest = prepare_csv(tmp_path, text)
    assert manifest.tags == ("rock", "piano"), "years are no probabilities"
    assert known_labels(manifest) == {"rock/Ann/1.wav": {"rock": 0.9}, "piano/5.wav": {"rock": 0, "piano": 1}}
    assert manifest.clips[0].extra["year"] == "1999"


def test_columns_with_the_usual_names_need_no_options(music: Path, tmp_path: Path) -> None:
    rows = "".join(f"{name}.wav,{tag},{tag}\n" for name, tag in (("piano/5", "piano"), ("rock/Ann/1", "rock")))
    manifest = prepare_csv(tmp_path, f"path,tags,group\n{rows}", "--fractions", "1", "1", "0")
    assert known_labels(manifest)["piano/5.wav"] == {"piano": 1, "rock": 0}
    assert [clip.group for clip in manifest.clips] == ["piano", "rock"]
    assert {clip.split for clip in manifest.clips} == {"train", "valid"}
    manifest = prepare_csv(tmp_path, "path,tags,split\npiano/5.wav,piano,test\n")
    assert [clip.split for clip in manifest.clips] == ["test"]


def test_stretches_of_one_file_are_clips_that_stay_together(music: Path, tmp_path: Path) -> None:
    rows = "".join(f"rock/Ann/1.wav,{start},0.1,rock\n" for start in (0, 0.1, 0.2, 0.3))
    options = ["--tags-column", "tags", "--start-column", "start", "--duration-column", "length"]
    manifest = prepare_csv(tmp_path, f"path,start,length,tags\n{rows}", *options)
    assert [(clip.clip_id, clip.start_s, clip.duration_s) for clip in manifest.clips][1] == (
        "rock/Ann/1.wav@0.1",
        0.1,
        0.1,
    )
    assert len({clip.split for clip in manifest.clips}) == 1


def test_files_that_cannot_be_used_are_left_out_by_name(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "rock/Ann/2.wav").write_bytes(b"no sound")
    (music / "empty.wav").touch()
    text = "path,tags\nrock/Ann/1.wav,rock\nrock/Ann/2.wav,rock\nempty.wav,rock\nnone.wav,rock\n"
    manifest = prepare_csv(tmp_path, text)
    assert [clip.clip_id for clip in manifest.clips] == ["rock/Ann/1.wav"]
    assert set(manifest.left_out) == {"rock/Ann/2.wav", "empty.wav", "none.wav"}
    assert "cannot be read" in manifest.left_out["none.wav"]
    assert capsys.readouterr().out.count("left out: ") == 3


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", [], "has no rows below its header"),
        ("path,tags\n", [], "has no rows below its header"),
        ("file,tags\nrock/Ann/1.wav,rock\n", [], "has no column path; its columns are file, tags"),
        ("path,tags\nrock/Ann/1.wav,rock\n", ["--split-column", "part"], "has no column part"),
        ("path,tags\nrock/Ann/1.wav,rock,loud\n", [], "row 2, has another number of cells"),
        ("path,tags\nrock/Ann/1.wav,rock=loud\n", [], "the probability 'loud'"),
        ("path,tags\nrock/Ann/1.wav,\n", [], "no row of the table has a tag"),
        ("path,mood\nrock/Ann/1.wav,sad\n", [], "no column of the table holds tags"),
        ("path,tags,split\nrock/Ann/1.wav,rock,dev1\n", [], "'dev1'"),
        ("path,tags\nnone.wav,rock\n", [], "none of the files of table can be used"),
        ("path,tags\nrock/Ann/1.wav,rock\n", ["--fractions", "1", "-1", "0"], "three proportions"),
        ("path,tags\nrock/Ann/1.wav,rock\n", ["--vocabulary=none.txt"], "cannot read the vocab"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_in_one_line(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: list[str], words: str
) -> None:
    (tmp_path / "table.csv").write_text(text)
    out = tmp_path / "out"
    arguments = ["csv", str(tmp_path / "table.csv"), "--audio-root", str(music), "--out", str(out), *options]
    assert main(["prepare", *arguments]) == 1
    messages = [line for line in capsys.readouterr().err.splitlines() if line.startswith("msecnn prepare: ")]
    assert len(messages) == 1
    assert words in messages[0]
    assert not (out / "manifest.jsonl").exists()


def test_a_folder_with_one_subfolder_a_tag(music: Path, tmp_path: Path) -> None:
    (music / "rock" / "cover.jpg").write_bytes(b"picture")
    (music / "piano" / "Bob" / "same as 3.wav").write_bytes((music / "rock/Bob/3.wav").read_bytes())
    assert main(["prepare", "folder", str(music), "--out", str(tmp_path), "--jobs", "1", "--seed", "3"]) == 0
    manifest = Manifest.read(tmp_path)
    assert manifest.tags == ("piano", "rock")
    assert known_labels(manifest) == {
        "piano/5.wav": {"piano": 1, "rock": 0},
        "piano/Bob/4.wav": {"piano": 1, "rock": 0},
        "piano/Bob/same as 3.wav": {"piano": 1, "rock": 1},
        "rock/Ann/1.wav": {"piano": 0, "rock": 1},
        "rock/Ann/2.wav": {"piano": 0, "rock": 1},
    }
    assert {clip.group for clip in manifest.clips} == {"Ann", "Bob", None}
    assert torn_groups(manifest.clips) == {}
    assert {clip.split for clip in manifest.clips} == set(SPLITS)


def test_a_folder_may_give_its_splits(music: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = tmp_path / "given"
    given.mkdir()
    music.rename(given / "train")
    (given / "test" / "rock" / "Ann").mkdir(parents=True)
    (given / "test" / "rock" / "Ann" / "6.wav").write_bytes((given / "train" / "rock/Bob/3.wav").read_bytes())
    assert main(["prepare", "folder", str(given), "--out", str(tmp_path), "--jobs", "1"]) == 0
    manifest = Manifest.read(tmp_path)
    assert manifest.tags == ("piano", "rock")
    assert [len(manifest.split(split)) for split in SPLITS] == [5, 0, 1]
    assert "what is learned there leaks into the evaluation" in caplog.text


def test_an_empty_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        assert main(["prepare", "folder", str(folder), "--out", str(tmp_path)]) == 1
        assert "holds no audio files in subfolders" in capsys.readouterr().err


def test_a_file_is_decoded_again_only_when_it_has_changed(music: Path, tmp_path: Path) -> None:
    paths = sorted(music.rglob("*.wav"))
    journal = tmp_path / "inspected.jsonl"
    first = inspect_files(paths, journal, jobs=1)
    n_lines = len(journal.read_text().splitlines())
    write_wav(paths[0], np.full(3_000, 0.1, dtype=np.float32), 12_000)
    second = inspect_files(paths, journal, jobs=1)
    assert len(journal.read_text().splitlines()) == n_lines + 1
    assert second[paths[0]].duration_s == 0.25
    assert {path for path in paths if first[path] != second[path]} == {paths[0]}


def test_work_on_many_files_keeps_their_order_and_tells_errors() -> None:
    waits = np.random.default_rng(0).uniform(0, 0.01, 50)

    def work(number: int) -> int:
        time.sleep(waits[number])
        if number == 40:
            raise ValueError("the fortieth")
        return number**2

    assert list(map_in_order(work, range(40), jobs=4)) == [(number, number**2) for number in range(40)]
    results = map_in_order(work, range(50), jobs=4)
    with pytest.raises(ValueError, match="the fortieth"):
        list(results)


def test_manifests_with_other_tags_are_not_joined(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="have different tags"):
        join([make_manifest(make_clip("a")), make_manifest(tags=("a", "b", "c"))], "both")
