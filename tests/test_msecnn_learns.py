"""MsE-CNN learns from nothing what anybody would hear."""

import numpy as np
import pytest
from audible_tags import areas_after_training


@pytest.mark.slow
def test_ten_audible_tags_are_heard_in_clips_that_were_held_out() -> None:
    areas = areas_after_training("msecnn")
    assert np.mean([*areas.values()]) > 0.95, areas
