"""End-to-end learning, the model on spectrograms (Pons et al., "End-to-end learning for music audio tagging at scale",
ISMIR 2018).

Pinned by the author's code: one layer of timbral and temporal filters, three convolutions over time of which two are
residual, maxima and means, a dense layer. Our choice: 64 filters and 200 units behind, the author's own sizes for
MagnaTagATune in his later program; 512 and 500 are those of the paper's large data.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msecnn.models.registry import register
from msecnn.models.table1.patch_tagger import SystemWithoutScales, over_frequency, patch_front_end

N_MELS = 96
#: Timbral filters: (share of the bands, frames, channels as a multiple of `n_filters`).
TIMBRAL = ((0.9, 7, 1), (0.9, 3, 2), (0.9, 1, 4), (0.4, 7, 1), (0.4, 3, 2), (0.4, 1, 4))
#: Temporal filters on the bands' mean: (frames, channels as a multiple of `n_filters`).
TEMPORAL = ((165, 1), (128, 2), (64, 4), (32, 8))
KERNEL = 7
DROPOUT = 0.5


class ConvReluNorm(nn.Module):
    """Convolution, ReLU, batch normalisation; in time zeros keep the length, as TensorFlow's "same" does.

    Shape:
        - input: (B, C, [F,] L)
        - output: (B, C', [F',] L), or L - kernel + 1 frames where `same` is false
    """

    def __init__(self, conv: nn.Conv1d | nn.Conv2d, *, same: bool = True) -> None:
        super().__init__()
        self.conv = conv
        self.norm = (nn.BatchNorm2d if isinstance(conv, nn.Conv2d) else nn.BatchNorm1d)(conv.out_channels)
        beyond = conv.kernel_size[-1] - 1 if same else 0
        self.padding = beyond // 2, beyond - beyond // 2

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = self.norm(self.conv(F.pad(x, self.padding)).relu())
        return normalised


@register("end_to_end")
class EndToEnd(SystemWithoutScales):
    """Filters as wide as timbres and as long as rhythms, then convolutions over time.

    Args:
        n_filters: of the front; it has 29 times as many.
        n_channels: of the convolutions over time.
        n_hidden: of the dense layer.
    """

    architecture = "end_to_end"
    differences = ("64 channels and 200 hidden units, the author's later choice for this amount of music",)

    def __init__(self, n_tags: int = 50, n_filters: int = 16, n_channels: int = 64, n_hidden: int = 200) -> None:
        super().__init__(n_tags, patch_front_end(N_MELS))
        self.sizes = {"n_filters": n_filters, "n_channels": n_channels, "n_hidden": n_hidden}
        self.timbral = nn.ModuleList(
            ConvReluNorm(nn.Conv2d(1, times * n_filters, (int(share * N_MELS), frames)))
            for share, frames, times in TIMBRAL
        )
        self.temporal = nn.ModuleList(
            ConvReluNorm(nn.Conv1d(1, times * n_filters, frames)) for frames, times in TEMPORAL
        )
        n_front = n_filters * sum(plan[-1] for plan in (*TIMBRAL, *TEMPORAL))
        self.first = ConvReluNorm(nn.Conv1d(n_front, n_channels, KERNEL), same=False)
        self.second = ConvReluNorm(nn.Conv1d(n_channels, n_channels, KERNEL))
        self.third = ConvReluNorm(nn.Conv1d(n_channels, n_channels, KERNEL))
        self.dropout = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(2 * n_channels, n_hidden)
        self.hidden_norm = nn.BatchNorm1d(n_hidden)
        self.classifier = nn.Linear(n_hidden, n_tags)

    def forward(self, inputs: Tensor) -> Tensor:
        mel = self.compressed(inputs)  # (B, F, L)
        timbres = [over_frequency(branch(mel.unsqueeze(1))) for branch in self.timbral]
        rhythms = [branch(mel.mean(1, keepdim=True)) for branch in self.temporal]
        x = self.first(torch.cat([*timbres, *rhythms], 1))  # (B, C, L - 6)
        x = F.max_pool1d(self.second(x) + x, 2)
        x = self.third(x) + x
        pooled = self.dropout(torch.cat([x.amax(2), x.mean(2)], 1))
        hidden = self.dropout(self.hidden_norm(self.hidden(pooled).relu()))
        logits: Tensor = self.classifier(hidden)
        return logits

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags, **self.sizes}
