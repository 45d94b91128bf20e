"""Tags as bars and over time; several models are aligned on one axis."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

#: First and second model: blue and orange, told apart by every kind of colour vision.
MODEL_COLOURS = ("#2563b8", "#d97706", "#0f766e", "#7c3aed")


def tag_bars(
    tags: Sequence[str], probabilities: np.ndarray, models: Sequence[str], *, n_tags: int = 20, title: str = ""
) -> Figure:
    """The likeliest tags by the models' mean, one bar a model.

    Shape:
        - probabilities: (M, K)
    """
    order = np.argsort(-probabilities.mean(0), kind="stable")[:n_tags]
    figure = Figure(figsize=(7, 1.2 + 0.3 * len(order)), layout="constrained")
    axes = figure.add_subplot()
    thickness = 0.8 / len(models)
    for m, (model, values) in enumerate(zip(models, probabilities, strict=True)):
        places = np.arange(len(order)) + (m - (len(models) - 1) / 2) * thickness
        axes.barh(places, values[order], thickness * 0.9, color=MODEL_COLOURS[m % len(MODEL_COLOURS)], label=model)
    axes.set_yticks(range(len(order)), [tags[k] for k in order])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability of the tag in the training labels")
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside lower center", ncols=len(models))
    return figure


def timeline(
    tags: Sequence[str],
    window_probabilities: np.ndarray,
    starts_s: np.ndarray,
    end_s: float,
    *,
    n_tags: int = 16,
    title: str = "",
) -> Figure:
    """Tags by windows as a heat map; each window is drawn until the next begins.

    Shape:
        - window_probabilities: (W, K)
        - starts_s: (W,)
    """
    order = np.argsort(-window_probabilities.max(0), kind="stable")[:n_tags]
    figure = Figure(figsize=(9, 1.2 + 0.28 * len(order)), layout="constrained")
    axes = figure.add_subplot()
    edges = np.append(starts_s, end_s)
    mesh = axes.pcolormesh(edges, np.arange(len(order) + 1), window_probabilities[:, order].T, vmin=0, vmax=1)
    axes.set_yticks(np.arange(len(order)) + 0.5, [tags[k] for k in order])
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.set_title(title, loc="left")
    figure.colorbar(mesh, ax=axes, label="probability", pad=0.01)
    return figure
