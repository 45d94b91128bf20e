"""FCN-4: four levels of 3x3 filters (Choi, Fazekas and Sandler, "Automatic tagging using deep CNNs", ISMIR 2016).

Pinned by the authors' slides and MindSpore's model of that name: channels, poolings, ReLU, 17.4 million parameters.
Our choices: batch normalisation after each convolution, dropout .5 after each pooling, and the front end of FCN-5.
"""

from itertools import pairwise

from torch import Tensor, nn

from msecnn.frontend import MelConfig
from msecnn.models.registry import register
from msecnn.models.table1.patch_tagger import SystemWithoutScales

CHANNELS = (128, 384, 768, 2048)
#: (frequency, time)
POOLS = ((2, 4), (4, 5), (3, 8), (4, 8))
DROPOUT = 0.5


@register("fcn4")
class FCN4(SystemWithoutScales):
    """Four times convolution, normalisation, ReLU, pooling; one cell is left of 29.12 s."""

    architecture = "fcn4"
    differences = (
        "batch normalisation and dropout .5 are our choice, the paper's text being silent on where they are",
        "mels are true decibels, without the squaring of the authors' code",
    )

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags, MelConfig())
        self.levels = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(n_in, n_out, 3, padding=1),
                    nn.BatchNorm2d(n_out),
                    nn.ReLU(),
                    nn.MaxPool2d(pool),
                    nn.Dropout(DROPOUT),
                )
                for (n_in, n_out), pool in zip(pairwise((1, *CHANNELS)), POOLS, strict=True)
            )
        )
        self.classifier = nn.Linear(CHANNELS[-1], n_tags)

    def forward(self, inputs: Tensor) -> Tensor:
        x = self.levels(self.compressed(inputs).unsqueeze(1))  # (B, C, 1, 1)
        logits: Tensor = self.classifier(x.flatten(1))
        return logits
