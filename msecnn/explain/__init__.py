"""Why a tag was given: exact where the network allows it, estimated and measured where it does not."""

from msecnn.errors import MsecnnError

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


class ExplanationError(MsecnnError):
    """What was asked cannot be explained, and why."""


class Cancelled(ExplanationError):
    """A slow explanation was stopped by who asked for it."""
