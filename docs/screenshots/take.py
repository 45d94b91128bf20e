"""Takes README's picture of the page, or pictures of every tab at three widths, light and dark, to look at.

    python docs/screenshots/take.py [--all FOLDER]

Opens the page of `python app.py` in Chromium. README's picture is written beside this file.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))

from page import ARGUMENTS, page_server  # noqa: E402

#: Width and height of a window: desktop, small desktop, phone.
VIEWS = ((1440, 900), (1024, 768), (390, 844))
#: Each tab, and what is there once it is drawn.
TABS = {
    "tags": ".mse-tag",
    "why": ".mse-strip small:has-text('±')",
    "network": ".mse-leans",
    "what-if": ".mse-edits .mse-what-if-table",
    "compare": ".mse-pair.total",
    "live": ".mse-rolling",
    "lessons": ".mse-lesson-card",
}
VIEW = "example=plucked&second=piano&tag=guitar&model=msecnn"


def take(
    browser: Browser,
    address: str,
    path: Path,
    *,
    awaited: str,
    size: tuple[int, int],
    dark: bool = False,
    top: str | None = None,
) -> None:
    """One picture: of the whole page, or of a window that begins at the element `top`."""
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(viewport=viewport, color_scheme="dark" if dark else "light")  # type: ignore[arg-type]
    page.goto(address)
    page.wait_for_selector(awaited, timeout=120_000)
    page.wait_for_timeout(1500)  # pictures are painted
    if top:
        page.evaluate("(at) => scrollBy(0, document.querySelector(at).getBoundingClientRect().top - 16)", top)
        page.wait_for_timeout(300)
    page.screenshot(path=path, full_page=top is None)
    page.close()


def every_tab() -> Iterator[tuple[str, str, tuple[int, int], bool]]:
    """File name, tab, size of the window and whether dark."""
    for tab in TABS:
        for size in VIEWS:
            for dark in (False, True):
                yield f"{tab}-{size[0]}-{'dark' if dark else 'light'}.png", tab, size, dark


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--all", type=Path, metavar="FOLDER", help="every tab at every width, light and dark, into FOLDER"
    )
    folder = parser.parse_args().all
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("This needs Chromium; Debian's package is called chromium.")
    with page_server() as (url, _, _), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        address = f"{url}?{VIEW}&tab="
        if folder is None:
            awaited, size = TABS["why"], (1280, 1000)
            take(browser, f"{address}why", HERE / "why.png", awaited=awaited, size=size, top=".mse-opened")
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, tab, size, dark in every_tab():
            edits = "&edits=telephone" if tab == "what-if" else ""
            take(browser, f"{address}{tab}{edits}", folder / name, awaited=TABS[tab], size=size, dark=dark)


if __name__ == "__main__":
    main()
