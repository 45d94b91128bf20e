"""One path from sound to tags: windows where they should be, one front end for all, threads in agreement."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from msecnn import audio, checkpoint
from msecnn.errors import MsecnnError
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry
from msecnn.tagger import Tagger, tag

CONFIG = MelConfig()
RATE, WINDOW = CONFIG.sample_rate, CONFIG.window_samples


@pytest.fixture(scope="module")
def taggers(tmp_path_factory: pytest.TempPathFactory) -> list[Tagger]:
    """Both networks with random weights."""
    made = []
    for name in ("fcn5", "msecnn"):
        torch.manual_seed(3)
        model = registry.create(name, n_tags=4).eval()
        model.input_norm.running_mean.fill_(-40)
        model.input_norm.running_var.fill_(400)
        folder = tmp_path_factory.mktemp("checkpoints") / name
        tags = ("guitar", "slow", "no vocals", "choral")
        checkpoint.save(folder, model, mel_config=CONFIG, tags=tags, card={"untrained": True})
        made.append(Tagger.from_checkpoint(folder, device="cpu"))
    return made


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(n_samples)).astype(np.float32)


@pytest.mark.parametrize(
    ("n_samples", "hop_s", "starts"),
    [
        (WINDOW, None, [0]),
        (WINDOW + 1, None, [0]),
        (round(29.124 * RATE), None, [0]),  # as long as MagnaTagATune's clips
        (WINDOW + RATE // 10 - 1, None, [0]),
        (WINDOW + RATE // 10, None, [0, RATE // 10]),
        (2 * WINDOW, None, [0, WINDOW]),
        (2 * WINDOW + 500, None, [0, WINDOW]),
        (2 * WINDOW + 5000, None, [0, WINDOW, WINDOW + 5000]),
        (WINDOW - 1, None, [0]),
        (1, None, [0]),
        (WINDOW, 5.0, [0]),
        (WINDOW + RATE // 20, 0.02, [0, 240, 480]),
        (WINDOW + 6 * RATE, 5.0, [0, 5 * RATE, 6 * RATE]),
        (70 * RATE, 60.0, [0, 70 * RATE - WINDOW]),
        (50 * RATE, 60.0, [0]),
        (100 * RATE, 60.0, [0, 60 * RATE]),
    ],
)
def test_window_starts(taggers: list[Tagger], n_samples: int, hop_s: float | None, starts: list[int]) -> None:
    prediction = taggers[0].tag((noise(n_samples), RATE), hop_s=hop_s)
    np.testing.assert_allclose(prediction.window_starts_s * RATE, starts, atol=1e-6)
    assert prediction.window_probabilities.shape == (len(starts), 4)
    np.testing.assert_allclose(prediction.probabilities, prediction.window_probabilities.mean(0))
    assert prediction.duration_s == pytest.approx(n_samples / RATE)


def test_each_window_is_what_stands_there(taggers: list[Tagger]) -> None:
    waveform = noise(3 * WINDOW // 2)
    prediction = taggers[1].tag((waveform, RATE))
    frontend = LogMelSpectrogram(CONFIG)
    for i, start in enumerate((0, WINDOW // 2)):
        window = torch.from_numpy(waveform[start : start + WINDOW])[None]
        with torch.no_grad():
            mel = frontend(window)
            logits = taggers[1].model(mel)
        assert prediction.mel is not None
        np.testing.assert_allclose(prediction.mel[i], mel[0, 0], atol=1e-4)
        np.testing.assert_allclose(prediction.window_logits[i], logits[0], atol=1e-4)


def test_a_short_recording_is_repeated_and_says_so(taggers: list[Tagger]) -> None:
    short = noise(3 * RATE)
    prediction = taggers[0].tag((short, RATE))
    repeated = taggers[0].tag((np.resize(short, WINDOW), RATE))
    np.testing.assert_array_equal(prediction.window_logits, repeated.window_logits)
    assert any("repeated" in note for note in prediction.notes)
    assert prediction.windows == [[0.0, 3.0]]
    assert not any("repeated" in note for note in repeated.notes)


def test_a_moved_window_says_so(taggers: list[Tagger]) -> None:
    assert any("moved back" in note for note in taggers[0].tag((noise(WINDOW + RATE), RATE)).notes)


def test_silence_is_tagged_with_a_warning(taggers: list[Tagger]) -> None:
    prediction = taggers[0].tag((np.zeros(WINDOW, np.float32), RATE))
    assert np.isfinite(prediction.probabilities).all()
    assert any("silent" in note for note in prediction.notes)


def test_both_models_hear_one_front_end(taggers: list[Tagger], monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = LogMelSpectrogram.forward
    monkeypatch.setattr(LogMelSpectrogram, "forward", lambda self, x: calls.append(1) or original(self, x))
    both = tag((noise(WINDOW), RATE), taggers)
    assert len(calls) == 1
    assert [p.model for p in both] == ["fcn5", "msecnn"]
    for prediction, tagger in zip(both, taggers, strict=True):
        np.testing.assert_array_equal(prediction.window_logits, tagger.tag((noise(WINDOW), RATE)).window_logits)


def test_path_bytes_array_and_recording_agree(taggers: list[Tagger], tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    audio.write_wav(path, noise(WINDOW), RATE)
    logits = [
        taggers[0].tag(recording).window_logits
        for recording in (path, str(path), path.read_bytes(), audio.read_recording(path))
    ]
    for other in logits[1:]:
        np.testing.assert_allclose(other, logits[0], atol=1e-5)


def test_a_part_is_tagged_as_if_it_stood_alone(taggers: list[Tagger]) -> None:
    waveform = noise(3 * WINDOW)
    part = taggers[0].tag((waveform, RATE), start_s=10.0, duration_s=CONFIG.window_s)
    alone = taggers[0].tag((waveform[10 * RATE : 10 * RATE + WINDOW], RATE))
    np.testing.assert_allclose(part.window_logits, alone.window_logits, atol=1e-5)
    assert part.window_starts_s.tolist() == [10.0]


def test_ten_threads_agree_with_one(taggers: list[Tagger]) -> None:
    recordings = [(noise(WINDOW, seed), RATE) for seed in range(10)]
    serial = [taggers[1].tag(recording).window_logits for recording in recordings]
    with ThreadPoolExecutor(10) as pool:
        for got, expected in zip(pool.map(taggers[1].tag, recordings), serial, strict=True):
            np.testing.assert_array_equal(got.window_logits, expected)


def test_json_has_every_tag(taggers: list[Tagger]) -> None:
    result = taggers[0].tag((noise(2 * WINDOW), RATE)).to_json()
    assert list(result["tags"]) == ["guitar", "slow", "no vocals", "choral"]
    assert np.shape(result["timeline"]) == (2, 4)
    assert result["untrained"] is True


def test_bfloat16_is_near(taggers: list[Tagger]) -> None:
    near = Tagger(taggers[1].checkpoint, device="cpu", dtype="bfloat16").tag((noise(WINDOW), RATE))
    exact = taggers[1].tag((noise(WINDOW), RATE))
    np.testing.assert_allclose(near.probabilities, exact.probabilities, atol=0.02)


@pytest.mark.parametrize("device", ["tpu-v9", "meta"])
def test_unknown_device_is_told(taggers: list[Tagger], device: str) -> None:
    with pytest.raises(MsecnnError, match="device"):
        Tagger(taggers[0].checkpoint, device=device)


@pytest.mark.parametrize("hop_s", [0.0, -1.0, float("nan"), float("inf")])
def test_wrong_hop_is_told(taggers: list[Tagger], hop_s: float) -> None:
    with pytest.raises(MsecnnError, match="hop"):
        taggers[0].tag((noise(RATE), RATE), hop_s=hop_s)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_gpu_agrees_with_cpu(taggers: list[Tagger]) -> None:
    recording = (noise(40 * WINDOW // 10), RATE)
    on_gpu = Tagger(checkpoint.load(taggers[1].checkpoint.folder), device="cuda").tag(recording, hop_s=2.0)
    np.testing.assert_allclose(on_gpu.window_logits, taggers[1].tag(recording, hop_s=2.0).window_logits, atol=2e-2)
