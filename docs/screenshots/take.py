"""Takes README's pictures of the page, so that they show what it is today.

    python docs/screenshots/take.py

Opens the page of `python app.py` in Chromium and writes the PNGs beside this file.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))

from page import ARGUMENTS, page_server  # noqa: E402

VIEW = {"width": 1280, "height": 860}
#: Picture, the address it is taken at, what must be there, where to scroll to, dark or light.
SHOTS = (
    ("tags", "?example=singing", ".mse-tag", None, False),
    ("why", "?example=piano&tag=piano&tab=why", ".mse-waterfall", "#tab-why .mse-row", False),
    ("strips", "?example=plucked&tag=guitar&tab=why", ".mse-strip small:has-text('±')", ".mse-why-toolbar", True),
    ("apart", "?example=orchestral&tab=network", ".mse-switch", "#tabs", True),
)


def take(page: Page, address: str, awaited: str, scroll_to: str | None, path: Path) -> None:
    page.goto(address)
    page.wait_for_selector(awaited, timeout=120_000)
    page.wait_for_timeout(1500)  # pictures are painted
    if scroll_to:
        page.evaluate("(at) => scrollBy(0, document.querySelector(at).getBoundingClientRect().top - 24)", scroll_to)
        page.wait_for_timeout(300)
    page.screenshot(path=path)


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("This needs Chromium; Debian's package is called chromium.")
    with page_server() as (url, _, _), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for name, query, awaited, scroll_to, dark in SHOTS:
            page = browser.new_page(viewport=VIEW, color_scheme="dark" if dark else "light")
            take(page, url + query, awaited, scroll_to, HERE / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main()
