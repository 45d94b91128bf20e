"""Why a tag was given: exact where the network allows it, estimated and measured where it does not."""

from typing import TYPE_CHECKING, Any

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.explain.explanation import Explanation, explain

__all__ = [
    "BASELINES",
    "DEFAULT_BASELINE",
    "DEFAULT_FILL",
    "DEFAULT_METHOD",
    "FILLS",
    "METHODS",
    "TOP_SHARE",
    "Cancelled",
    "Explanation",
    "ExplanationError",
    "explain",
]

METHODS = (
    "gradient",
    "gradient_x_input",
    "integrated_gradients",
    "shapley",
    "grad_cam",
    "occlusion",
    "smooth_gradient",
)
BASELINES = ("floor", "clip_mean", "training_mean")
#: What command line, page and programs show when nothing else is named: complete, and on the few clips measured above
#: integrated gradients in less time, from this baseline (docs/explanations.md).
DEFAULT_METHOD, DEFAULT_BASELINE = "shapley", "clip_mean"
#: What removed cells of a sound become: each band's mean over the window, as in the maps, or nothing.
FILLS = ("mean", "silence")
DEFAULT_FILL = "mean"
#: Share of a map's cells that are heard, the strongest ones.
TOP_SHARE = 0.15


class ExplanationError(MsecnnError):
    """What was asked cannot be explained, and why."""


class Cancelled(ExplanationError):
    """A slow explanation was stopped by who asked for it."""


def __getattr__(name: str) -> Any:
    """The entry function comes with torch, so it is imported when it is first used (PEP 562)."""
    if name in ("Explanation", "explain"):
        from msecnn.explain import explanation

        return getattr(explanation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
