"""Songs: the voice as loud as asked, splits that share neither voice nor backing, women and men in equal number."""

from pathlib import Path

import numpy as np
import pytest

from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.data.manifest import SPLITS, Clip, Manifest
from msecnn.data.synthesis import effects
from msecnn.data.synthesis.songs import MAX_USES, mixed, plan_songs
from msecnn.distillation.soft_labels import ClipLabels, SoftLabels, key_of
from msecnn.errors import DatasetError

TAGS = ("singing", "female", "woman", "male", "man", "flute", "vocals")
WOMAN = [1, 1, 1, np.nan, np.nan, np.nan, 1]
MAN = [1, np.nan, np.nan, 1, 1, np.nan, 1]
FLUTE = [np.nan, np.nan, np.nan, np.nan, np.nan, 1, np.nan]
N = {"train": 60, "valid": 4, "test": 6}


def make_clip(folder: Path, name: str, split: str, labels: list[float], hz: float) -> Clip:
    path = folder / f"{name}.wav"
    write_wav(path, 0.3 * np.sin(2 * np.pi * hz * np.arange(32_000) / 16_000), 16_000)
    return Clip(
        name, path, split, np.array(labels), group=f"group {name}", hash=f"hash {name}", extra={"licence": name}
    )


@pytest.fixture
def music(tmp_path: Path) -> Manifest:
    """In each split two women and two backings; a man in training alone."""
    clips = [make_clip(tmp_path, "man", "train", MAN, 200)]
    for split in SPLITS:
        for number in range(2):
            clips.append(make_clip(tmp_path, f"{split} woman {number}", split, WOMAN, 400 + number))
            clips.append(make_clip(tmp_path, f"{split} flute {number}", split, FLUTE, 900 + number))
    return Manifest(TAGS, tuple(clips), "music")


def test_no_voice_and_no_backing_is_in_two_splits(music: Manifest) -> None:
    pieces = plan_songs(music, music, N, seed=3)
    assert {split: sum(piece.split == split for piece in pieces) for split in SPLITS} == N
    for part in ("voice_group", "backing_group"):
        used = {split: {piece.extra[part] for piece in pieces if piece.split == split} for split in SPLITS}
        assert all(used.values())
        assert not used["train"] & used["valid"] | used["train"] & used["test"] | used["valid"] & used["test"]
    assert {piece.extra["voice"] for piece in pieces} | {piece.extra["backing"] for piece in pieces} == {
        clip.clip_id for clip in music.clips
    }


def test_every_other_singer_is_a_woman_and_a_man_is_not_used_too_often(music: Manifest) -> None:
    train = [piece for piece in plan_songs(music, music, N, seed=3) if piece.split == "train"]
    singers = [piece.extra["singer"] for piece in train]
    assert singers[::2] == ["woman"] * 30
    assert singers[1::2].count("man") == MAX_USES
    assert singers[1::2].count("lowered") == 30 - MAX_USES
    for piece in train:
        singing, woman, man, flute = (piece.truths.get(tag) for tag in ("singing", "female", "male", "flute"))
        assert (singing, flute, piece.truths["no vocals"]) == (1, 1, 0)
        assert (woman, man) == {"woman": (1, 0), "man": (0, 1), "lowered": (None, None)}[piece.extra["singer"]]
        assert 0 <= float(piece.extra["voice_db"]) <= 9
        assert piece.licence == f"{piece.extra['voice']} and {piece.extra['backing']}"


def test_equal_seeds_plan_equal_songs(music: Manifest) -> None:
    keys = [[piece.key for piece in plan_songs(music, music, N, seed=seed)] for seed in (3, 3, 4)]
    assert keys[0] == keys[1]
    assert not set(keys[0]) & set(keys[2])


@pytest.mark.parametrize("voice_db", [0.0, 9.0])
def test_the_voice_is_as_loud_as_asked_without_its_pauses(voice_db: float) -> None:
    rng = np.random.default_rng(0)
    voice, backing = 0.01 * rng.standard_normal(32_000), 0.2 * rng.standard_normal(64_000)
    voice[:16_000] = 0
    sung = mixed(voice, backing, voice_db) - backing
    assert len(sung) == 64_000
    assert effects.active_level_db(sung) - effects.active_level_db(backing) == pytest.approx(voice_db, abs=0.01)


def test_a_rendered_song_holds_voice_and_backing(music: Manifest) -> None:
    piece = next(piece for piece in plan_songs(music, music, N, seed=3) if piece.extra["singer"] == "woman")
    waveform = piece.waveform()
    assert np.array_equal(waveform, piece.waveform())
    spectrum = np.abs(np.fft.rfft(waveform[:464_000]))  # 29 s: 29 bins a Hz
    voice_hz = spectrum[29 * 300 : 29 * 600].argmax() / 29 + 300
    assert voice_hz == pytest.approx(400 * float(piece.extra["speed"]), rel=0.01)
    assert 850 < spectrum[29 * 700 : 29 * 1000].argmax() / 29 + 700 < 950
    assert spectrum[29 * 300 : 29 * 600].max() > spectrum[29 * 700 : 29 * 1000].max()
    assert effects.level_db(waveform) == pytest.approx(float(piece.extra["level"]), abs=0.01)


def test_a_split_without_voices_or_backings_is_named(music: Manifest) -> None:
    flutes = music.select(lambda clip: "flute" in clip.clip_id)
    with pytest.raises(DatasetError, match="no clips of which it is known that a woman sings"):
        plan_songs(flutes, music, N, seed=0)
    with pytest.raises(DatasetError, match="no instrumental clips in its train split"):
        plan_songs(music, music.select(lambda clip: "flute" not in clip.clip_id), N, seed=0)


def test_the_command_leaves_out_backings_in_which_a_teacher_hears_a_voice(music: Manifest, tmp_path: Path) -> None:
    heard = {"train flute 0": 0.02, "train flute 1": 0.4}
    said = {
        key_of(clip): ClipLabels(clip.clip_id, np.array([[0.9, heard[clip.clip_id]]], np.float32))
        for clip in music.clips
        if clip.clip_id in heard
    }
    (tmp_path / "labels").mkdir()
    SoftLabels("one", "musicnn", "weights", ("flute", "vocals"), 3.0, said).write(tmp_path / "labels" / "one.npz")
    path = str(music.write(tmp_path / "music.jsonl"))
    command = ["prepare", "songs", path, path, "--out", str(tmp_path / "songs"), "--clips", "3", "0", "0"]
    assert main([*command, "--labels", str(tmp_path / "labels"), "--jobs", "1"]) == 0
    songs = Manifest.read(tmp_path / "songs")
    assert [clip.extra["backing"] for clip in songs.clips] == ["train flute 0"] * 3
    assert all(clip.duration_s == pytest.approx(29.12) for clip in songs.clips)
