"""Tiny ONNX graphs of one level each, whose filters are given with the map: for what the networks' graph cannot give.

The browser runs them where a level is computed for some frames only (live tags), or downwards (Shapley values of
maxima).

Axis letters: N maps, C and M channels before and after, F rows, L columns.
"""

import base64
from collections.abc import Iterable

from msecnn.onnx_export.protobuf import Graph

#: A row of zeros above and below; of columns the browser gives one more on each side.
PADS = (1, 0, 1, 0)


def level_graphs(pools: Iterable[tuple[int, int]]) -> dict[str, str]:
    """Graphs in base64: "" is the convolution alone, "2,4" the one with pooling and ELU behind it."""
    return {"": _graph(None)} | {f"{rows},{columns}": _graph((rows, columns)) for rows, columns in dict.fromkeys(pools)}


def _graph(pool: tuple[int, int] | None) -> str:
    """Maps (N, C, F, L + 2), filters (M, C, 3, 3) and biases (M,) to maps (N, M, F', L')."""
    graph = Graph()
    x = graph.input("x", ["C", "F", "L"], batch="N")
    weight, bias = graph.input("weight", ["C", 3, 3], batch="M"), graph.input("bias", [], batch="M")
    y = graph.add("Conv", x, weight, bias, pads=PADS)
    if pool is not None:
        y = graph.add("Elu", graph.add("MaxPool", y, kernel_shape=pool, strides=pool))
    graph.output("y", y, ["M", "rows", "columns"], batch="N")
    return base64.b64encode(graph.model()).decode("ascii")
