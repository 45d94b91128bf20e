"""What a student learns: the mean probability of several teachers, moved where a label is known."""

from collections.abc import Sequence

import numpy as np

from msecnn.data.manifest import Manifest
from msecnn.distillation.soft_labels import SoftLabels, ensemble
from msecnn.errors import DatasetError
from msecnn.statistics import sigmoid


def soft_targets(manifest: Manifest, labels: Sequence[SoftLabels], *, label_odds_factor: float) -> np.ndarray:
    """(N, K) targets for all clips of a manifest, in its order, in the teachers' vocabulary.

    Training clips move towards their known labels; a missing label is unknown, and leaves the teachers' word as it is.
    Validation clips keep it, since agreement is what they measure.

    Raises:
        DatasetError: a clip was not labelled, or the manifest has a tag that the teachers do not know.
    """
    tags = labels[0].tags
    unknown = [tag for tag in manifest.tags if tag not in tags]
    if unknown:
        raise DatasetError(f"the teachers do not know {', '.join(unknown)}; distil on a manifest with their tags")
    targets = ensemble(labels, manifest.clips)
    known = manifest.labels()
    columns = [tags.index(tag) for tag in manifest.tags]
    shift = np.log(label_odds_factor) * (2 * np.nan_to_num(known, nan=0.5) - 1)  # 0 where nothing is known
    shift[[clip.split != "train" for clip in manifest.clips]] = 0
    logits = np.log(targets[:, columns]) - np.log1p(-targets[:, columns])
    targets[:, columns] = np.where(shift == 0, targets[:, columns], sigmoid(logits + shift))
    return targets
