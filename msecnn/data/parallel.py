"""Work on many files at once, with the results in order and a bounded number of them waiting."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], *, jobs: int | None = None
) -> Iterator[tuple[Item, Result]]:
    """Calls a function on every item in threads; what decodes audio and multiplies matrices lets the others run.

    Threads end with their process, however it ends, and leave no orphans.

    Args:
        function: must be safe to call from several threads; what it raises is raised here.
        items: its arguments.
        jobs: how many at once; as many as there are processors when None.

    Yields:
        Each item with its result, in the order of the items.
    """
    jobs = jobs or os.cpu_count() or 1
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(function, item)))
                if len(waiting) > 4 * jobs:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def one_thread_per_job() -> Iterator[int]:
    """Many files at once share the processors better than many of PyTorch's threads on each file.

    Yields:
        How many threads PyTorch had, and has again afterwards.
    """
    import torch  # what only reads files does without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)
