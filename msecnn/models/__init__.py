"""The networks: one paper, one file, found by name in the registry, where each registers itself when it is imported."""

from msecnn.models import fcn, msecnn  # noqa: F401
from msecnn.models.published import musicnn, vgg, won  # noqa: F401
from msecnn.models.table1 import (  # noqa: F401
    bag_of_features,
    conv1d,
    end_to_end,
    fcn4,
    multi_scale,
    pmsc_pooling,
    timbre_cnn,
    transferred,
)
