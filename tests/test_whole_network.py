"""A system without scales: its map is its logit's slope or change, wherever it is drawn; and what it lacks is said."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.explain import ExplanationError
from msecnn.explain.saliency import PATCH
from msecnn.explain.whole_network import Grid, WholeNetwork, on_grid
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.tagger import Tagger
from msecnn.tags import MAGNATAGATUNE_TAGS
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.tabs import why
from msecnn.ui.upload import open_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of 1-D convolutions, whose window is a patch of three seconds."""
    torch.manual_seed(0)
    model = registry.create("conv1d").eval()
    folder = tmp_path_factory.mktemp("checkpoints") / "conv1d"
    checkpoint.save(folder, model, mel_config=model.front_end, tags=MAGNATAGATUNE_TAGS, card={"untrained": True})
    return folder


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty-five seconds of noise that grows: two windows of FCN-5's, twelve patches."""
    path = tmp_path_factory.mktemp("sound") / "noise.wav"
    noise = np.random.default_rng(0).normal(size=35 * 16_000) * np.linspace(0.001, 0.2, 35 * 16_000)
    write_wav(path, noise.astype(np.float32), 16_000)
    return path


@pytest.fixture(scope="module")
def whole(folder: Path, song: Path) -> WholeNetwork:
    tagger = Tagger.from_checkpoint(folder, device="cpu")
    prediction = tagger.tag(song)
    return WholeNetwork.of(tagger, prediction, "piano", Grid(tagger.checkpoint.mel_config, 0.0))


def test_a_gradient_is_the_logits_slope(whole: WholeNetwork) -> None:
    assert whole.windows == (0,)
    maps = whole.maps("gradient", "floor")
    x = torch.from_numpy(whole.prediction.mel[:1]).unsqueeze(1).requires_grad_()
    whole.tagger.model(x)[0, whole.tag_index].backward()
    np.testing.assert_allclose(maps.total, x.grad[0, 0].numpy(), atol=1e-7)
    times_input = whole.maps("gradient_x_input", "clip_mean").total
    height = whole.prediction.mel[0] - whole.prediction.mel[0].mean(1, keepdims=True)
    np.testing.assert_allclose(times_input, maps.total * height, atol=1e-5)


def test_occlusion_is_what_a_patch_at_the_baseline_takes_away(whole: WholeNetwork) -> None:
    done: list[float] = []
    values = whole.maps("occlusion", "floor", progress=done.append).total
    mel = torch.from_numpy(whole.prediction.mel[0].copy())
    with torch.no_grad():
        before = whole.tagger.model(mel[None, None])[0, whole.tag_index]
        mel[PATCH[0] : 2 * PATCH[0], : PATCH[1]] = -100.0
        after = whole.tagger.model(mel[None, None])[0, whole.tag_index]
    assert values[PATCH[0], 0] == pytest.approx(float(before - after), abs=1e-5)
    assert done[-1] == 1.0


def test_what_only_networks_with_scales_know_gives_way_to_the_first_of_ours(whole: WholeNetwork) -> None:
    assert whole.maps("shapley", "floor").method == "gradient_x_input"
    with pytest.raises(ExplanationError, match="no mean of its training clips"):
        whole.maps("gradient", "training_mean")


def test_a_map_lies_where_it_belongs_on_another_grid() -> None:
    own = MelConfig(sample_rate=16_000, n_mels=128, f_max=8_000.0, n_frames=187)
    grid = Grid(MelConfig(), 10.0)
    values = np.zeros((128, 187), np.float32)
    values[59:62, 99:102] = 1.0  # 1.6 s after its own start; wide enough to hold a cell of the other grid
    placed = on_grid(values, own, 12.0, grid)
    bands, frames = np.nonzero(placed)
    times_s = 10.0 + frames * 256 / 12_000
    assert len(times_s)
    assert np.abs(times_s - 13.6).max() < 2 * 256 / 12_000
    low, high = own.band_edges_hz()[59, 0], own.band_edges_hz()[61, 2]
    centres = grid.config.band_edges_hz()[bands, 1]
    assert ((centres > low) & (centres < high)).all()
    assert not on_grid(values, own, 50.0, grid).any(), "nothing is said of what it has not heard"
    assert on_grid(values, own, 12.0, Grid(own, 12.0)) is values


def test_patches_stand_side_by_side_on_a_long_window(whole: WholeNetwork) -> None:
    long = WholeNetwork.of(whole.tagger, whole.prediction, "piano", Grid(MelConfig(), 0.0))
    assert len(long.windows) == 10  # the tenth begins in the stretch and ends after it
    maps = long.maps("gradient", "floor").maps
    assert maps.shape == (1, 96, 1366)
    assert np.abs(maps[0]).sum(0).astype(bool).mean() > 0.95, "hardly a frame without a word"
    expected = whole.prediction.window_probabilities[:10, long.tag_index].mean()
    assert long.probability == pytest.approx(expected, abs=1e-6)


def test_networks_on_waveforms_have_no_spectrogram_to_point_at(whole: WholeNetwork) -> None:
    prediction = replace(whole.prediction, mel=None)
    with pytest.raises(ExplanationError, match="takes waveforms"):
        WholeNetwork.of(whole.tagger, prediction, "piano", whole.grid)


def test_the_command_shows_it_and_says_what_it_cannot(
    folder: Path, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "explain",
        str(song),
        "--model",
        str(folder),
        "--tag",
        "piano",
        "--method",
        "occlusion",
        "--baseline",
        "clip_mean",
    ]
    assert main([*command, "--format", "json", "--out", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scales"] == []
    assert "no scales" in told["cannot"]
    assert told["saliency"]["method"] == "occlusion"
    strongest = told["saliency"]["blocks"][0]  # as much as the logit loses without that block
    tagger = Tagger.from_checkpoint(folder, device="cpu")
    prediction = tagger.tag(song)
    window = int(prediction.window_probabilities[:, MAGNATAGATUNE_TAGS.index("piano")].argmax())
    grid = Grid(tagger.checkpoint.mel_config, float(prediction.window_starts_s[window]))
    values = WholeNetwork.of(tagger, prediction, "piano", grid).maps("occlusion", "clip_mean").total
    assert abs(strongest["logit"]) == pytest.approx(np.abs(values).max(), rel=1e-4)
    assert told == json.loads((tmp_path / "answer.json").read_text())
    assert (tmp_path / "saliency.png").stat().st_size > 10_000
    assert main(command) == 0
    assert "no exact contributions" in capsys.readouterr().out


@pytest.mark.parametrize("models", [("conv1d", "msecnn"), ("msecnn", "conv1d")])
def test_on_the_page_it_stands_beside_a_network_with_scales(folder: Path, song: Path, models: tuple[str, ...]) -> None:
    """Whichever comes first: the player shows the long windows, and both are explained in the one that is shown."""
    context = AppContext.load([folder], examples=song.parent)
    name = next(name for name in context.taggers if name.startswith("conv1d") and name not in checkpoint.of_table_1())
    chosen = [name if model == "conv1d" else model for model in models]
    session, _ = open_file(context, song, "noise", chosen)
    assert session.shown.model == "msecnn"
    request = {"model": name, "tag": "piano", "window": 1, "token": "t"}
    answer = why.explain(context, session, request).payload
    assert answer["scales"] == ["whole network"]
    assert "no scales" in answer["cannot"]
    assert why.find_winning_cells(context, session, request).payload == {"marks": []}
    *_, last = why.show_maps(context, session, request | {"method": "gradient", "baseline": "floor"})
    assert [picture["scale"] for picture in last.payload["maps"]] == ["whole network"]
    of_scales = requested_explanation(context, session, request | {"model": "msecnn"})
    assert of_scales.window == 1
    assert SimpleNamespace(**why.explain(context, session, request | {"model": "msecnn"}).payload).scales[0] == "input"
