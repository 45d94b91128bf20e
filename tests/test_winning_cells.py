"""Every feature is decided by one cell, and that cell's time and band are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_networks import Toy, loudness_detector, tone_burst, toy

from msecnn.explain import ExplanationError
from msecnn.explain.cell_evidence import Evidence, evidence
from msecnn.explain.channel_trace import trace
from msecnn.explain.contributions import contributions
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry

CONFIG = MelConfig()
BURST_S, BURST_HZ = (12.0, 12.3), 1000.0


def mel_of(waveform: np.ndarray) -> np.ndarray:
    return LogMelSpectrogram(CONFIG)(torch.from_numpy(waveform)[None])[0, 0].numpy()


@pytest.fixture(scope="module")
def burst_evidence() -> Evidence:
    mel = mel_of(tone_burst(*BURST_S, BURST_HZ, CONFIG))
    return evidence(loudness_detector(), mel, 0, mel_config=CONFIG)


def test_evidence_names_the_bursts_second_and_band_at_every_scale(burst_evidence: Evidence) -> None:
    deciding = {cell.scale: cell for cell in burst_evidence.cells if cell.contribution > 1}
    assert set(deciding) == {"input", "level1", "level2", "level3", "level4", "level5"}
    for cell in deciding.values():
        assert cell.start_s < BURST_S[1], cell
        assert cell.end_s > BURST_S[0], cell
        assert cell.low_hz < BURST_HZ < cell.high_hz, cell
    widths = [deciding[scale].end_s - deciding[scale].start_s for scale in ("input", "level1", "level2", "level3")]
    assert widths == sorted(widths)
    assert widths[0] == pytest.approx(CONFIG.n_fft / CONFIG.sample_rate)
    assert BURST_S[0] - 0.05 < deciding["input"].start_s < BURST_S[1]


@pytest.mark.parametrize("name", ["fcn5", "msecnn", "msecnn_wide"])
def test_cells_add_up_to_the_scales_terms(name: str) -> None:
    torch.manual_seed(1)
    model = registry.create(name).eval()
    mel = torch.randn(1, 1, 96, 1366)
    with torch.no_grad():
        features = model.features(mel)
    mean = {scale: torch.rand(value.shape[1]) for scale, value in features.items()}
    split = contributions(model, features, mean_features=mean)
    found = evidence(model, mel[0, 0].numpy(), 7, mel_config=CONFIG, mean_features=mean)
    assert len(found.cells) == model.classifier.in_features
    for s, scale in enumerate(model.scales):
        cells = [cell for cell in found.cells if cell.scale == scale]
        assert sum(cell.contribution for cell in cells) == pytest.approx(split.terms[0, s, 7], abs=1e-5)
        assert sum(cell.relative for cell in cells) == pytest.approx(split.relative[0, s, 7], abs=1e-5)
        by_channel = sorted(cells, key=lambda cell: cell.channel)
        np.testing.assert_array_equal([cell.value for cell in by_channel], features[scale][0].double().numpy())
    assert [cell.relative for cell in found.cells] == sorted((cell.relative for cell in found.cells), reverse=True)


def test_a_winner_depends_on_its_field_alone() -> None:
    torch.manual_seed(2)
    model = registry.create("msecnn").eval()
    mel = torch.randn(1, 1, 96, 1366)
    found = evidence(model, mel[0, 0].numpy(), 0, mel_config=CONFIG)
    for scale in ("level1", "level3", "level4"):
        cell = next(cell for cell in found.cells if cell.scale == scale)
        low, high, first, last = model.receptive_field(scale, cell.row, cell.column)
        other = torch.randn(1, 1, 96, 1366)
        other[..., low : high + 1, first : last + 1] = mel[..., low : high + 1, first : last + 1]
        with torch.no_grad():
            value = model.level_maps(other)[scale][0, cell.channel, cell.row, cell.column]
        assert float(value) == pytest.approx(cell.value, abs=1e-5)
        assert (cell.start_s, cell.end_s) == (CONFIG.frame_span_s(first)[0], CONFIG.frame_span_s(last)[1])


def test_the_blind_tail_is_told() -> None:
    edge_s = CONFIG.frame_to_s(1279)  # the last frame that the input scale sees
    mel = mel_of(tone_burst(edge_s - 0.05, edge_s + 0.05, BURST_HZ, CONFIG))
    cells = {cell.scale: cell for cell in evidence(loudness_detector(), mel, 0, mel_config=CONFIG).cells[:6]}
    assert not cells["input"].in_blind_tail
    assert cells["level2"].in_blind_tail  # the cell's halo hangs over the edge
    beyond = mel_of(tone_burst(28.0, 28.5, BURST_HZ, CONFIG))
    found = evidence(loudness_detector(), beyond, 0, mel_config=CONFIG)
    assert all(cell.end_s <= CONFIG.frame_span_s(1279)[1] for cell in found.cells if cell.scale == "input")


def test_seconds_count_from_the_recordings_start_and_stay_in_the_clip() -> None:
    mel = np.random.default_rng(0).normal(size=(96, 1366)).astype(np.float32)
    model = registry.create("msecnn").eval()
    here = evidence(model, mel, 0, mel_config=CONFIG)
    later = evidence(model, mel, 0, mel_config=CONFIG, window_start_s=100.0)
    assert [cell.start_s + 100 for cell in here.cells] == pytest.approx([cell.start_s for cell in later.cells])
    assert min(cell.start_s for cell in here.cells) >= 0
    assert max(cell.end_s for cell in here.cells) <= CONFIG.window_s
    assert max(cell.high_hz for cell in here.cells) <= CONFIG.f_max + 1e-6


def test_a_channel_is_traced_through_windows() -> None:
    starts = [0.0, 29.12, 58.24]
    bursts = [(3.0, 3.2), (9.0, 9.2), (20.0, 20.2)]
    mels = np.stack([mel_of(tone_burst(*burst, BURST_HZ, CONFIG)) for burst in bursts])
    found = trace(loudness_detector(), mels, "level2", mel_config=CONFIG, window_starts_s=starts, channels=[5, 6])
    assert found.values.shape == (3, 2)
    for window, (start_s, burst) in enumerate(zip(starts, bursts, strict=True)):
        assert found.start_s[window, 0] < start_s + burst[1]
        assert found.end_s[window, 0] > start_s + burst[0]
    assert found.to_json()["channels"] == [5, 6]
    assert (found.values[:, 0] > 1).all()
    assert (found.values[:, 1] == 0).all()  # a channel that passes nothing on


def test_a_model_without_scales_is_refused() -> None:
    with pytest.raises(ExplanationError, match="has no scales"):
        evidence(registry.create("won_musicnn"), np.zeros((96, 1366)), 0, mel_config=CONFIG)


def test_evidence_is_plain_json() -> None:
    mel = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    found = evidence(toy(), mel, 1, mel_config=MelConfig(n_mels=4, n_frames=9)).to_json()
    assert found["tag_index"] == 1
    assert {cell["scale"] for cell in found["cells"]} == {"input", "level1", "level2"}


# ---- what holds for every network and every sound


@st.composite
def networks_and_mels(draw: st.DrawFn) -> tuple[Toy, MelConfig, np.ndarray, np.random.Generator]:
    """Two levels that pool by anything, over an input that they need not fill; a mel of few values, for ties."""
    sizes = st.integers(1, 4)
    pools = ((draw(sizes), draw(sizes)), (draw(sizes), draw(st.integers(2, 4))))
    n_mels, n_frames = (
        needed + draw(st.integers(0, needed - 1)) for needed in (pools[0][axis] * pools[1][axis] for axis in (0, 1))
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mel = rng.normal(size=(n_mels, n_frames))
    mel = np.round(mel) if draw(st.booleans()) else mel
    model = toy(seed=int(rng.integers(2**31)), pools=pools, n_mels=n_mels, n_frames=n_frames)
    return model, MelConfig(n_mels=n_mels, n_frames=n_frames), mel.astype(np.float32), rng


def means_of(model: Toy, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    return {scale: torch.from_numpy(rng.normal(size=model.n_features[scale])).float() for scale in model.scales}


@settings(max_examples=60, deadline=None)
@given(networks_and_mels())
def test_cells_terms_and_bias_are_the_logit(case: tuple[Toy, MelConfig, np.ndarray, np.random.Generator]) -> None:
    model, config, mel, rng = case
    mean = means_of(model, rng)
    x = torch.from_numpy(mel)[None, None]
    with torch.no_grad():
        logits, features = model(x)[0].numpy(), model.features(x)
    split = contributions(model, features, mean_features=mean)
    np.testing.assert_allclose(split.bias + split.terms[0].sum(0), logits, atol=1e-4)
    np.testing.assert_allclose(split.base_value + split.relative[0].sum(0), logits, atol=1e-4)
    for k in range(3):
        found = evidence(model, mel, k, mel_config=config, mean_features=mean)
        assert split.bias[k] + sum(cell.contribution for cell in found.cells) == pytest.approx(logits[k], abs=1e-4)
        relative = sum(cell.relative for cell in found.cells)
        assert split.base_value[k] + relative == pytest.approx(logits[k], abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(networks_and_mels())
def test_a_field_is_all_that_its_cell_depends_on(
    case: tuple[Toy, MelConfig, np.ndarray, np.random.Generator],
) -> None:
    """Whatever becomes of the rest of the sound, the feature can only be outdone elsewhere, not lost."""
    model, config, mel, rng = case
    for cell in evidence(model, mel, 0, mel_config=config).cells:
        low, high, first, last = model.receptive_field(cell.scale, cell.row, cell.column)
        other = rng.normal(scale=3, size=mel.shape).astype(np.float32)
        other[low : high + 1, first : last + 1] = mel[low : high + 1, first : last + 1]
        x = torch.from_numpy(other)[None, None]
        with torch.no_grad():
            level_map, features = model.level_maps(x)[cell.scale], model.features(x)[cell.scale]
        assert float(level_map[0, cell.channel, cell.row, cell.column]) == pytest.approx(cell.value, abs=1e-5)
        assert float(features[0, cell.channel]) >= cell.value - 1e-5


@settings(max_examples=60, deadline=None)
@given(networks_and_mels(), st.floats(0, 1e4))
def test_fields_lie_within_the_clip(
    case: tuple[Toy, MelConfig, np.ndarray, np.random.Generator], window_start_s: float
) -> None:
    model, config, mel, _ = case
    for cell in evidence(model, mel, 0, mel_config=config, window_start_s=window_start_s).cells:
        assert window_start_s <= cell.start_s < cell.end_s <= window_start_s + config.window_s
        assert 0 <= cell.low_hz < cell.high_hz <= config.f_max + 1e-6
        rows, columns = model.receptive_crop[cell.scale]
        assert 0 <= cell.row < rows
        assert 0 <= cell.column < columns
