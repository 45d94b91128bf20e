"""Transferred learning (van den Oord, Dieleman and Schrauwen, "Transfer learning by supervised pre-training for
audio-based music classification", ISMIR 2014).

The paper's source, a network that learned tags of the Million Song Dataset's audio, cannot be made: that audio is not
to be had. Two sources stand for it. `transferred_musicnn` and `transferred_vgg` take networks that others trained on
it (Pons and Serra's musicnn 0.1.0: MSD_musicnn, MSD_vgg), frozen, under a linear classifier. `transferred_kmeans` is
the paper's system, k-means and a hidden layer, to be trained on any tagged music first and then given a new classifier:
another data set takes that one's place, which its card must say.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from msecnn.models.published.musicnn import N_FRAMES, N_HIDDEN, Musicnn, PonsTagger
from msecnn.models.published.vgg import N_CHANNELS, MusicnnVgg
from msecnn.models.registry import register
from msecnn.models.table1.encoded_tagger import EncodedTagger
from msecnn.models.table1.multi_scale import KMeansTagger
from msecnn.models.table1.patch_tagger import patch_front_end

N_MELS = 96
#: 29.12 s at 16 kHz.
CLIP_FRAMES = 1821


class _OnFrozenNetwork(EncodedTagger):
    """A linear classifier on what a frozen network has before its own, the mean over its patches of a clip."""

    source_type: type[PonsTagger]
    differences = ("the source is a network that others trained on the Million Song Dataset; the classifier is linear",)

    def __init__(self, n_tags: int = 50, *, n_encoded: int) -> None:
        super().__init__(n_tags, patch_front_end(N_MELS, CLIP_FRAMES), n_encoded=n_encoded, n_hidden=())
        self.source = self.source_type(n_tags=50).requires_grad_(False)

    def train(self, mode: bool = True) -> "_OnFrozenNetwork":
        """The source stays in evaluation mode."""
        super().train(mode)
        self.source.eval()
        return self

    def raw_features(self, inputs: Tensor) -> Tensor:
        n_patches = inputs.shape[-1] // N_FRAMES
        mel = self.compressed(inputs)[..., : n_patches * N_FRAMES]
        patches = mel.unflatten(-1, (n_patches, N_FRAMES)).transpose(1, 2).flatten(0, 1).unsqueeze(1)  # (B P, 1, F, L)
        return self.source.embed(patches).unflatten(0, (len(inputs), n_patches)).mean(1)

    def load_source(self, weights: Mapping[str, Tensor]) -> None:
        """Takes the source's weights, under the names of our converter (`distill --convert`).

        Raises:
            RuntimeError: they are of another network.
        """
        unused = self.source.load_state_dict(dict(weights), strict=False).unexpected_keys
        missing = {name for name, _ in self.source.named_parameters()} - weights.keys()
        if unused or missing:
            raise RuntimeError(f"these are weights of another network: {sorted([*unused, *missing])[0]}")


@register("transferred_musicnn")
class TransferredMusicnn(_OnFrozenNetwork):
    """On MSD_musicnn's 200 hidden units."""

    architecture = "transferred_musicnn"
    source_type = Musicnn

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags, n_encoded=N_HIDDEN)


@register("transferred_vgg")
class TransferredVgg(_OnFrozenNetwork):
    """On MSD_vgg's 256 last cells."""

    architecture = "transferred_vgg"
    source_type = MusicnnVgg

    def __init__(self, n_tags: int = 50) -> None:
        super().__init__(n_tags, n_encoded=2 * N_CHANNELS)


@register("transferred_kmeans")
class TransferredKMeans(KMeansTagger):
    """The paper's own: k-means of the mel, a hidden layer that was trained on a source, a linear classifier."""

    architecture = "transferred_kmeans"
    differences = ("trained on another source than the Million Song Dataset, whose audio is not to be had",)

    def __init__(self, n_tags: int = 50, n_means: int = 1000, n_hidden: int = 1000) -> None:
        super().__init__(n_tags, n_mels=128, n_levels=1, n_means=n_means, n_hidden=n_hidden, dropout=0.0)

    def parameters_json(self) -> dict[str, Any]:
        return {"n_tags": self.n_tags} | {name: self.sizes[name] for name in ("n_means", "n_hidden")}
