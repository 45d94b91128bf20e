"""Messages of those who listen outlast any number of others, and none to somebody who is gone ends Gradio's queue."""

from asyncio import Queue
from typing import Any

import gradio as gr
import pytest
from gradio.queueing import Queue as GradioQueue

from msecnn.ui.server import http_guard
from msecnn.ui.server.listeners import Listeners
from msecnn.ui.server.mailboxes import Mailboxes


def filled(mailboxes: Any, n_sessions: int) -> Any:
    for number in range(n_sessions):
        mailboxes[f"session {number}"] = Queue()
    return mailboxes


def test_who_listens_keeps_messages_and_of_the_others_the_latest_do() -> None:
    mailboxes = filled(Mailboxes(lambda session: session == "session 7", n_silent=10), 1_000)
    assert "session 7" in mailboxes
    assert "session 999" in mailboxes
    assert "session 900" not in mailboxes
    assert len(mailboxes) <= 2 * 10 + 1


def test_a_message_to_who_is_gone_goes_nowhere() -> None:
    mailboxes = filled(Mailboxes(lambda _: False, n_silent=1), 1)
    mailboxes["gone"].put_nowait("hello")
    assert "gone" not in mailboxes


def test_gradio_s_own_pushes_out_who_came_first() -> None:
    """The reason for all this; where it is gone, so may the module be."""
    with gr.Blocks() as blocks:
        pass
    blocks.queue()
    own = filled(blocks._queue.pending_messages_per_session, 2_001)
    with pytest.raises(KeyError):
        own["session 0"]


def test_the_page_s_queue_has_it() -> None:
    with gr.Blocks() as blocks:
        pass
    blocks.queue()
    http_guard.guard_queue(blocks, Listeners(lambda *_: None))
    assert isinstance(blocks._queue, GradioQueue)
    assert isinstance(blocks._queue.pending_messages_per_session, Mailboxes)
