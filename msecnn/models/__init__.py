"""The networks: one paper, one file, found by name in the registry, where each registers itself when it is imported."""

from msecnn.models import fcn, msecnn  # noqa: F401
from msecnn.models.published import musicnn, vgg, won  # noqa: F401
