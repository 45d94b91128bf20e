"""What Gradio has to say to each session, kept for those who listen, however many others have asked.

Gradio itself keeps the messages of the 2,000 sessions that came last. A question asked by name is a session of its own,
so one program could push out everybody's; and where a message's session is gone, its queue ends for good.
"""

from asyncio import Queue
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

#: Sessions without a stream whose messages are kept: of those who have asked and will listen in a moment.
N_SILENT = 500


class Mailboxes(OrderedDict[str, "Queue[Any]"]):
    """Session to messages, in the order in which they came.

    Args:
        listens: whether a session has a stream of answers open.
        n_silent: of those that have none, so many of the latest keep their messages.
    """

    def __init__(self, listens: Callable[[str], bool], n_silent: int = N_SILENT) -> None:
        super().__init__()
        self._listens, self._n_silent, self._full = listens, n_silent, 2 * n_silent

    def __missing__(self, session: str) -> "Queue[Any]":
        """Messages for one who is gone go nowhere."""
        return Queue()

    def __setitem__(self, session: str, messages: "Queue[Any]") -> None:
        super().__setitem__(session, messages)
        if len(self) > self._full:
            self._drop_the_silent()

    def _drop_the_silent(self) -> None:
        silent = [session for session in self if not self._listens(session)]
        for session in silent[: max(0, len(silent) - self._n_silent)]:
            del self[session]
        self._full = len(self) + self._n_silent  # looked at again no sooner: each look costs its length
