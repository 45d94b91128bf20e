"""A server that dies leaves nobody waiting: the page says so, and goes on when it is back."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_page import RunningPage

pytestmark = pytest.mark.browser

STATUS = "document.querySelector('.mse-status').textContent"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[RunningPage]:
    with RunningPage(environment={"GRADIO_TEMP_DIR": str(tmp_path)}) as page:
        yield page


@pytest.mark.slow
def test_a_question_that_went_down_with_the_server_is_given_up(page: RunningPage, chromium: Any) -> None:
    visitor = chromium.new_page()
    visitor.set_default_timeout(120_000)
    visitor.goto(page.address)
    visitor.wait_for_function("document.querySelector('.mse-card img')?.src.startsWith('blob:')")
    visitor.wait_for_selector(".mse-tag")
    page.process.send_signal(signal.SIGSTOP)  # so that it dies between question and answer
    visitor.locator(".mse-card[data-example=piano]").click()
    visitor.wait_for_function(f"{STATUS}.startsWith('Tagging')")
    page.kill()
    visitor.wait_for_function(f"{STATUS}.includes('The server stopped before it answered')")
    assert visitor.locator(".mse-upload.working").count() == 0
    page.start()
    visitor.wait_for_timeout(2_000)  # Gradio may load the page anew
    visitor.locator(".mse-card[data-example=piano]").click()
    visitor.wait_for_function("msecnn.state?.recording?.example === 'piano'")
    visitor.close()
