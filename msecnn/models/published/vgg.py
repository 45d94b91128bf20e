"""The small VGG of the musicnn package: five levels of 3x3 filters (Pons and Serra, 2019, after Choi et al., 2016)."""

from torch import Tensor, nn

from msecnn.models.published.musicnn import NORM_EPS, ConvReluNorm, PonsTagger
from msecnn.models.registry import register

N_CHANNELS = 128
#: Max-pooling of each level: kernel and stride, (frequency, time). The first one's differ in the package's code.
POOLS = (((1, 4), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))


@register("musicnn_vgg")
class MusicnnVgg(PonsTagger):
    """Five times convolution, ReLU, batch normalisation, max-pooling; two cells in time reach the classifier."""

    architecture = "musicnn_vgg"

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags)
        self.input_norm = nn.BatchNorm2d(1, eps=NORM_EPS)
        self.levels = nn.ModuleList(
            ConvReluNorm(
                nn.Conv2d(n_in, N_CHANNELS, 3, padding=1),
                nn.BatchNorm2d(N_CHANNELS, eps=NORM_EPS),
            )
            for n_in in (1, *[N_CHANNELS] * (len(POOLS) - 1))
        )
        self.pools = nn.ModuleList(nn.MaxPool2d(kernel, stride) for kernel, stride in POOLS)
        self.classifier = nn.Linear(2 * N_CHANNELS, n_tags)

    def tag_mel(self, mel: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.embed(mel))
        return logits

    def embed(self, mel: Tensor) -> Tensor:
        x = self.input_norm(mel)  # (B, 1, F, L)
        for level, pool in zip(self.levels, self.pools, strict=True):
            x = pool(level(x))
        return x.permute(0, 3, 2, 1).flatten(1)  # (B, C, 1, 2) -> time before channel
