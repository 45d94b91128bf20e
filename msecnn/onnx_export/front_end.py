"""The front end as operators that every runtime has, and has fast: `numpy_log_mel.log_mel` within a graph.

Its transform is a matrix product with cosines and sines, since ONNX's STFT is slow in some runtimes and missing in the
browser's. A runtime looks up the cosines when it loads the graph, so that no graph carries megabytes of them.

Axis letters: B windows, T samples, F mel bands, L frames, N frequencies.
"""

import math

import numpy as np

from msecnn.frontend import MelConfig
from msecnn.frontend.numpy_log_mel import filterbank, hann_window
from msecnn.onnx_export.protobuf import DOUBLE, FLOAT, Graph


def add_front_end(graph: Graph, waveform: str, config: MelConfig) -> str:
    """The log-mel (B, 1, F, L) of a waveform (B, T), its transform in float64."""
    bank = graph.constant("front_end/filterbank", filterbank(config))  # (N, F)
    power = graph.add("Cast", _power(graph, waveform, config), to=FLOAT)
    mel = graph.add("Transpose", graph.add("MatMul", power, bank), perm=[0, 2, 1])  # (B, F, L)
    if config.doubled_db:
        mel = graph.add("Mul", mel, mel)
    decibels = graph.add("Mul", graph.add("Log", mel), graph.constant("front_end/db", np.float32(10 / math.log(10))))
    # Cut in decibels, so that silence is the floor itself: a browser's logarithm of the least power is a bit above.
    decibels = graph.add("Max", decibels, graph.constant("front_end/floor", np.float32(config.floor_db)))
    if config.top_db is not None:
        loudest = graph.add("ReduceMax", decibels, graph.whole(1, 2), keepdims=1)
        least = graph.add("Sub", loudest, graph.constant("front_end/top_db", np.float32(config.top_db)))
        decibels = graph.add("Max", decibels, least)
    return graph.add("Unsqueeze", decibels, graph.whole(1))


def _power(graph: Graph, waveform: str, config: MelConfig) -> str:
    """Squared magnitude (B, L, N) of the short-time Fourier transform, in float64.

    The window is the same from both sides, and so is a cosine; a sine has the other sign. So each frame is folded in
    its middle: what adds up goes to the cosines, what differs to the sines, and half of the products remain. A Hann
    window's first sample is 0, and the middle one of an even number is its own mirror image.
    """
    size, pads = config.n_fft, [0, config.n_fft // 2] * 2
    places = np.arange(1, size // 2 + 1)  # in a frame, up to its middle
    window = np.where(2 * places == size, 0.5, 1) * hann_window(size)[places]
    starts = graph.constant("front_end/starts", np.arange(config.n_frames)[:, None] * config.hop_length)
    padded = graph.add("Pad", graph.add("Cast", waveform, to=DOUBLE), graph.whole(*pads))
    first, second = (
        graph.add("Gather", padded, graph.add("Add", starts, graph.constant(f"front_end/{name}", half)), axis=1)
        for name, half in {"first": places[None], "second": size - places[None]}.items()
    )  # (B, L, size / 2) each
    parts = []
    for operator, turn in {"Add": np.cos, "Sub": np.sin}.items():
        folded = graph.add("Mul", graph.add(operator, first, second), graph.constant("front_end/window", window))
        parts.append(graph.add("MatMul", folded, _waves(graph, config, turn)))  # (B, L, N)
    real, imaginary = (graph.add("Mul", part, part) for part in parts)
    return graph.add("Add", real, imaginary)


def _waves(graph: Graph, config: MelConfig, wave: np.ufunc) -> str:
    """(size / 2, N): the wave of each frequency, looked up in one turn."""
    size = config.n_fft
    turn = graph.constant(f"front_end/{wave.__name__}", wave(2 * np.pi * np.arange(size) / size))
    places = graph.constant("front_end/places", np.arange(1, size // 2 + 1)[:, None])
    steps = graph.add("Mul", places, graph.constant("front_end/frequencies", np.arange(size // 2 + 1)[None]))
    return graph.add("Gather", turn, graph.add("Mod", steps, graph.whole(size)))
