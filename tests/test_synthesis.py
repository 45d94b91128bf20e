"""What every recipe shares: equal seeds, equal files; a kill costs one file; peaks are bounded; effects do as told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from msecnn.audio import read_recording
from msecnn.data.manifest import Manifest
from msecnn.data.synthesis import effects
from msecnn.data.synthesis.piece import SAMPLE_RATE, Piece, only_instruments, without_voice
from msecnn.data.synthesis.writer import write_pieces
from msecnn.errors import DatasetError


def make_piece(name: str, render: Callable[[np.random.Generator], np.ndarray], seed: int = 0) -> Piece:
    truths = without_voice() | only_instruments("violin")
    return Piece(name, "train", "group", "CC0", truths, {"kind": "test"}, ("hash",), seed, render)


def noise(rng: np.random.Generator, gain: float = 0.1) -> np.ndarray:
    return gain * rng.standard_normal(8_000)


def tone(hz: float, seconds: float = 1.0) -> np.ndarray:
    return 0.25 * np.sin(2 * np.pi * hz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def test_equal_pieces_are_equal_wherever_and_in_whatever_order_they_are_made(tmp_path: Path) -> None:
    pieces = [make_piece(name, noise) for name in "abc"]
    first = write_pieces(pieces, tmp_path / "one", name="some", jobs=2)
    second = write_pieces(pieces[::-1], tmp_path / "two", name="some", jobs=1)
    assert [clip.hash for clip in first.clips] == [clip.hash for clip in second.clips][::-1]
    assert len({clip.hash for clip in first.clips}) == 3
    other = write_pieces([make_piece("a", noise, seed=1)], tmp_path / "one", name="some")
    assert other.clips[0].hash != first.clips[0].hash


def test_what_is_known_travels_with_the_clip(tmp_path: Path) -> None:
    manifest = write_pieces([make_piece("a", noise)], tmp_path, name="some")
    manifest = Manifest.read(manifest.write(tmp_path))
    (clip,) = manifest.clips
    labels = dict(zip(manifest.tags, clip.labels, strict=True))
    assert (labels["violin"], labels["no vocals"], labels["female"], labels["guitar"]) == (1, 1, 0, 0)
    assert np.isnan(labels["strings"])
    assert np.isnan(labels["techno"])
    assert (clip.extra["licence"], clip.extra["kind"], clip.duration_s) == ("CC0", "test", 0.5)


def test_work_done_before_a_kill_is_kept(tmp_path: Path) -> None:
    def killed(rng: np.random.Generator) -> np.ndarray:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pieces([make_piece("a", noise), make_piece("b", killed)], tmp_path, name="some", jobs=1)
    with (tmp_path / "rendered.jsonl").open("a") as journal:
        journal.write('{"key": "torn')
    made = {path: path.stat().st_mtime_ns for path in tmp_path.glob("clips/*.wav")}
    assert len(made) == 1
    manifest = write_pieces([make_piece("a", noise), make_piece("b", noise)], tmp_path, name="some", jobs=1)
    assert len(manifest) == 2
    assert {path: path.stat().st_mtime_ns for path in made} == made
    fresh = write_pieces([make_piece("a", noise), make_piece("b", noise)], tmp_path / "fresh", name="some")
    assert [clip.hash for clip in manifest.clips] == [clip.hash for clip in fresh.clips]


def test_a_file_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    (clip,) = write_pieces([make_piece("a", noise)], tmp_path, name="some").clips
    clip.path.unlink()
    (again,) = write_pieces([make_piece("a", noise)], tmp_path, name="some").clips
    assert again.path.exists()
    assert again.hash == clip.hash


def test_no_peak_is_beyond_the_bound_and_loudness_below_it_is_kept(tmp_path: Path) -> None:
    pieces = [make_piece("loud", lambda rng: noise(rng, 3.0)), make_piece("soft", lambda rng: noise(rng, 0.01))]
    loud, soft = (
        read_recording(clip.path, sample_rate=SAMPLE_RATE).waveform
        for clip in write_pieces(pieces, tmp_path, name="some").clips
    )
    assert np.abs(loud).max() == pytest.approx(0.98, abs=1e-4)
    assert effects.level_db(soft) == pytest.approx(-40, abs=0.3)


def test_what_cannot_be_made_is_named(tmp_path: Path) -> None:
    pieces = [make_piece("a", noise), make_piece("nan", lambda rng: np.full(9, np.nan))]
    manifest = write_pieces(pieces, tmp_path, name="some")
    assert list(manifest.left_out) == ["nan"]
    assert [clip.clip_id for clip in manifest.clips] == ["a"]
    with pytest.raises(DatasetError, match="nothing to make"):
        write_pieces([], tmp_path, name="some")


def test_levels_in_closed_form() -> None:
    sine = tone(440)
    assert effects.level_db(sine) == pytest.approx(20 * np.log10(0.25 / np.sqrt(2)), abs=0.01)
    assert effects.level_db(effects.at_level(sine, -30)) == pytest.approx(-30, abs=1e-3)
    assert not effects.at_level(np.zeros(9), -30).any()
    half = np.concatenate([sine, np.zeros(SAMPLE_RATE)])
    assert effects.active_level_db(half) == pytest.approx(effects.level_db(sine), abs=0.01)
    assert effects.level_db(half) == pytest.approx(effects.level_db(sine) - 3.01, abs=0.01)


def test_filters_pass_and_stop() -> None:
    passes = effects.band(300, 3400)
    assert effects.level_db(effects.filtered(tone(1000), passes)) == pytest.approx(
        effects.level_db(tone(1000)), abs=0.1
    )
    for stopped in (50, 7000):
        assert effects.level_db(effects.filtered(tone(stopped), passes)) < effects.level_db(tone(stopped)) - 20
    lifted = effects.filtered(tone(1000), effects.resonance(1000, 6, 0.5))
    assert effects.level_db(lifted) == pytest.approx(effects.level_db(tone(1000)) + 6, abs=0.1)


def test_distortion_makes_odd_harmonics_and_no_aliases() -> None:
    spectrum = np.abs(np.fft.rfft(effects.distorted(tone(3000), drive_db=24)))  # a bin a Hz
    assert spectrum.argmax() == 3000
    aliases = spectrum[[16_000 - 9_000, 1_000]]  # of the third and the fifth harmonic: a third and a fifth as strong
    assert aliases.max() < 0.05 * spectrum[3000]
    low = np.abs(np.fft.rfft(effects.distorted(tone(500), drive_db=24)))
    assert low[1500] > 0.2 * low[500]
    assert low[1000] < 0.001 * low[500]


def test_echo_and_room_add_what_they_say() -> None:
    click = np.zeros(2 * SAMPLE_RATE)
    click[0] = 1.0
    echoed = effects.with_echoes(click, delay_s=0.25, echo_db=-6)
    assert echoed[4000] == pytest.approx(10 ** (-6 / 20))
    assert echoed[8000] == pytest.approx(10 ** (-12 / 20))
    wet = effects.in_room(tone(440, 3), np.random.default_rng(0), decay_s=0.5, wet_db=-10) - tone(440, 3)
    assert effects.level_db(wet) == pytest.approx(effects.level_db(tone(440)) - 10, abs=0.01)


def test_sounds_are_placed_and_cut() -> None:
    total = effects.placed([(0.0, np.ones(4)), (2 / SAMPLE_RATE, np.ones(9)), (1.0, np.ones(9))], 8)
    assert total.tolist() == [1, 1, 2, 2, 1, 1, 1, 1]
    assert effects.fitted(np.arange(3.0), 5).tolist() == [0, 1, 2, 0, 1]
    assert not effects.fitted(np.zeros(0), 2).any()
