"""Hugging Face's ZeroGPU: what needs the GPU runs in a function that asks for it; elsewhere nothing changes.

There a decorated function runs in a process of its own, forked from this one: it sees the loaded models, and what it
is given and gives back is copied. So it takes a session and a request, and returns answers of plain values and arrays.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from msecnn.errors import MsecnnError

try:
    from spaces import GPU
except ImportError:  # or somebody's folder of that name
    GPU = None

#: Seconds that a request may hold the GPU: a number, or what tells it from the request's own arguments.
GpuSeconds = int | Callable[..., int]
#: For a few runs of a network.
QUICK_S = 5


def lends_gpu() -> bool:
    """Whether what needs the GPU runs in another process, which forgets."""

    def probe() -> None: ...

    return GPU is not None and GPU(duration=QUICK_S)(probe) is not probe


def on_gpu(function: Callable[..., Any], duration_s: GpuSeconds = QUICK_S) -> Callable[..., Any]:
    """Decorates a function, or a generator function, for ZeroGPU where that is installed.

    A domain error travels as a value: of an error that is raised there, ZeroGPU tells only the class.
    """
    if GPU is None:
        return function
    if inspect.isgeneratorfunction(function):

        def values(*args: Any, **kwargs: Any) -> Iterator[tuple[Any, MsecnnError | None]]:
            try:
                for value in function(*args, **kwargs):
                    yield value, None
            except MsecnnError as error:
                yield None, error

        run = GPU(duration=duration_s)(values)
        if run is values:  # the package is there, ZeroGPU is not
            return function

        @wraps(function)
        def answers(*args: Any, **kwargs: Any) -> Iterator[Any]:
            for value, error in run(*args, **kwargs):
                yield _or_raise(value, error)

        return answers

    def value(*args: Any, **kwargs: Any) -> tuple[Any, MsecnnError | None]:
        try:
            return function(*args, **kwargs), None
        except MsecnnError as error:
            return None, error

    run = GPU(duration=duration_s)(value)
    if run is value:
        return function
    return wraps(function)(lambda *args, **kwargs: _or_raise(*run(*args, **kwargs)))


def _or_raise(value: Any, error: MsecnnError | None) -> Any:
    if error is not None:
        raise error
    return value


def bind_on_gpu(handler: Callable[..., Any], *first: Any, duration_s: GpuSeconds = QUICK_S) -> Callable[..., Any]:
    """The handler with its first arguments, which stay in the forked process and are not copied."""
    if inspect.isgeneratorfunction(handler):

        def answers(*rest: Any) -> Any:
            yield from handler(*first, *rest)

        return on_gpu(answers, duration_s)

    def answer(*rest: Any) -> Any:
        return handler(*first, *rest)

    return on_gpu(answer, duration_s)
