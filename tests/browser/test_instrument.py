"""The page as an instrument: zoom, figures to save, the flight through a feature, musical views, a card, languages."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from conftest import wait_for_recording

pytestmark = pytest.mark.browser

Visitor = Any
ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
WHY = "?example=plucked&tag=guitar&model=msecnn&tab=why"
SPAN = "[...msecnn.player.span]"


def explained(arrive: Callable[..., Visitor], query: str = WHY, **options: Any) -> Visitor:
    page = arrive(query, **options)
    page.wait_for_function("document.querySelector('.mse-strip small')?.textContent.includes('±')")
    return page


def pixels(content: bytes) -> np.ndarray:
    """(rows, columns, channels) of a PNG."""
    from matplotlib.image import imread

    read: np.ndarray = imread(io.BytesIO(content), format="png")
    return read


def saved(page: Visitor, place: str, name: str = "Save PNG") -> tuple[str, bytes]:
    """The name and the content of what a button below an element saves."""
    with page.expect_download() as download:
        page.locator(place).get_by_role("button", name=name).first.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


class TestZoom:
    def test_wheel_keys_and_buttons_share_one_time_axis(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive)
        whole = page.evaluate(SPAN)
        before = page.evaluate("[...document.querySelectorAll('.mse-strip canvas')].map((c) => c.toDataURL())")
        strip = page.locator(".mse-strip canvas").nth(2)
        strip.scroll_into_view_if_needed()
        box = strip.bounding_box()
        page.mouse.move(box["x"] + 400, box["y"] + 50)
        at = page.evaluate(f"msecnn.player.toSeconds(400, {box['width']})")
        page.keyboard.down("Control")
        for _ in range(4):
            page.mouse.wheel(0, -240)
        page.keyboard.up("Control")
        page.wait_for_function("msecnn.player.zoom.isOn")
        assert page.evaluate(f"msecnn.player.toSeconds(400, {box['width']})") == pytest.approx(at, abs=0.05)
        page.wait_for_timeout(300)
        after = page.evaluate("[...document.querySelectorAll('.mse-strip canvas')].map((c) => c.toDataURL())")
        assert all(old != new for old, new in zip(before, after, strict=True))
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("0")
        assert page.evaluate(SPAN) == whole
        page.keyboard.press("+")
        start, end = page.evaluate(SPAN)
        assert end - start == pytest.approx((whole[1] - whole[0]) / 1.5)
        page.keyboard.press("-")
        assert page.evaluate(SPAN) == whole

    def test_a_box_is_what_is_shown_and_the_readout_reads_it(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive)
        page.evaluate("scrollTo(0, 0)")
        page.get_by_role("button", name="Zoom into a stretch that you draw").first.click()
        box = page.locator(".mse-top").first.bounding_box()
        wanted = page.evaluate(f"[200, 500].map((x) => msecnn.player.toSeconds(x, {box['width']}))")
        page.mouse.move(box["x"] + 200, box["y"] + 100)
        page.mouse.down()
        page.mouse.move(box["x"] + 500, box["y"] + 120, steps=4)
        page.mouse.up()
        assert page.evaluate(SPAN) == pytest.approx(wanted, abs=0.05)
        assert page.evaluate("msecnn.player.now()") == 0  # a box seeks nothing
        page.mouse.move(box["x"] + 300, box["y"] + 100)
        second = float(page.locator(".mse-readout").first.inner_text().split(" s")[0])
        assert second == pytest.approx(page.evaluate(f"msecnn.player.toSeconds(300, {box['width']})"), abs=0.03)
        page.evaluate("msecnn.player.seek(20)")  # out of what is shown: it follows
        start, end = page.evaluate(SPAN)
        assert start < 20 < end

    def test_two_fingers(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive, width=390, height=844, has_touch=True, is_mobile=True)
        page.evaluate("scrollTo(0, 0)")
        box = page.locator(".mse-top").first.bounding_box()
        x, y = box["x"], box["y"] + 80
        touch = page.context.new_cdp_session(page)

        def send(kind: str, *places: float) -> None:
            points = [{"x": x + place, "y": y, "id": i} for i, place in enumerate(places)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        whole = page.evaluate(SPAN)
        send("touchStart", 150)
        send("touchStart", 150, 200)
        send("touchMove", 100, 250)
        send("touchMove", 75, 275)
        send("touchEnd")
        page.wait_for_function("msecnn.player.zoom.isOn")
        start, end = page.evaluate(SPAN)
        assert (whole[1] - whole[0]) / (end - start) == pytest.approx(4, rel=0.1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


class TestFigures:
    def test_each_can_be_saved_and_enlarged(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive)
        for place in (".mse-player-section", "#tab-why .mse-why", "#mount-why-maps"):
            name, content = saved(page, place)
            assert name.startswith("Megtört Álom ")
            assert name.endswith(".png")
            picture = pixels(content)
            assert min(picture.shape[:2]) > 200
            assert len(np.unique((picture[::7, ::7] * 255).astype(int).reshape(-1, picture.shape[2]), axis=0)) > 20
        page.locator("#tab-why .mse-why").get_by_role("button", name="Enlarge").click()
        dialog = page.get_by_role("dialog", name="A figure, enlarged")
        before = dialog.locator("img").bounding_box()["width"]
        page.keyboard.press("+")
        assert dialog.locator("img").bounding_box()["width"] == pytest.approx(1.25 * before, rel=0.02)
        page.keyboard.press("Escape")
        assert not dialog.is_visible()

    @pytest.mark.parametrize("width", [1024, 390])
    def test_the_table_is_readable(self, arrive: Callable[..., Visitor], width: int) -> None:
        page = arrive("?example=plucked&tag=guitar&model=msecnn&tab=network", width=width, height=800)
        table = page.locator(".mse-leans")
        table.wait_for()
        assert table.evaluate("(table) => table.scrollWidth <= table.parentElement.clientWidth + 1")
        cells = table.locator("tbody tr").first.locator("td").all()
        assert len(cells) == 8
        for cell in cells:
            assert cell.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth + 1")
            box = cell.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        cells[3].hover()
        assert re.fullmatch(r"Level 2 adds [+−][\d.]+ to \w+", page.locator(".mse-hint").inner_text())


class TestFlight:
    def test_it_leads_from_the_classifier_to_the_sound_by_keyboard(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive)
        page.locator(".mse-cell-list summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")  # to the term
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".mse-flight-steps li")
        assert page.locator(".mse-flight-steps li").count() == 1
        page.get_by_role("button", name="One level deeper").focus()
        for n in range(2, 8):
            page.keyboard.press("Enter")
            assert page.locator(".mse-flight-steps li").count() == n
        titles = page.locator(".mse-flight-steps h4").all_inner_texts()
        assert [title.split(",")[0] for title in titles] == [
            "The classifier", "Level 5", "Level 4", "Level 3", "Level 2", "Level 1", "The sound",
        ]  # fmt: skip
        for step in page.locator(".mse-flight-steps li").all()[1:6]:  # each level's value is the largest of its block
            grid = [
                float(cell.replace("−", "-"))
                for cell in step.locator(".mse-grid").first.locator("td").all_inner_texts()
            ]
            value = float(step.locator(".mse-sum b").inner_text().replace("−", "-"))
            assert value == max(grid)
        weight, value, average, adds = (
            float(number.replace("−", "-"))
            for number in re.findall(r"[+−]?\d+\.\d+", page.locator(".mse-sum").first.inner_text())
        )
        assert weight * (value - average) == pytest.approx(adds, abs=0.01)

    def test_a_clicked_dot_opens_it_and_sounds(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive, width=390, height=844)
        canvas = page.locator(".mse-strip canvas").last
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        mark = page.evaluate("msecnn.call('winning-cells', { model: 'msecnn', tag: 'guitar', window: 0 })")["marks"][-1]
        x = page.evaluate(f"msecnn.player.toX({(mark['start_s'] + mark['end_s']) / 2}, {box['width']})")
        hz = (max(14, mark["low_hz"]) * mark["high_hz"]) ** 0.5
        y = page.evaluate(f"msecnn.player.toY({hz}, {box['height']})")
        for dy in (0, -6, 6, -14, 14):
            canvas.click(position={"x": x, "y": min(box["height"] - 30, max(8, y + dy))})
            page.wait_for_timeout(500)
            if page.locator(".mse-flight-steps").count():
                break
        page.wait_for_selector(".mse-flight-steps")
        page.wait_for_function("!msecnn.player.audio.paused")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_musical_views_lie_on_the_players_time_axis(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=percussion")
    wait_for_recording(page, page.evaluate("msecnn.state.recording?.name") or "Kart Grand Prix")
    for name in ("Constant-Q", "Tempogram and beats"):
        page.get_by_role("button", name=name, exact=True).click()
    described = (
        "[...document.querySelectorAll('.mse-music-row figcaption')].filter((one) => one.textContent).length === 2"
    )
    page.wait_for_function(described, timeout=120_000)
    assert re.match(r"About \d+ beats a minute\.", page.locator("[data-row=tempogram] figcaption").inner_text())
    row, picture = (page.locator(selector).first.bounding_box() for selector in (".mse-music-row canvas", ".mse-top"))
    assert (row["x"], row["width"]) == pytest.approx((picture["x"], picture["width"]), abs=1)
    page.mouse.move(row["x"] + 300, row["y"] + 60)
    words = page.locator(".mse-music-rows .mse-readout").inner_text()
    assert re.fullmatch(r"[\d.]+ s · \d+ Hz · −\d+ dB", words)
    drawn = page.evaluate("document.querySelector('.mse-music-row canvas').toDataURL()")
    page.evaluate("msecnn.player.zoom.show([3, 8])")
    page.wait_for_timeout(400)
    assert page.evaluate("document.querySelector('.mse-music-row canvas').toDataURL()") != drawn
    page.get_by_role("button", name="Constant-Q", exact=True).click()
    assert page.locator(".mse-music-row").count() == 1


def test_a_card_is_made_in_the_browser(upload: Callable[..., Visitor]) -> None:
    page = upload("voice.wav")
    page.wait_for_function("msecnn.player.decoded")
    page.get_by_role("button", name="Share card").click()
    page.wait_for_selector(".mse-card-dialog[open]")
    page.wait_for_timeout(500)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    name, content = saved(page, ".mse-card-dialog")
    assert name.startswith("voice ")
    assert pixels(content).shape[:2] == (630, 1200)
    name, clip = saved(page, ".mse-card-dialog", "Save clip")
    assert name.endswith((".webm", ".mp4"))
    assert len(clip) > 20_000
    assert sent == []


def frames_of(clip: bytes) -> tuple[list[np.ndarray], np.ndarray]:
    """A clip's pictures (rows, columns) as grey values, and its sound (T,)."""
    with av.open(io.BytesIO(clip)) as file:
        pictures = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    with av.open(io.BytesIO(clip)) as file:
        sound = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
    return pictures, sound


def test_a_figure_becomes_a_clip_with_the_place_of_its_sound(upload: Callable[..., Visitor]) -> None:
    page = upload("voice.wav")
    page.wait_for_function("msecnn.player.decoded")
    sent: list[str] = []
    for tab, bar in ((".mse-player-section", False), ("#mount-tags", True)):  # scrolled, the player is small
        page.locator(tab).get_by_role("button", name="Save clip").first.click()
        page.wait_for_selector(".mse-card-dialog[open]")
        page.locator(".mse-card-dialog[open] select").select_option("all")
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        name, clip = saved(page, ".mse-card-dialog[open]", "Save clip")
        assert name.startswith("voice - ")
        pictures, sound = frames_of(clip)
        assert np.abs(sound).max() > 0.01
        moved = np.abs(pictures[-1].astype(int) - pictures[len(pictures) // 3]) > 60
        rows, columns = (np.flatnonzero(moved.any(axis)) for axis in (1, 0))
        assert columns[-1] - columns[0] > 0.04 * moved.shape[1]  # on by some of the 5 s, of the 29 s that a window has
        assert (rows[0] > moved.shape[0] - 110) == bar  # below a figure without a time axis, else in it
        page.locator(".mse-card-dialog[open]").get_by_role("button", name="Close").click()
    assert sent == []


class TestLanguages:
    def test_german_in_the_page_in_gradios_controls_and_in_lessons(self, arrive: Callable[..., Visitor]) -> None:
        page = explained(arrive, f"{WHY}&lang=de")
        assert page.evaluate("document.documentElement.lang") == "de"
        assert page.get_by_role("tab", name="Warum dieses Tag").is_visible()
        assert page.get_by_role("combobox", name="Methode").is_visible()
        assert "MsE-CNN gibt guitar" in page.locator(".mse-why .mse-sentence").first.inner_text()
        assert "," in page.locator(".mse-step b").first.inner_text()
        page.get_by_role("tab", name="Lektionen").click()
        page.get_by_role("button", name="Was Pooling tut").click()
        page.wait_for_selector(".mse-lesson-panel:has-text('Das ist das Netz aus Abbildung 1')")
        page.get_by_role("button", name="Lektion beenden").click()
        page.get_by_role("button", name="EN: English").click()
        page.wait_for_function("document.documentElement.lang === 'en' && window.msecnn?.state?.recording")
        assert page.get_by_role("button", name="Copy link").is_visible()

    def test_nothing_that_is_seen_is_no_text_of_a_language(self, arrive: Callable[..., Visitor]) -> None:
        """In a language whose every text begins with ¿, what does not is a name, a number, or written past it."""
        catalogue = json.loads((ROOT / "assets/locales/de.json").read_text(encoding="utf-8"))
        foreign = {kind: {text: f"¿{text}" for text in texts} for kind, texts in catalogue.items()}
        page = arrive("?lang=en")
        page.route("**/*-de.json", lambda route: route.fulfill(json=foreign))
        page.goto(page.url.split("?")[0] + f"{WHY}&lang=de")
        page.wait_for_function("document.querySelector('.mse-strip small')?.textContent.includes('±')")
        assert page.evaluate(UNTRANSLATED) == []
        for tab, drawn in (("tags", ".mse-tag"), ("network", ".mse-leans"), ("lessons", ".mse-lesson-card")):
            page.evaluate("(tag) => msecnn.showTab(tag)", tab)
            page.wait_for_selector(drawn)
            assert page.evaluate(UNTRANSLATED) == [], tab


#: Texts of our own elements with two words that no translation has begun, but for names that people or papers gave.
UNTRANSLATED = """[...document.querySelectorAll('.mse *')].filter((element) => element.offsetParent !== null
    && !element.closest('.mse-what-if, .mse-control, .mse-card, .mse-opened, .mse-playing, .mse-playing *')).flatMap(
    (element) => [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent.trim()))
    .filter((text) => /[a-z]{3,},? [a-z]{3,}/.test(text) && !text.includes('¿')
        && !msecnn.state.models.some(({ tags }) => tags.some((tag) => text.includes(tag))))"""


def test_a_term_says_what_it_means(arrive: Callable[..., Visitor]) -> None:
    page = explained(arrive)
    page.locator(".mse-term", has_text="average clip").first.focus()
    assert page.get_by_role("tooltip").inner_text().startswith("What the network computes of all the clips")
    page.keyboard.press("Escape")
    assert not page.get_by_role("tooltip").is_visible()


@pytest.mark.skipif(not AXE.exists(), reason="npm install brings axe-core")
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious_in_what_opens(arrive: Callable[..., Visitor], dark: bool) -> None:
    from test_accessibility import FINDINGS

    page = explained(arrive, dark=dark, bypass_csp=True)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.get_by_role("button", name="Chroma", exact=True).click()
    page.wait_for_selector(".mse-music-row figcaption:has-text('octaves')", timeout=120_000)
    page.locator(".mse-cell-list summary").click()
    page.locator(".mse-cell-list li button").first.click()
    page.get_by_role("button", name="All levels").click()
    assert page.evaluate(FINDINGS) == []
    page.get_by_role("button", name="Share card").click()
    page.wait_for_selector(".mse-card-dialog[open]")
    assert page.evaluate(FINDINGS) == [], "with the card"
