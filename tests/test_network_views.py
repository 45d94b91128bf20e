"""Feature maps with their winners, receptive fields, and the moments that a channel listens for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from toy_networks import TOY_CONFIG, loudness_detector, tone_burst, toy, toy_mel

from msecnn.checkpoint import bundled, load
from msecnn.explain import ExplanationError
from msecnn.explain.network_views import FILE_NAME, feature_maps, field_sizes, read_moments, top_moments, write_moments
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry


def test_feature_maps_mark_each_channels_winner() -> None:
    model, mel = toy(("level2",)), toy_mel()
    found = feature_maps(model, mel)
    assert {name: view.maps.shape for name, view in found.items()} == {
        "input": (1, 4, 9),
        "level1": (2, 2, 4),
        "level2": (3, 1, 1),
    }
    assert [view.reaches_classifier for view in found.values()] == [False, False, True]
    for view in found.values():
        rows, columns = view.receptive_crop
        for channel, level_map in enumerate(view.maps):
            assert level_map[view.rows[channel], view.columns[channel]] == level_map[:rows, :columns].max()
            assert view.values[channel] == level_map[:rows, :columns].max()
    with torch.no_grad():
        features = model.features(torch.from_numpy(mel)[None, None])["level2"][0].numpy()
    np.testing.assert_array_equal(found["level2"].values.astype(np.float32), features)


def test_field_sizes_are_those_of_pools_and_halos() -> None:
    sizes = field_sizes(registry.create("msecnn"), MelConfig())
    # undo each pooling, then one cell of halo on both sides: n -> n * pool + 2
    assert [size.frames for size in sizes.values()][:4] == [1, 6, 26, 106]
    assert [size.bands for size in sizes.values()][:4] == [1, 4, 10, 22]
    assert (sizes["level5"].bands, sizes["level5"].frames) == (96, 1365)  # the last frame reaches nothing
    assert sizes["level1"].duration_s == pytest.approx((5 * 256 + 512) / 12_000)


def moments_of_bursts(k: int) -> tuple[dict[str, float], object]:
    config = MelConfig()
    bursts = {"a.mp3": 3.0, "b.mp3": 9.0, "c.mp3": 15.0}
    loudness = {"a.mp3": 0.1, "b.mp3": 1.0, "c.mp3": 0.4}
    frontend = LogMelSpectrogram(config)

    def windows():
        for clip, start_s in bursts.items():
            waveform = loudness[clip] * tone_burst(start_s, start_s + 0.2, 1000, config)
            yield clip, 100.0, frontend(torch.from_numpy(waveform)[None])[0, 0].numpy()

    return bursts, top_moments(loudness_detector(), windows(), mel_config=config, weights_sha256="abc", k=k)


def test_a_channel_listens_for_the_loudest_burst() -> None:
    bursts, found = moments_of_bursts(2)
    assert found.clips == ("a.mp3", "b.mp3", "c.mp3")
    for name, channel in (("input", 0), ("level1", 5), ("level3", 5), ("level5", 5)):
        first, second = found.moments[name][channel]
        assert (first.clip, second.clip) == ("b.mp3", "c.mp3")
        assert first.value > second.value
        assert first.start_s < 100 + bursts["b.mp3"] + 0.2
        assert first.end_s > 100 + bursts["b.mp3"]
        assert first.low_hz < 1000 < first.high_hz


def test_moments_come_back_only_for_the_weights_that_heard_them(tmp_path: Path) -> None:
    assert read_moments(tmp_path, "abc") is None
    mels = [("x", 0.0, toy_mel(seed=seed)) for seed in range(3)]
    found = top_moments(toy(), mels, mel_config=TOY_CONFIG, weights_sha256="abc", k=2)
    write_moments(tmp_path, found)
    assert read_moments(tmp_path, "abc") == found
    with pytest.raises(ExplanationError, match="other weights"):
        read_moments(tmp_path, "def")
    (tmp_path / FILE_NAME).write_text('{"moments": {"input": [[{"clip": 1')
    with pytest.raises(ExplanationError, match="damaged"):
        read_moments(tmp_path, "abc")


@pytest.mark.parametrize("name", bundled())
def test_bundled_moments_belong_to_the_bundled_weights(name: str) -> None:
    checkpoint = load(name)
    found = read_moments(checkpoint.folder, checkpoint.card["sha256"])
    assert found is not None, "recipes/make_channel_moments.py makes them"
    assert {map_: len(channels) for map_, channels in found.moments.items()} == checkpoint.model.n_channels
    for channels in found.moments.values():
        for moments in channels:
            values = [moment.value for moment in moments]
            assert values == sorted(values, reverse=True)
            assert {moment.clip for moment in moments} <= set(found.clips)
