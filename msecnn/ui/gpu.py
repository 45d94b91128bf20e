"""Hugging Face's ZeroGPU: what needs the GPU runs in a function that asks for it; elsewhere nothing changes.

There a decorated function runs in a process of its own, forked from this one: it sees the loaded models, and what it
is given and gives back is copied. So it takes a visit and a request, and returns answers of plain values and arrays.
"""

import inspect
from collections.abc import Callable
from typing import Any

try:
    import spaces
except ImportError:
    spaces = None

#: Seconds that one question may hold the GPU.
DURATION_S = 60


def on_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a function, or a generator function, for ZeroGPU where that is installed."""
    return function if spaces is None else spaces.GPU(duration=DURATION_S)(function)


def bind_on_gpu(handler: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    """The handler with its first arguments, which stay in the forked process and are not copied."""
    if inspect.isgeneratorfunction(handler):

        def answers(*rest: Any) -> Any:
            yield from handler(*first, *rest)

        return on_gpu(answers)

    def answer(*rest: Any) -> Any:
        return handler(*first, *rest)

    return on_gpu(answer)
