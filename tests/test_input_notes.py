"""What must be said of a recording before its tags are read: quiet, offset, cancelling, narrow, or no music."""

import json
from pathlib import Path

import numpy as np
import pytest

from msecnn.audio import read_recording, wav_bytes
from msecnn.audio.mono import MeasuredMix
from msecnn.checkpoint import bundled
from msecnn.cli import main
from msecnn.familiarity import NARROW, UNFAMILIAR, Familiarity, read_familiarity
from msecnn.tagger import Tagger

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"
SONGS = sorted(EXAMPLES.glob("*.mp3"))
RATE = 12_000


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.from_checkpoint("msecnn")


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    """(T,) of an example."""
    return read_recording(EXAMPLES / "plucked.mp3").waveform


def notes(samples: np.ndarray) -> str:
    return " ".join(read_recording(samples, source_sample_rate=RATE).notes)


@pytest.mark.parametrize("song", SONGS, ids=lambda path: path.stem)
def test_examples_get_no_note_at_their_level_and_always_one_at_30_db_less(song: Path) -> None:
    waveform = read_recording(song).waveform
    assert not any(word in notes(waveform) for word in ("quieter", "DC", "cancel"))
    assert "far quieter" in notes(waveform * 10 ** (-30 / 20))


def test_the_level_is_told(music: np.ndarray) -> None:
    level = music / np.sqrt(np.mean(music**2)) * 10 ** (-45 / 20)
    assert "(-45 dB)" in notes(level)


def test_a_silent_recording_is_silent_and_nothing_else() -> None:
    assert "silent" in notes(np.zeros(RATE))
    assert "quieter" not in notes(np.zeros(RATE))


def test_an_offset_is_told(music: np.ndarray) -> None:
    rms = float(np.sqrt(np.mean(music**2)))
    assert "offset (DC)" in notes(music + 0.2 * rms)
    assert "offset (DC)" not in notes(music + 0.02 * rms)


@pytest.mark.parametrize(
    ("correlation", "told"), [(-1.0, True), (-0.9, True), (-0.5, False), (0.0, False), (1.0, False)]
)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.int32, np.uint8])
def test_channels_that_cancel_are_told(correlation: float, told: bool, kind: type) -> None:
    draws = np.random.default_rng(0).normal(size=(2, 5 * RATE)) * 0.1
    left, right = draws[0], correlation * draws[0] + np.sqrt(1 - correlation**2) * draws[1]
    stereo = np.stack([left, right])
    if kind in (np.int16, np.int32):
        stereo = stereo * np.iinfo(kind).max
    elif kind is np.uint8:
        stereo = np.round(stereo * 128 + 128)
    assert ("cancel" in notes(stereo.astype(kind))) == told


def test_what_is_left_of_the_power_is_the_closed_form() -> None:
    """Of two channels with correlation c and the same power, (1 + c) / 2 is left."""
    left, right = np.random.default_rng(0).normal(size=(2, 100_000))
    mixed_down = MeasuredMix()
    mixed_down(np.stack([left, 0.6 * right - 0.8 * left], axis=1).astype(np.float32))
    assert mixed_down.kept == pytest.approx(0.1, abs=0.005)


def test_one_channel_loses_nothing() -> None:
    mixed_down = MeasuredMix()
    mixed_down(np.ones((5, 1), np.float32))
    assert mixed_down.kept == 1.0


def test_a_telephone_is_told(tagger: Tagger, music: np.ndarray) -> None:
    spectrum, frequencies = np.fft.rfft(music), np.fft.rfftfreq(len(music), 1 / RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] *= 1e-4
    telephone = np.fft.irfft(spectrum, len(music)).astype(np.float32)
    assert NARROW in tagger.tag((telephone, RATE)).notes
    assert NARROW not in tagger.tag((music, RATE)).notes


@pytest.mark.parametrize("song", SONGS, ids=lambda path: path.stem)
def test_music_like_the_training_music_is_familiar(song: Path, tagger: Tagger) -> None:
    assert not {UNFAMILIAR, NARROW} & {*tagger.tag(song).notes}


@pytest.mark.parametrize("sound", ["tone", "clicks"])
def test_what_is_no_music_is_not(sound: str, tagger: Tagger) -> None:
    """White noise alone passes: its features are those of noisy music."""
    n = 20 * RATE
    sounds = {
        "tone": 0.1 * np.sin(2 * np.pi * 1000 * np.arange(n) / RATE),
        "clicks": 0.5 * (np.arange(n) % RATE == 0),
    }
    assert UNFAMILIAR in tagger.tag((sounds[sound].astype(np.float32), RATE)).notes


def test_distances_are_those_of_a_normal_distribution() -> None:
    """Along the axes of a normal distribution the mean squared distance of its own draws is 1, whatever its shape."""
    draws = np.random.default_rng(0)
    shape = draws.normal(size=(6, 6))
    train, valid = (draws.normal(size=(20_000, 6)) @ shape + 5 for _ in range(2))
    found = Familiarity.fit(train, valid, false_alarms=0.05)
    assert np.mean(found.distances(valid) ** 2) == pytest.approx(1, abs=0.03)
    assert (found.distances(valid) > found.threshold).mean() == pytest.approx(0.05, abs=0.002)
    assert found.is_unfamiliar({"a": np.full((1, 2), 500.0), "b": np.zeros((1, 4))})


def test_axes_without_variance_are_left_out() -> None:
    train = np.zeros((50, 3))
    train[:, 0] = np.random.default_rng(0).normal(size=50)
    assert np.isfinite(Familiarity.fit(train, train, false_alarms=0.1).axes).all()


def test_it_is_kept_for_its_own_weights_only(tmp_path: Path) -> None:
    found = Familiarity(np.ones(3, np.float32), np.ones((2, 3), np.float32), 1.5)
    found.write(tmp_path, "abc")
    again = read_familiarity(tmp_path, "abc")
    assert again is not None
    assert again.threshold == 1.5
    np.testing.assert_array_equal(again.axes, found.axes)
    assert read_familiarity(tmp_path, "other") is None
    (tmp_path / "training_features.safetensors").write_bytes(b"damaged")
    assert read_familiarity(tmp_path, "abc") is None


@pytest.mark.parametrize("name", bundled())
def test_the_card_tells_how_often_the_note_comes(name: str) -> None:
    checkpoint = Tagger.from_checkpoint(name).checkpoint
    measured = {one["name"]: one for one in checkpoint.card["metrics"] if "unlike the training music" in one["name"]}
    assert len(measured) >= 2
    assert read_familiarity(checkpoint.folder, checkpoint.card["sha256"]) is not None


def test_the_command_line_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = tmp_path / "quiet.wav"
    quiet.write_bytes(wav_bytes(0.003 * np.sin(np.arange(5 * RATE)), RATE))
    main(["tag", str(quiet), "--format", "json"])
    (answer,) = [json.loads(capsys.readouterr().out)]
    told = answer[0] if isinstance(answer, list) else answer
    assert UNFAMILIAR in told["notes"]
    assert any("far quieter" in note for note in told["notes"])
