"""The four networks that are compared, and the heads that are put on their trained paths."""

from dataclasses import dataclass

import torch
from torch import nn

from msecnn.models import registry
from msecnn.models.layers import INPUT, MultiScaleCNN
from msecnn.training.deep_supervision import DeepSupervision

#: Heads: the classifier that was trained with the network, and heads fitted afterwards to features of its path.
TRAINED, LAST_LEVEL, ALL_SCALES = "trained", "level5", "all"
HEADS = (TRAINED, LAST_LEVEL, ALL_SCALES)


@dataclass(frozen=True)
class Arm:
    """One network of the comparison.

    Attributes:
        name: in file names and tables.
        title: in prose and figures.
        model: its name in the registry.
        supervised: every level before the last gets a linear classifier while training.
        own_head: the fitted head that has the same inputs as the trained one.
    """

    name: str
    title: str
    model: str
    supervised: bool = False
    own_head: str = LAST_LEVEL

    def network(self, n_tags: int, *, seed: int) -> MultiScaleCNN:
        """With fresh weights; arms whose levels have the same shapes start from the same filters at the same seed."""
        torch.manual_seed(seed)
        network = registry.create(self.model, n_tags, order="pool_first")
        assert isinstance(network, MultiScaleCNN)
        return network

    def learner(self, network: MultiScaleCNN) -> nn.Module:
        """What the trainer gets."""
        lower = [name for name in network.maps if name != INPUT and name not in network.scales]
        return DeepSupervision(network, lower) if self.supervised else network


FCN5 = Arm("fcn5", "FCN-5", "fcn5")
MSECNN = Arm("msecnn", "MsE-CNN", "msecnn", own_head=ALL_SCALES)
SUPERVISED = Arm("fcn5_supervised", "FCN-5, deep supervision", "fcn5", supervised=True)
WIDE = Arm("fcn5_513", "FCN-5, 513 features", "fcn5_513")
ARMS = (FCN5, MSECNN, SUPERVISED, WIDE)


class _AllScales(MultiScaleCNN):
    architecture = "all_scales"  # in no registry: it is never saved


def with_all_scales(network: MultiScaleCNN) -> MultiScaleCNN:
    """A view of the network's path that has all its maps as scales; its classifier means nothing."""
    channels = tuple(network.n_channels[name] for name in network.maps if name != INPUT)
    view = _AllScales(
        n_tags=1, channels=channels, scales=network.maps, pools=network.pools,
        n_mels=network.n_mels, n_frames=network.n_frames, order="pool_first",
    )  # fmt: skip
    own = {name: value for name, value in network.state_dict().items() if not name.startswith("classifier.")}
    view.load_state_dict(own, strict=False)
    return view.eval()
