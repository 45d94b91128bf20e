"""What comes before gradient descent: stages fitted to the training clips, and clips encoded once where they can be.

What was fitted lies in the run's folder, so that a run that goes on does not do it again.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from msecnn.models.table1.encoded_tagger import EncodedTagger
from msecnn.models.tagging_model import TaggingModule
from msecnn.training import distributed
from msecnn.training.data import TrainingData
from msecnn.training.run_folder import RunFolder, TrainingError
from msecnn.training.settings import TrainConfig

log = logging.getLogger(__name__)

#: Clips that are fitted to, or encoded, at once.
BATCH_SIZE = 8
FILE = "fitted.safetensors"
_MODEL, _FEATURES = "model/", "features"


def prepared(
    model: TaggingModule,
    data: TrainingData,
    config: TrainConfig,
    *,
    out: Path,
    group: distributed.Processes,
    fit: bool = True,
) -> tuple[nn.Module, TrainingData]:
    """What the trainer gets: the network and the data; or its learning half and the clips' features (N, C, 1).

    Args:
        model: what is fitted in it is fitted in place.
        config: its seed is of all that is drawn.
        out: the run's folder.
        group: the first process fits, the others read what it wrote.
        fit: false leaves the stages as they are, which other weights brought along.

    Raises:
        TrainingError: the folder holds what was fitted to others, or encoded clips should be augmented.
    """
    if type(model).fit is TaggingModule.fit:
        return model, data
    if isinstance(model, EncodedTagger) and config.augmentation.changes_clips:
        raise TrainingError(
            f"{model.architecture} learns from features that are computed once, so its clips cannot be augmented: "
            "--no-roll, and loop, gain-db, frequency-mask, time-mask and mix of 0"
        )
    folder = RunFolder(out)
    path, key = out / FILE, f"{config.seed} {fit} {data.sound_fingerprint()}"
    if group.first and not path.exists():
        with folder.locked():
            if fit:
                model.fit(lambda: _batches(data, data.train, "fitting"), torch.Generator().manual_seed(config.seed))
            tensors = {_MODEL + name: value for name, value in model.state_dict().items()}
            if isinstance(model, EncodedTagger):
                tensors[_FEATURES] = _encoded(model, data)
            folder.write_state(path, tensors, {"key": key})
    group.wait()
    tensors, state = folder.read_state(path)
    if state["key"] != key:
        raise TrainingError(f"{path} was fitted to other clips or by another seed; give another --out")
    model.load_state_dict({n.removeprefix(_MODEL): v for n, v in tensors.items() if n.startswith(_MODEL)})
    if not isinstance(model, EncodedTagger):
        return model, data
    features = tensors[_FEATURES].numpy()[:, :, None]  # (N, C, 1): a feature vector is an input of one frame
    return model.learner(), replace(data, mels=torch.from_numpy(features), rows=None)


def _batches(data: TrainingData, clips: np.ndarray, what: str) -> Iterator[Tensor]:
    """Mels (B, 1, F, L') float32 of some clips, in order."""
    for first in tqdm(range(0, len(clips), BATCH_SIZE), desc=what, unit="batch"):
        rows = data.row(clips[first : first + BATCH_SIZE])
        yield torch.as_tensor(data.mels[rows]).float().unsqueeze(1)


@torch.no_grad()
def _encoded(model: EncodedTagger, data: TrainingData) -> Tensor:
    """(N, C) features of all clips, in their order."""
    model.eval()
    everyone = np.arange(len(data.targets))
    return torch.cat([model.encode(batch) for batch in _batches(data, everyone, "encoding")])
