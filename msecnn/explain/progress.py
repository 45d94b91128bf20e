"""How far a slow explanation is, and how it is stopped."""

import time
from collections.abc import Callable

from msecnn.explain import Cancelled

#: Called with the share that is done, 0 to 1.
Progress = Callable[[float], None]


class Steps:
    """Counts the network's runs: tells how far a method is, stops it when asked, and lets others at the network.

    Args:
        n_steps: how many runs the method takes.
    """

    def __init__(self, n_steps: int, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self.n_steps, self.done = n_steps, 0
        self.progress, self.cancelled = progress, cancelled

    def step(self) -> None:
        """Called after each run, outside the lock."""
        self.done += 1
        if self.progress is not None:
            self.progress(min(1.0, self.done / self.n_steps))
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The explanation was stopped.")
        time.sleep(1e-4)  # a lock let go and taken again at once never reaches a thread that waits for it
