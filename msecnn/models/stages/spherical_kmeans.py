"""Spherical k-means: unit vectors towards which frames point (Dhillon and Modha, "Concept decompositions", 2001)."""

import torch
from torch import Tensor, nn

#: Frames that are assigned at once.
BATCH_SIZE = 16_384
N_ITERATIONS = 20


class SphericalKMeans(nn.Module):
    """K unit vectors, and how much more a frame is like each than like all on average.

    The code is the triangle of Coates, Ng and Lee ("An analysis of single-layer networks", 2011) with similarities in
    place of distances: max(0, s - mean of s), s being the products with the K vectors.

    Shape:
        - input: (..., D)
        - output: (..., K), not negative
    """

    means: Tensor

    def __init__(self, n_in: int, n_means: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(n_means, n_in))

    def forward(self, x: Tensor) -> Tensor:
        similarities = x @ self.means.T
        return (similarities - similarities.mean(-1, keepdim=True)).relu()

    def objective(self, frames: Tensor) -> float:
        """Mean cosine of frames (N, D) with the nearest of the means, which `fit` makes large."""
        return float(torch.cat([(part @ self.means.T).amax(1) for part in _unit(frames).split(BATCH_SIZE)]).mean())

    @torch.no_grad()
    def fit(self, frames: Tensor, generator: torch.Generator) -> None:
        """Begins at frames drawn from (N, D), then moves each mean to the direction of the frames nearest to it.

        A mean that has lost all frames begins again at one that is drawn.
        """
        units = _unit(frames)
        units = units[units.any(1)]  # a frame at the origin points nowhere
        n_means = len(self.means)
        if len(units) < n_means:
            raise ValueError(f"{len(units)} frames are fewer than {n_means} means")
        means = units[torch.randperm(len(units), generator=generator)[:n_means]]
        for _ in range(N_ITERATIONS):
            sums, counts = torch.zeros_like(means), torch.zeros(n_means)
            for part in units.split(BATCH_SIZE):
                nearest = (part @ means.T).argmax(1)
                sums.index_add_(0, nearest, part)
                counts += torch.bincount(nearest, minlength=n_means)
            lost = torch.nonzero(counts == 0).flatten()
            sums[lost] = units[torch.randint(len(units), (len(lost),), generator=generator)]
            means = _unit(sums)
        self.means.copy_(means)


def _unit(frames: Tensor) -> Tensor:
    return nn.functional.normalize(frames.float(), dim=1)
