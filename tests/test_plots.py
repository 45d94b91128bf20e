"""The figures: what they draw is what they were given, and they never touch pyplot."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from msecnn.frontend import MelConfig
from msecnn.plots import html, static
from msecnn.plots.colours import (
    AGAINST,
    IN_FAVOUR,
    MODEL_COLOURS,
    NEUTRAL,
    ON_DARK,
    ORDER_COLOURS,
    ZERO,
    rgb,
)
from msecnn.plots.contributions import tags_by_scale, waterfall
from msecnn.plots.faithfulness import deletion_insertion
from msecnn.plots.spectrogram import mel_figure, saliency_figure, signed_colours
from msecnn.plots.tags import reliability, tag_bars, timeline

CONFIG = MelConfig()


def test_the_waterfall_s_steps_join_and_end_at_the_logit() -> None:
    relative = np.array([0.5, -1.25, 2.0])
    axes = static.draw(waterfall(("input", "level1", "level2"), relative, -1.0)).axes[0]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert ends[0][0] == pytest.approx(-1.0)
    for (_, end), (start, _) in itertools.pairwise(ends):
        assert end == pytest.approx(start)
    assert ends[-1][1] == pytest.approx(-1.0 + relative.sum())
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "average clip",
        "input",
        "level1",
        "level2",
        "this clip",
    ]


def test_bars_are_the_probabilities_of_the_likeliest_tags() -> None:
    probabilities = np.array([[0.1, 0.9, 0.4], [0.2, 0.7, 0.6]])
    axes = tag_bars(("a", "b", "c"), probabilities, ("one", "two"), n_tags=2).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "c"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.9, 0.4, 0.7, 0.6])


def test_a_window_of_the_timeline_lasts_until_the_next_begins() -> None:
    window_probabilities = np.array([[0.1, 0.9], [0.3, 0.2], [0.5, 0.6]])
    starts_s = np.array([0.0, 29.12, 40.0])
    axes = static.draw(timeline(("a", "b"), window_probabilities, starts_s, 69.12)).axes[0]
    mesh = axes.collections[0]
    np.testing.assert_allclose(mesh.get_coordinates()[0, :, 0], [0, 29.12, 40, 69.12])
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(2, 3), window_probabilities.T[[1, 0]])


def test_the_spectrogram_s_axes_are_seconds_and_hertz() -> None:
    mel = np.zeros((96, 1366), np.float32)
    axes = mel_figure(mel, CONFIG, start_s=29.12).axes[0]
    corners = axes.collections[0].get_coordinates()  # (97, 1367, 2) seconds and Hz
    assert (corners[0, 0, 0] + corners[0, 1, 0]) / 2 == pytest.approx(29.12, abs=1e-3)
    assert (corners[0, -1, 0] + corners[0, -2, 0]) / 2 == pytest.approx(58.24, abs=1e-3)
    assert axes.get_ylim()[1] == pytest.approx(CONFIG.f_max, rel=0.02)
    for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        assert not label.get_text() or place == pytest.approx(float(label.get_text()))


def test_the_strips_ticks_stand_at_the_bands_of_their_frequencies() -> None:
    axes = saliency_figure(np.zeros((96, 1366)), np.zeros((1, 96, 1366)), ("input",), CONFIG, start_s=29.12).axes[0]
    left, right, _, _ = axes.images[0].get_extent()
    assert (left, right) == pytest.approx((29.12, 58.24))
    centres = CONFIG.band_edges_hz()[:, 1]
    for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        assert np.interp(place, np.arange(96), centres) == pytest.approx(float(label.get_text()), rel=1e-6)


def test_signs_have_their_colours_and_nothing_has_none() -> None:
    colours = signed_colours(np.array([[-1.0, 0.0, 1.0]]))
    np.testing.assert_allclose(colours[0, 0], (*rgb(AGAINST), 1))
    np.testing.assert_allclose(colours[0, 2], (*rgb(IN_FAVOUR), 1))
    assert colours[0, 1, 3] == 0


def contrast(colour: str, ground: str) -> float:
    """By WCAG 2: from 1 to 21."""
    weights = (0.2126, 0.7152, 0.0722)
    lights = []
    for each in (colour, ground):
        linear = ((c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in rgb(each))
        lights.append(sum(weight * c for weight, c in zip(weights, linear, strict=True)))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("colour", [*MODEL_COLOURS, *ORDER_COLOURS, IN_FAVOUR, AGAINST, NEUTRAL])
def test_colours_can_be_read_on_both_pages(colour: str) -> None:
    for paper in ("#faf8f5", "#ffffff"):
        assert contrast(colour, paper) >= 4.5
    for paper in ("#151311", ON_DARK[ZERO]):
        assert contrast(ON_DARK[colour], paper) >= 4.5


def test_a_figure_for_the_page_leaves_theme_and_width_to_it() -> None:
    figure = timeline(("a", "b"), np.array([[0.1, 0.9], [0.3, 0.2]]), np.array([0.0, 29.12]), 40.0, title="t")
    sent = html.browser_figure(figure, label="Tags.")
    assert sent["label"] == "Tags."
    assert not {"template", "width"} & sent["layout"].keys()
    assert sent["data"][0]["z"]["dtype"] == "f4"
    assert figure.layout.width == 900  # for paper it is as it was


def test_every_figure_can_be_written() -> None:
    rng = np.random.default_rng(0)
    mel, maps = rng.normal(size=(96, 1366)), rng.normal(size=(2, 96, 1366))
    curve = {"gradient": rng.normal(size=5), "random": rng.normal(size=5)}
    figures = (
        saliency_figure(mel, maps, ("input", "level1"), CONFIG, title="why"),
        saliency_figure(mel, np.zeros((1, 96, 1366)), ("level5",), CONFIG),
        mel_figure(mel, CONFIG, title="$$$ money $$$"),
        deletion_insertion(np.linspace(0, 1, 5), curve, curve, title="<b> & $x$"),
        waterfall(("input", "level1"), np.array([1.0, -2.0]), 0.5),
        tags_by_scale(("a", "b"), ("input", "level1"), np.array([[1.0, 2.0], [-1.0, 0.5]])),
        reliability({"one": [{"claimed": 0.1, "true": 0.2, "n": 7}]}, reference="teachers' mean"),
    )
    for figure in figures:
        for kind, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
            assert static.image(figure, kind, dpi=20).startswith(start)


def test_a_figure_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="pie"):
        static.draw(go.Figure(go.Pie(values=[1]), layout={"width": 100, "height": 100}))


def test_figures_travel_in_a_page_that_asks_nothing_of_the_network() -> None:
    figure = waterfall(("input",), np.array([1.0]), 0.5, title="</script>")
    place = html.div(figure, label="a & b")
    assert 'aria-label="a &amp; b"' in place
    assert place.count("</script>") == 1
    written = json.loads(place.split('json">')[1].split("</script>")[0])
    assert written["layout"]["title"]["text"] == "&lt;/script&gt;"
    assert len(html.script()) < 2_100_000


def test_no_figure_needs_pyplot() -> None:
    """A server that goes through pyplot keeps every figure for ever."""
    root = Path(__file__).resolve().parents[1]
    names = [f"msecnn.plots.{path.stem}" for path in (root / "msecnn" / "plots").glob("[a-z]*.py")]
    code = f"import sys, {', '.join(names)}; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "False"
