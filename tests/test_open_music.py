"""Open music: tracks out of packages of every form, the listed clips and no others, bad packages told by name."""

import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msecnn.audio import read_recording, write_wav
from msecnn.cli import main
from msecnn.data import debian
from msecnn.data.manifest import Manifest, torn_groups
from msecnn.data.open_music import CROP_APART_S, Track, listed_tracks, more_starts, prepare
from msecnn.errors import DatasetError

CORPUS = Path(__file__).resolve().parents[1] / ".." / "shared" / "corpus" / "clips.tsv"


def make_track(package: str, track: str, **changes: object) -> Track:
    values: dict = {"version": "1.0", "split": "train", "starts_s": (1.5, 40.0), "durations_s": (29.12, 10.0)}
    values |= {"title": "", "artist": "", "licence": "CC0"}
    return Track(package=package, track=track, **(values | changes))


TRACKS = (
    make_track("plain-music", "usr/share/games/plain/a.wav"),
    make_track("plain-music", "usr/share/games/plain/b.wav", split="test", starts_s=(0.0,), durations_s=(5.0,)),
    make_track("packed-music", "data.pk3!/music/You are Victorious!.wav", split="valid"),
)


def noise(seed: int, seconds: float = 50.0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=int(seconds * 12_000)).astype(np.float32)


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Two packages as `dpkg -x` leaves them."""
    plain = tmp_path / "unpacked" / "plain-music" / "usr" / "share" / "games" / "plain"
    packed = tmp_path / "unpacked" / "packed-music" / "usr" / "share" / "games" / "packed"
    for folder in (plain, packed):
        folder.mkdir(parents=True)
    write_wav(plain / "a.wav", noise(1), 12_000)
    write_wav(plain / "b.wav", noise(2, 6.0), 12_000)
    write_wav(tmp_path / "c.wav", noise(3), 12_000)
    with zipfile.ZipFile(packed / "data.pk3", "w") as archive:
        archive.write(tmp_path / "c.wav", "music/You are Victorious!.wav")
    return tmp_path / "unpacked"


def test_the_listed_clips_come_from_their_places(unpacked: Path, tmp_path: Path) -> None:
    manifests = prepare(tmp_path / "root", source=unpacked, tracks=TRACKS, jobs=1)
    assert list(manifests) == ["manifest"]
    manifest = Manifest.read(tmp_path / "root")
    assert manifest.hash == manifests["manifest"].hash
    told = [(clip.clip_id, clip.split, clip.start_s, clip.duration_s, clip.extra["licence"]) for clip in manifest.clips]
    assert told == [
        ("plain-music/usr/share/games/plain/a.wav@1.50", "train", 1.5, 29.12, "CC0"),
        ("plain-music/usr/share/games/plain/a.wav@40.00", "train", 40.0, 10.0, "CC0"),
        ("plain-music/usr/share/games/plain/b.wav@0.00", "test", 0.0, 5.0, "CC0"),
        ("packed-music/data.pk3!/music/You are Victorious!.wav@1.50", "valid", 1.5, 29.12, "CC0"),
        ("packed-music/data.pk3!/music/You are Victorious!.wav@40.00", "valid", 40.0, 10.0, "CC0"),
    ]
    assert np.isnan(manifest.labels()).all()
    assert manifest.left_out == {}
    clip = manifest.clips[3]
    recording = read_recording(clip.path, start_s=clip.start_s, duration_s=clip.duration_s)
    expected = noise(3)[18_000 : 18_000 + round(29.12 * 12_000)]
    assert np.abs(recording.waveform - expected).max() < 1e-3


def test_more_crops_are_of_the_train_split_only_and_elsewhere(unpacked: Path, tmp_path: Path) -> None:
    manifests = prepare(tmp_path / "root", source=unpacked, tracks=TRACKS, n_more_crops=2, jobs=1)
    more = manifests["more_crops"]
    assert [(clip.split, clip.start_s, clip.duration_s) for clip in more.clips] == [
        ("train", 20.5, 29.12),
        ("train", 11.0, 29.12),
    ]
    assert len(manifests["manifest"]) == 5
    joined = tmp_path / "joined.jsonl"
    paths = [str(tmp_path / "root" / f"{name}.jsonl") for name in manifests]
    assert main(["prepare", "join", *paths, "--out", str(joined)]) == 0
    clips = Manifest.read(joined).clips
    assert len(clips) == 7
    assert torn_groups(clips) == {}
    assert all(clip.path.exists() for clip in clips)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs Debian's dpkg")
def test_packages_are_unpacked_and_leave_nothing_behind(unpacked: Path, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for package in ("plain-music", "packed-music"):
        control = unpacked / package / "DEBIAN" / "control"
        control.parent.mkdir()
        fields = {"Package": package, "Version": "1.0", "Architecture": "all", "Maintainer": "nobody <n@example.org>"}
        control.write_text("".join(f"{key}: {value}\n" for key, value in fields.items()) + "Description: music\n")
        command = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(unpacked / package), str(packages)]
        subprocess.run(command, check=True, capture_output=True)
    from_packages = prepare(tmp_path / "root", source=packages, tracks=TRACKS, jobs=1)["manifest"]
    assert sorted(entry.name for entry in (tmp_path / "root").iterdir()) == [
        "inspected.jsonl",
        "lock",
        "manifest.jsonl",
        "tracks",
    ]
    shutil.rmtree(packages)
    again = prepare(tmp_path / "root", source=tmp_path, tracks=TRACKS, jobs=1)["manifest"]
    assert again.hash == from_packages.hash, "what is there isn't fetched again"


@pytest.mark.skipif(not shutil.which("dpkg"), reason="needs Debian's dpkg")
def test_what_a_killed_process_left_is_cleared_away(unpacked: Path, tmp_path: Path) -> None:
    left = tmp_path / "root" / "unpacking" / "half"
    left.mkdir(parents=True)
    (unpacked / "gone-music_1.0_all.deb").write_bytes(b"no package")
    tracks = (*TRACKS, make_track("gone-music", "usr/gone.ogg"))
    assert len(prepare(tmp_path / "root", source=unpacked, tracks=tracks, jobs=1)["manifest"]) == 5
    assert not left.parent.exists()


def test_bad_packages_are_named_and_the_others_used(unpacked: Path, tmp_path: Path) -> None:
    (unpacked / "packed-music" / "usr" / "share" / "games" / "packed" / "data.pk3").write_bytes(b"no archive")
    (unpacked / "plain-music" / "usr" / "share" / "games" / "plain" / "b.wav").write_bytes(b"no sound")
    (unpacked / "gone-music_1.0_all.deb").write_bytes(b"no package")
    tracks = (*TRACKS, make_track("gone-music", "usr/gone.ogg"), make_track("absent-music", "usr/absent.ogg"))
    manifest = prepare(tmp_path / "root", source=unpacked, tracks=tracks, jobs=1)["manifest"]
    assert {clip.extra["source"] for clip in manifest.clips} == {"debian:plain-music"}
    left_out = Manifest.read(tmp_path / "root").left_out
    assert set(left_out) == {
        "packed-music data.pk3!/music/You are Victorious!.wav",
        "plain-music usr/share/games/plain/b.wav",
        "gone-music",
        "absent-music usr/absent.ogg",
    }
    assert "not a recording" in left_out["plain-music usr/share/games/plain/b.wav"]
    assert "dpkg" in left_out["gone-music"]


def test_apt_get_is_asked_and_its_refusal_told(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    scripts = {
        "apt-cache": "echo 'Size: 1000'",
        "apt-get": 'echo "E: Unable to locate package $5" >&2; [ $5 = plain-music ] && touch plain-music_1.0_all.deb',
        "dpkg": f'cp -r "{unpacked}/plain-music" "$3"',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    manifest = prepare(tmp_path / "root", tracks=TRACKS, jobs=1)["manifest"]
    assert len(manifest) == 3
    assert manifest.left_out == {"packed-music": "apt-get says: E: Unable to locate package packed-music"}
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert main(["prepare", "open-music", str(tmp_path / "other")]) == 1
    assert "there is no apt-get on this machine" in capsys.readouterr().err
    assert main(["prepare", "open-music", str(tmp_path / "other"), "--package", "no-such"]) == 1
    assert "no-such is not in the list" in capsys.readouterr().err


def test_a_lack_of_room_is_told_before_a_package_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "run_program", lambda *command, cwd: "Size: 900000000000000\n")
    monkeypatch.setattr(debian.shutil, "which", lambda name: name)
    with pytest.raises(DatasetError, match="package plain-music and its files need 2700000"):
        prepare(tmp_path / "root", tracks=TRACKS[:1])


@settings(max_examples=60, deadline=None)
@given(
    starts_s=st.lists(st.floats(0, 250), min_size=1, max_size=5),
    length_s=st.floats(1, 300),
    n_more=st.integers(0, 12),
)
def test_further_crops_lie_inside_and_apart(starts_s: list[float], length_s: float, n_more: int) -> None:
    more = more_starts(starts_s, length_s, 29.12, n_more)
    assert len(more) <= n_more
    for index, start in enumerate(more):
        assert 0 <= start <= length_s - 29.12
        assert min(abs(start - other) for other in [*starts_s, *more[:index]]) >= CROP_APART_S
    assert more == more_starts(starts_s, length_s, 29.12, n_more)


def test_the_list_says_where_each_track_comes_from() -> None:
    tracks = listed_tracks()
    assert len({(track.package, track.track) for track in tracks}) == len(tracks)
    for track in tracks:
        assert track.version
        assert track.licence
        assert len(track.starts_s) == len(track.durations_s) > 0
        assert all(0 < duration <= 29.2 for duration in track.durations_s)
    assert {track.split for track in tracks} == {"train", "valid", "test"}


def test_what_is_kept_for_judging_and_what_teaches_children_is_not_in_the_list() -> None:
    packages = {track.package for track in listed_tracks()}
    assert not packages & {"hedgewars-data", "gcompris-qt-data", "tuxmath-data", "tuxtype-data"}


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/corpus is not here")
def test_the_list_holds_the_debian_part_of_the_corpus_and_what_else_is_there_is_for_training() -> None:
    header, *rows = (line.split("\t") for line in CORPUS.read_text(encoding="utf-8").splitlines())
    corpus = set()
    for cells in rows:
        row = dict(zip(header, cells, strict=True))
        if row["source"].startswith("debian:"):
            times = float(row["start_s"]), float(row["duration_s"])
            corpus.add((row["source"].removeprefix("debian:"), row["member"], row["split"], *times))
    listed = {
        (track.package, track.track, track.split, start_s, duration_s)
        for track in listed_tracks()
        for start_s, duration_s in zip(track.starts_s, track.durations_s, strict=True)
    }
    of_the_corpus = {package for package, *_ in corpus}
    assert {clip for clip in listed if clip[0] in of_the_corpus} == corpus
    assert {split for package, _, split, *_ in listed if package not in of_the_corpus} == {"train"}


def test_a_track_shorter_than_its_list_says_gives_what_it_has(unpacked: Path, tmp_path: Path) -> None:
    short = replace(TRACKS[1], starts_s=(2.0, 30.0), durations_s=(20.0, 20.0))
    clips = prepare(tmp_path / "root", source=unpacked, tracks=[short], jobs=1)["manifest"].clips
    assert [(clip.start_s, clip.duration_s) for clip in clips] == [(2.0, 4.0)]
