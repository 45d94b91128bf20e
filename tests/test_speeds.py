"""Clips at other speeds: pitch and tempo move together, only training clips are copied, and work done is kept."""

from pathlib import Path

import numpy as np
import pytest

from msecnn.audio import read_recording, write_wav
from msecnn.cli import main
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.speeds import at_other_speeds
from msecnn.errors import DatasetError

TAGS = ("flute", "guitar")


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A tone of 440 Hz with a click at 2 s, cut from 1 s on, in each split; one file is missing."""
    waveform = 0.3 * np.sin(2 * np.pi * 440 * np.arange(10 * 12_000) / 12_000)
    waveform[24_000:24_030] = 0.9
    write_wav(tmp_path / "tone.wav", waveform, 12_000)
    clips = [
        Clip(f"{split}{name}", tmp_path / name, split, np.array([1, np.nan]), group=split, start_s=1.0, duration_s=8.0)
        for split, name in [("train", "tone.wav"), ("train", "gone.wav"), ("valid", "tone.wav"), ("test", "tone.wav")]
    ]
    return Manifest(TAGS, tuple(clips), "tones")


@pytest.mark.parametrize("speed", [0.87, 1.15])
def test_pitch_and_tempo_move_together(manifest: Manifest, tmp_path: Path, speed: float) -> None:
    (copy,) = at_other_speeds(manifest, [speed], tmp_path / "copies", jobs=1).clips
    waveform = read_recording(copy.path, sample_rate=16_000).waveform
    assert copy.duration_s == pytest.approx(8 / speed, abs=0.01)
    assert len(waveform) == pytest.approx(16_000 * 8 / speed, abs=50)
    loudest_s = np.abs(waveform).argmax() / 16_000
    assert loudest_s == pytest.approx(1.0 / speed, abs=0.005)  # the click, a second after the clip's start
    spectrum = np.abs(np.fft.rfft(waveform))
    assert spectrum.argmax() * 16_000 / len(waveform) == pytest.approx(440 * speed, rel=2e-3)


def test_only_training_clips_are_copied_with_what_is_known_of_them(manifest: Manifest, tmp_path: Path) -> None:
    copies = at_other_speeds(manifest, [0.5, 2.0, 2.0], tmp_path / "copies", jobs=1)
    assert [clip.split for clip in copies.clips] == ["train", "train"]
    assert {clip.group for clip in copies.clips} == {"train"}
    assert all(clip.labels[0] == 1 and np.isnan(clip.labels[1]) for clip in copies.clips)
    assert len({clip.hash for clip in copies.clips}) == 2
    assert list(copies.left_out) == ["traingone.wav x0.5", "traingone.wav x2"]


def test_a_copy_is_not_longer_than_a_window(tmp_path: Path) -> None:
    write_wav(tmp_path / "long.wav", np.zeros(40 * 12_000), 12_000)
    manifest = Manifest(TAGS, (Clip("long", tmp_path / "long.wav", "train", np.full(2, np.nan)),), "long")
    (copy,) = at_other_speeds(manifest, [0.5], tmp_path / "copies", jobs=1).clips
    assert copy.duration_s == pytest.approx(29.12, abs=0.01)


def test_what_is_there_is_not_made_again(manifest: Manifest, tmp_path: Path) -> None:
    (first,) = at_other_speeds(manifest, [2.0], tmp_path / "copies", jobs=1).clips
    made = first.path.stat().st_mtime_ns
    again = {clip.clip_id: clip for clip in at_other_speeds(manifest, [2.0, 1.5], tmp_path / "copies", jobs=1).clips}
    assert again[first.clip_id].hash == first.hash
    assert first.path.stat().st_mtime_ns == made


@pytest.mark.parametrize("speed", [1.0, 0.1, 3.0, float("nan")])
def test_speeds_out_of_range_are_refused(manifest: Manifest, tmp_path: Path, speed: float) -> None:
    with pytest.raises(DatasetError, match="a speed is from"):
        at_other_speeds(manifest, [speed], tmp_path / "copies")


def test_the_command_writes_a_manifest(manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest.write(tmp_path / "manifest.jsonl")
    command = ["prepare", "speeds", str(path), "--out", str(tmp_path / "fast"), "--jobs", "1", "--speed"]
    assert main([*command, "1.15"]) == 0
    assert len(Manifest.read(tmp_path / "fast").clips) == 1
    assert "left out: traingone.wav x1.15" in capsys.readouterr().out
    assert main([*command, "9"]) != 0
