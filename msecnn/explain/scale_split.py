"""One tag's logit in one window, taken apart by scale: the part of an explanation that is exact and needs no torch."""

from dataclasses import dataclass
from typing import Any

from msecnn.explain.choices import choose_tag, choose_window, most_probable_window
from msecnn.explain.contributions import Contributions, of_prediction
from msecnn.tagger import Tagger, TagPrediction


@dataclass(frozen=True)
class ScaleSplit:
    """What each scale adds to a tag's logit.

    Attributes:
        prediction: what the model said.
        tag_index: the tag.
        window: number of the window.
        contributions: of all tags in that window: W = 1.
    """

    prediction: TagPrediction
    tag_index: int
    window: int
    contributions: Contributions

    @property
    def tag(self) -> str:
        return self.prediction.tags[self.tag_index]

    @property
    def logit(self) -> float:
        return float(self.contributions.logits[0, self.tag_index])

    @property
    def probability(self) -> float:
        return float(self.prediction.window_probabilities[self.window, self.tag_index])

    @property
    def sentence(self) -> str:
        """What was asked and answered, in words."""
        start_s, end_s = self.prediction.windows[self.window]
        base = "an average clip" if self.contributions.mean_known else "the bias alone"
        return (
            f"From {start_s:.2f} to {end_s:.2f} s {self.prediction.model} gives {self.tag!r} a logit of "
            f"{self.logit:.3f}, a probability of {self.probability:.3f}; {base} has a logit of "
            f"{self.contributions.base_value[self.tag_index]:.3f}."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, which are a part of an explanation's."""
        split, k = self.contributions, self.tag_index
        return {
            "model": self.prediction.model,
            "tag": self.tag,
            "window": self.prediction.windows[self.window],
            "logit": self.logit,
            "probability": self.probability,
            "bias": float(split.bias[k]),
            "base_value": float(split.base_value[k]),
            "scales": [
                {
                    "name": scale,
                    "features": split.n_features[scale],
                    "contribution": float(split.terms[0, s, k]),
                    "relative": float(split.relative[0, s, k]),
                }
                for s, scale in enumerate(split.scales)
            ],
        }


def scale_split(
    tagger: Tagger, prediction: TagPrediction, tag: str | None = None, window: int | None = None
) -> ScaleSplit:
    """What each scale adds to `tag` in one window.

    Args:
        prediction: what `tagger` said of a recording.
        tag: which; the most probable one by default.
        window: its number; where the tag is most probable by default.

    Raises:
        ExplanationError: the model has no scales, or there is no such tag or window.
    """
    k = choose_tag(prediction, tag)
    chosen = most_probable_window(prediction, k) if window is None else choose_window(prediction, window)
    return ScaleSplit(prediction, k, chosen, of_prediction(tagger.checkpoint, prediction, chosen))
