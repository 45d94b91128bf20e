"""Tags of two models on one aligned chart, and over time for a long recording; all of it is drawn in the browser."""

from msecnn.ui.server.rpc import Page


def build(page: Page) -> None:
    page.mount_point("tags")
