"""A classifier fitted to features as they are: two convex fits, averaged and calibrated, as one linear layer.

On a trained path it replaces the last layer that gradient descent found: a minute instead of epochs, better
calibrated, and with skips it finds what each scale has to say.

Ridge regression of the target's logits ranks clips well down to the tags that hardly apply; logistic regression on
the target's probabilities cares for those that do, the ones a listener is shown. The mean of their logits has most of
both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from msecnn.statistics import sigmoid

#: Penalties on squared weights of standardised features that are tried, per clip.
RIDGE_STRENGTHS = tuple(float(x) for x in 10.0 ** np.arange(-4, 1.01, 0.5))
LOGISTIC_STRENGTHS = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
#: Target probabilities are kept this far from 0 and 1: below it, teachers' logits differ by what is inaudible.
MIN_PROBABILITY = 1e-3
#: Calibration leans to "leave it as it is" as if it had seen this many clips say so.
CALIBRATION_PRIOR = 5.0
_NEWTON_STEPS = 25
_LBFGS_STEPS = 60


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A linear classifier on raw features.

    Attributes:
        weight: (K, C).
        bias: (K,).
        ridge_strength, logistic_strength: the penalties chosen on the validation clips.
        valid_loss: binary cross-entropy on the validation clips, on which it is calibrated.
    """

    weight: np.ndarray
    bias: np.ndarray
    ridge_strength: float
    logistic_strength: float
    valid_loss: float

    def logits(self, features: np.ndarray) -> np.ndarray:
        """(N, C) -> (N, K)."""
        return features @ self.weight.T + self.bias

    def install(self, classifier: nn.Linear) -> None:
        """Writes the head into a model's classifier."""
        with torch.no_grad():
            classifier.weight.copy_(torch.from_numpy(self.weight))
            classifier.bias.copy_(torch.from_numpy(self.bias))


def fit_head(
    features: np.ndarray,
    targets: np.ndarray,
    valid_features: np.ndarray,
    valid_targets: np.ndarray,
    *,
    ridge_strengths: Sequence[float] = RIDGE_STRENGTHS,
    logistic_strengths: Sequence[float] = LOGISTIC_STRENGTHS,
    device: torch.device | str = "cpu",
) -> LinearHead:
    """Fits all K tags at once; of each kind, the strength with the lowest validation loss is kept.

    Args:
        features: (N, C) of the training clips.
        targets: (N, K) probabilities.
        valid_features, valid_targets: the same of the validation clips: strengths and calibration come from them.
        device: where the logistic half, which takes the time, is fitted.
    """
    x = np.asarray(features, dtype=np.float64)
    mean, spread = x.mean(0), x.std(0)
    spread[spread < 1e-8] = np.inf  # a dead feature gets no weight
    x, valid = (x - mean) / spread, (np.asarray(valid_features, dtype=np.float64) - mean) / spread
    ridge_strength, ridge = _best(_ridge(x, targets, ridge_strengths), valid, valid_targets)
    logistic_strength, logistic = _best(_logistic(x, targets, logistic_strengths, device), valid, valid_targets)
    weight, bias = _calibrated((ridge[0] + logistic[0]) / 2, (ridge[1] + logistic[1]) / 2, valid, valid_targets)
    loss = cross_entropy(valid @ weight + bias, valid_targets)
    weight = weight / spread[:, None]
    bias = bias - mean @ weight
    return LinearHead(weight.T.astype(np.float32), bias.astype(np.float32), ridge_strength, logistic_strength, loss)


_Fit = tuple[np.ndarray, np.ndarray]  # weight (C, K) on standardised features, bias (K,)


def _best(fits: Iterable[tuple[float, _Fit]], valid: np.ndarray, valid_targets: np.ndarray) -> tuple[float, _Fit]:
    """The strength whose fit, calibrated, has the lowest loss on validation, and that fit."""
    calibrated = [(strength, _calibrated(*fit, valid, valid_targets)) for strength, fit in fits]
    return min(calibrated, key=lambda each: cross_entropy(valid @ each[1][0] + each[1][1], valid_targets))


def _calibrated(weight: np.ndarray, bias: np.ndarray, valid: np.ndarray, valid_targets: np.ndarray) -> _Fit:
    slope, shift = calibrate(valid @ weight + bias, valid_targets)
    return weight * slope, bias * slope + shift


def _ridge(x: np.ndarray, targets: np.ndarray, strengths: Sequence[float]) -> Iterator[tuple[float, _Fit]]:
    """Least squares on the targets' logits, in closed form."""
    wanted = logit(targets)
    centre = wanted.mean(0)
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    rotated = vectors.T @ (x.T @ (wanted - centre) / len(x))
    for strength in strengths:
        yield strength, (vectors @ (rotated / (values + strength)[:, None]), centre)


def _logistic(
    features: np.ndarray, targets: np.ndarray, strengths: Sequence[float], device: torch.device | str
) -> Iterator[tuple[float, _Fit]]:
    """Least cross-entropy with the targets, each strength starting where the last one ended."""
    x, y = (torch.from_numpy(np.asarray(values, dtype=np.float64)).to(device) for values in (features, targets))
    weight = torch.zeros(x.shape[1], y.shape[1], dtype=torch.float64, device=device, requires_grad=True)
    bias = torch.from_numpy(logit(targets.mean(0, dtype=np.float64))).to(device).requires_grad_()
    for strength in strengths:
        optimiser = torch.optim.LBFGS([weight, bias], max_iter=_LBFGS_STEPS, line_search_fn="strong_wolfe")

        def loss(strength: float = strength, optimiser: torch.optim.LBFGS = optimiser) -> Tensor:
            optimiser.zero_grad()
            entropy = nn.functional.binary_cross_entropy_with_logits(x @ weight + bias, y, reduction="sum") / len(x)
            total = entropy + strength * (weight**2).sum()
            total.backward()
            return total

        with torch.enable_grad():
            optimiser.step(loss)
        yield strength, (weight.detach().cpu().numpy().copy(), bias.detach().cpu().numpy().copy())


def calibrate(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and shift (K,) of each tag's logits (N, K) that lower the cross-entropy most, a line, so that a linear
    classifier stays one (Platt 1999, with soft targets). Newton's method; each tag leans to slope 1, shift 0.
    """
    slope, shift = np.ones(logits.shape[1]), np.zeros(logits.shape[1])
    for _ in range(_NEWTON_STEPS):
        p = sigmoid(logits * slope + shift)
        error, curvature = p - targets, p * (1 - p)
        gradient = np.stack([(error * logits).sum(0) + CALIBRATION_PRIOR * (slope - 1), error.sum(0)])
        hessian = np.stack(
            [
                (curvature * logits**2).sum(0) + CALIBRATION_PRIOR,
                (curvature * logits).sum(0),
                curvature.sum(0) + 1e-9,
            ]
        )
        determinant = hessian[0] * hessian[2] - hessian[1] ** 2
        slope = slope - (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant
        shift = shift - (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant
    return slope, shift


def variance_shares(
    features: np.ndarray, weight: np.ndarray, n_features: Mapping[str, int], scales: Sequence[str]
) -> dict[str, float]:
    """Share of the logits' variance over clips and tags that each scale brings: covariance of its term with the sum.

    Shares add up to one. A skip whose share is zero does nothing.

    Args:
        features: (N, C), the scales' features one after the other.
        weight: (K, C).
        n_features: C of each scale.
        scales: in the order of the features.
    """
    centred = features - features.mean(0)
    logits = centred @ weight.T
    shares, start = {}, 0
    for scale in scales:
        part = slice(start, start + n_features[scale])
        shares[scale] = float((centred[:, part] @ weight[:, part].T * logits).sum() / (logits**2).sum())
        start = part.stop
    return shares


def logit(probabilities: np.ndarray) -> np.ndarray:
    """Log odds, of probabilities kept away from 0 and 1."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.log(p / (1 - p))


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Mean binary cross-entropy of logits with probabilities."""
    return float(np.mean(np.logaddexp(0, logits) - targets * logits))
