"""Take it apart: the network of the paper's Figure 1 with this clip's activations, its channels, its switches."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from msecnn.explain import ExplanationError
from msecnn.explain.contributions import Contributions, contributions, scale_weights, with_scales
from msecnn.explain.explanation import Explanation
from msecnn.explain.network_views import ChannelMoments, FeatureMaps, feature_maps, field_sizes, read_moments
from msecnn.explain.saliency import saliency
from msecnn.explain.stability import rank_correlation
from msecnn.explain.winning_cells import field_of_cell
from msecnn.models import registry
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.lock import MODEL_LOCK
from msecnn.ui import gpu_seconds
from msecnn.ui.explanation_choices import METHOD_WORDS, QUICK_METHODS
from msecnn.ui.pictures import png_uri
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.controls import button, checkbox, dropdown, radio, row
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.request_fields import shown
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.served_files import served
from msecnn.ui.server.session import Session, SessionError
from msecnn.ui.tabs.why import map_picture, saliency_lane

#: Largest small picture of a map, rows and columns: a screen shows dozens of them side by side.
THUMBNAIL = (24, 86)
#: Largest picture of one map alone.
ENLARGED = (96, 683)
#: Seed of the network whose weights were never trained.
RANDOM_SEED = 0


def build(page: Page) -> None:
    with row():
        page.control("network-model", radio("Model"))
        page.control("random", checkbox("random weights", False))
    page.mount_point("network")
    quick = [(METHOD_WORDS[name][0], name) for name in QUICK_METHODS]
    page.control("sanity-method", dropdown("Method", quick, visible=False))
    page.mount_point("network-sanity")
    page.mount_point("network-numbers")
    page.control("all-splits", button("Show all"), "click")
    page.endpoint("network", take_apart, model=True)
    page.endpoint("channels", show_channels, model=True)
    page.endpoint("channel", show_channel, model=True)
    page.endpoint("moment", give_moment)
    page.endpoint("sanity", check_sanity, model=True, gpu_s=gpu_seconds.of_map, lane=saliency_lane)


def take_apart(context: AppContext, session: Session | None, request: Request) -> Answer:
    """What the figure, the switches and the table need: one small picture a level, all tags x scales."""
    explanation = requested_explanation(context, session, request)
    network, split = _network(explanation, request), _split(explanation, request)
    sizes = field_sizes(network, explanation.mel_config)
    levels = []
    for name, level in feature_maps(network, explanation.mel).items():
        channels, rows, columns = level.maps.shape
        levels.append(
            {
                "name": name,
                "channels": channels,
                "rows": rows,
                "columns": columns,
                "carried": level.reaches_classifier,
                "picture": _picture(_typical(level.maps), THUMBNAIL),
                "field_s": round(sizes[name].duration_s, 2),
                "field_bands": sizes[name].bands,
            }
        )
    return Answer({"levels": levels} | terms(split))


def terms(split: Contributions) -> Payload:
    """One window's exact split of all tags: what the browser needs to switch scales off by itself."""
    return {
        "scales": list(split.scales),
        "n_features": [split.n_features[scale] for scale in split.scales],
        "relative": np.round(split.relative[0], 4).tolist(),  # (S, K)
        "base": np.round(split.base_value, 4).tolist(),
        "mean_known": split.mean_known,
    }


def show_channels(context: AppContext, session: Session | None, request: Request) -> Answer:
    """All channels of one level: their maps in one picture, one below the other, and what each adds to the tag."""
    explanation = requested_explanation(context, session, request)
    level = _level(explanation, request)
    small = np.stack([_bytes(_pooled(channel, THUMBNAIL)) for channel in level.maps])  # (C, rows, columns)
    carried = level.reaches_classifier
    return Answer(
        {
            "picture": png_uri(small.reshape(-1, small.shape[-1])),
            "rows": small.shape[1],
            "columns": small.shape[2],
            "values": np.round(level.values, 3).tolist(),
            "relative": np.round(_relative(explanation, request, level), 4).tolist() if carried else None,
        }
    )


def show_channel(context: AppContext, session: Session | None, request: Request) -> Answer:
    """One channel: its map, the cell that won, its weight to the tag, and what it hears best in the examples."""
    explanation = requested_explanation(context, session, request)
    network, level = _network(explanation, request), _level(explanation, request)
    channel = _number(request, "channel", len(level.maps))
    row, column = int(level.rows[channel]), int(level.columns[channel])
    field = field_of_cell(network, level.name, row, column, explanation.mel_config, explanation.start_s)
    answer: Payload = {
        "picture": _picture(level.maps[channel], ENLARGED),
        "rows": level.maps.shape[1],
        "columns": level.maps.shape[2],
        "crop": list(level.receptive_crop),
        "row": row,
        "column": column,
        "value": float(level.values[channel]),
        **{key: round(value, 3) for key, value in field.items()},
        "moments": _moments(context, explanation, request, level.name, channel),
    }
    if level.reaches_classifier:
        answer["weight"] = float(scale_weights(network)[level.name][explanation.tag_index, channel])
        answer["relative"] = float(_relative(explanation, request, level)[channel])
    return Answer(answer)


def give_moment(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The sound of an example, for a moment in it to be heard."""
    example = context.examples.get(str(request.get("example")))
    if example is None:
        raise SessionError("There is no such example.")
    return Answer({"sound": served(example.path)})


def check_sanity(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The same map of the trained network and of one that learnt nothing, and how alike the two are.

    Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018.
    """
    explanation = requested_explanation(context, session, request)
    trained = explanation.maps.total
    fresh = saliency(
        _randomised(explanation.tagger.model),
        explanation.mel,
        explanation.tag_index,
        method=explanation.method,
        baseline=explanation.baseline,
        mel_config=explanation.mel_config,
    ).total
    return Answer(
        {
            "trained": map_picture(trained),
            "random": map_picture(fresh),
            "correlation": round(rank_correlation(trained, fresh), 3),
        }
    )


def _network(explanation: Explanation, request: Request) -> MultiScaleCNN:
    return with_scales(_randomised(explanation.tagger.model) if request.get("random") else explanation.tagger.model)


@lru_cache(maxsize=4)
def _randomised(model: nn.Module) -> nn.Module:
    """The same architecture with weights that were never trained; only the input's normalisation is kept."""
    trained = with_scales(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        fresh = with_scales(registry.create(trained.architecture, **trained.parameters_json()))
    fresh.input_norm.load_state_dict(trained.input_norm.state_dict())
    return fresh.to(trained.classifier.weight.device).eval()


def _split(explanation: Explanation, request: Request) -> Contributions:
    if not request.get("random"):
        return explanation.contributions
    network = _network(explanation, request)
    inputs = torch.from_numpy(np.array(explanation.mel)).to(network.classifier.weight.device)[None, None]
    with MODEL_LOCK, torch.no_grad():
        features = network.features(inputs)
    return contributions(network, features, tags=explanation.checkpoint.tags)


def _level(explanation: Explanation, request: Request) -> FeatureMaps:
    maps = feature_maps(_network(explanation, request), explanation.mel)
    if str(request.get("level")) not in maps:
        raise SessionError(f"The levels are {', '.join(maps)}, not {shown(request.get('level'))}.")
    return maps[str(request["level"])]


def _relative(explanation: Explanation, request: Request, level: FeatureMaps) -> np.ndarray:
    """(C,) what each channel adds to the tag's logit beyond the average clip."""
    means = None if request.get("random") else explanation.checkpoint.mean_features
    mean = np.zeros(len(level.values)) if means is None else means[level.name]
    return scale_weights(_network(explanation, request))[level.name][explanation.tag_index] * (level.values - mean)


def _moments(
    context: AppContext, explanation: Explanation, request: Request, level: str, channel: int
) -> list[dict[str, Any]] | str:
    """The moments found beforehand in the examples, or a sentence that says why there are none."""
    if request.get("random"):
        return "A network that was never trained listens for nothing in particular."
    checkpoint = explanation.checkpoint
    try:
        stored = _read_moments(checkpoint.folder, str(checkpoint.card["sha256"]))
    except ExplanationError:  # found with other weights; its sentence names a place on the server
        stored = None
    if stored is None:
        return "What channels listen for was not yet computed for these weights (recipes/make_channel_moments.py)."
    by_file = {Path(example.path).stem: example for example in context.examples.values()}
    moments = []
    for moment in stored.moments[level][channel]:
        example = by_file.get(Path(moment.clip).stem)
        if example is not None:
            moments.append({**moment.to_json(), "example": example.id, "title": example.title})
    return moments


@lru_cache(maxsize=8)
def _read_moments(folder: Path, sha256: str) -> ChannelMoments | None:
    return read_moments(folder, sha256)


def _number(request: Request, key: str, count: int) -> int:
    number = request.get(key)
    if type(number) is not int or not 0 <= number < count:
        raise SessionError(f"The {key} is a number from 0 to {count - 1}, not {shown(number)}.")
    return number


def _typical(maps: np.ndarray) -> np.ndarray:
    """One map (F', L') for a whole level: the mean over its channels, each first brought to mean 0 and deviation 1.

    Of a level that has one cell a channel, all channels side by side.
    """
    if maps[0].size == 1:
        return maps.reshape(1, -1)
    mean, deviation = maps.mean((1, 2), keepdims=True), maps.std((1, 2), keepdims=True)
    typical: np.ndarray = ((maps - mean) / np.maximum(deviation, 1e-6)).mean(0)
    return typical


def _picture(values: np.ndarray, largest: Sequence[int]) -> str:
    return png_uri(_bytes(_pooled(values, largest)))


def _pooled(values: np.ndarray, largest: Sequence[int]) -> np.ndarray:
    """A map joined by maxima, as the network itself would, until it is no larger than explanation."""
    rows, columns = (-(-size // limit) for size, limit in zip(values.shape, largest, strict=True))
    padded = np.pad(
        values, [(0, -size % step) for size, step in zip(values.shape, (rows, columns), strict=True)], "edge"
    )
    return padded.reshape(padded.shape[0] // rows, rows, padded.shape[1] // columns, columns).max((1, 3))


def _bytes(values: np.ndarray) -> np.ndarray:
    """A map as grey values over its own range, the lowest band at the bottom."""
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
    return np.rint(scaled[::-1]).astype(np.uint8)
