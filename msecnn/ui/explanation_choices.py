"""What a visitor can choose of an explanation, with its words: sent to the browser, which knows none by itself."""

from typing import Any

from msecnn.explain import BASELINES, DEFAULT_BASELINE, DEFAULT_METHOD, METHODS
from msecnn.explain.faithfulness_card import BASELINE_WORDS
from msecnn.explain.saliency import BASELINE_METHODS

#: Of each method its title and what it shows.
METHOD_WORDS = {
    "gradient": ("Gradient", "slope: how the logit would change if a cell grew a little"),
    "gradient_x_input": ("Gradient × input", "slope × the cell's distance from the baseline"),
    "integrated_gradients": (
        "Integrated gradients",
        "slope averaged from baseline to clip; all cells sum to the total change",
    ),
    "shapley": (
        "Shapley values of maxima",
        "each maximum's change shared among its cells, level by level; all cells sum to the total change",
    ),
    "grad_cam": ("Grad-CAM", "the scale's own channels, weighted by what they add to the logit"),
    "occlusion": ("Occlusion", "what happens when a patch is replaced by the baseline"),
    "smooth_gradient": ("Smoothed gradient", "slope averaged over noisy copies of the clip"),
}
#: Methods that answer in a moment.
QUICK_METHODS = ("gradient", "gradient_x_input", "grad_cam")


def explanation_choices() -> dict[str, Any]:
    """Methods and baselines in order, and which of them come first."""
    methods = [
        {
            "name": name,
            "title": METHOD_WORDS[name][0],
            "words": METHOD_WORDS[name][1],
            "needs_baseline": name in BASELINE_METHODS,
            "quick": name in QUICK_METHODS,
        }
        for name in METHODS
    ]
    baselines = [{"name": name, "title": BASELINE_WORDS[name]} for name in BASELINES]
    first = {"method": DEFAULT_METHOD, "baseline": DEFAULT_BASELINE}
    return {"methods": methods, "baselines": baselines, "first": first}
