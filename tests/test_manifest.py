"""The manifest: reads back what was written, draws splits by group, refuses what it can't mean."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msecnn.data.manifest import SPLITS, Clip, DatasetError, Manifest, draw_splits, torn_groups

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
