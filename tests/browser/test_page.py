"""The page in Chromium, as a visitor uses it: one test for each thing that it promises."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audio_files import encode, music
from conftest import choose, wait_for_recording

pytestmark = pytest.mark.browser

Visitor = Any
FORMATS = ("mp3", "vorbis.ogg", "opus", "flac", "24bit.wav", "float64.wav", "m4a", "webm", "mp4")
NOW = "msecnn.player.now()"


def number(text: str) -> float:
    """The first number of a text, with the page's minus sign."""
    found = re.search(r"[−+-]?\d+(\.\d+)?", text)
    assert found, text
    return float(found.group().replace("−", "-"))


def explained(page: Visitor, tag: str = "piano", model: str = "MsE-CNN") -> None:
    """Asks why, and waits for the exact part and for the maps."""
    page.get_by_role("tab", name="Why this tag").click()
    page.get_by_role("radio", name=model, exact=True).check()
    choose(page, "Tag", tag)
    page.wait_for_selector(f".mse-sentence:has-text('{model} gives {tag}')")
    page.wait_for_function("document.querySelector('.mse-strip small')?.textContent.includes('±')")


class TestOpening:
    @pytest.mark.parametrize("name", FORMATS)
    def test_every_format_is_tagged_by_itself(self, arrive: Callable[..., Visitor], tmp_path: Path, name: str) -> None:
        path = tmp_path / f"tune.{name}"
        path.write_bytes(encode(music(5, 48_000), 48_000, name))
        page = arrive()
        page.set_input_files("#mse-file", path)
        wait_for_recording(page, path.name)
        assert page.locator(".mse-opened strong").inner_text() == path.name
        page.get_by_role("button", name="Notes").click()
        assert "repeated to fill" in page.locator(".mse-notes").first.inner_text()
        page.wait_for_function("msecnn.player.audio.readyState >= 1")  # it can also be heard
        assert 4.9 < page.evaluate("msecnn.player.audio.duration") < 6.1  # the MP4's pictures last 6 s

    def test_the_microphone(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive()
        page.get_by_role("button", name="Record").click()
        page.wait_for_selector(".mse-status:has-text('Recording: 0:02')")
        page.get_by_role("button", name="Stop and tag").click()
        wait_for_recording(page, "recording.webm")
        facts = page.locator(".mse-facts").first.inner_text()
        assert 1.5 < number(facts) < 5
        page.evaluate("msecnn.player.seek(1)")
        page.wait_for_function(f"Math.abs({NOW} - 1) < 0.1")

    def test_an_example_with_its_credit(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive()
        card = page.locator(".mse-card").nth(3)
        title = card.locator("strong").inner_text()
        page.wait_for_function("document.querySelector('.mse-card img').src.startsWith('blob:')")
        card.click()
        wait_for_recording(page, title)
        require_session = page.locator(".mse-opened").inner_text()
        assert title in require_session
        assert "CC" in require_session
        assert page.evaluate("new URLSearchParams(location.search).get('example')")

    def test_a_file_dropped_anywhere(self, arrive: Callable[..., Visitor], recordings: Path) -> None:
        page = arrive()
        content = list((recordings / "tune.mp3").read_bytes())
        transfer = page.evaluate_handle(
            """(bytes) => {
                const all = new DataTransfer();
                all.items.add(new File([new Uint8Array(bytes)], 'dropped.mp3'));
                return all;
            }""",
            content,
        )
        page.dispatch_event("body", "drop", {"dataTransfer": transfer})
        wait_for_recording(page, "dropped.mp3")
        assert page.locator(".mse-opened strong").inner_text() == "dropped.mp3"

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("notes.mp3", b"la la la " * 100, "not a recording"),
            ("empty.wav", b"", "is empty"),
            ("<img src=x>.mp3", b"\x00" * 5000, "not a recording"),
        ],
    )
    def test_a_bad_file_gets_a_sentence(
        self, upload: Callable[..., Visitor], tmp_path: Path, name: str, content: bytes, sentence: str
    ) -> None:
        page = upload("tune.mp3")
        (tmp_path / name).write_bytes(content)
        page.set_input_files("#mse-file", tmp_path / name)
        page.wait_for_selector(".mse-status.error")
        assert sentence in page.locator(".mse-status.error").inner_text()
        assert page.locator(".mse-opened strong").inner_text() == "tune.mp3"  # what was open stays open

    def test_too_long_is_told_before_the_upload(self, arrive: Callable[..., Visitor], recordings: Path) -> None:
        page = arrive()
        uploads: list[str] = []
        page.on("request", lambda request: uploads.append(request.url) if "/upload" in request.url else None)
        assert "up to 1 minute" in page.locator(".mse-drop").inner_text()
        page.set_input_files("#mse-file", recordings / "endless.wav")
        page.wait_for_selector(".mse-status.error")
        assert "lasts 1.2 minutes; this page takes up to 1 minute" in page.locator(".mse-status.error").inner_text()
        assert not uploads


class TestPlayer:
    def test_a_click_seeks_and_space_plays(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive("?example=piano")
        page.wait_for_selector(".mse-tag")
        box = page.locator(".mse-top").bounding_box()
        middle = page.evaluate("msecnn.player.toX(14.56, document.querySelector('.mse-top').clientWidth)")
        page.mouse.click(box["x"] + middle, box["y"] + 100)
        assert page.evaluate(NOW) == pytest.approx(14.56, abs=0.1)
        page.keyboard.press("Space")
        page.wait_for_function(f"{NOW} > 15")
        page.keyboard.press("Space")
        assert page.evaluate("msecnn.player.audio.paused")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        assert page.evaluate(NOW) == pytest.approx(1, abs=0.05)
        assert page.locator(".mse-top").get_attribute("aria-valuetext") == "1.0 of 29.1 seconds"

    def test_dragging_seeks_all_the_way(self, upload: Callable[..., Visitor]) -> None:
        page = upload("long.mp3")
        box = page.locator(".mse-top").bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 80)
        page.mouse.down()
        page.mouse.move(box["x"] + 500, box["y"] + 90, steps=4)
        expected = page.evaluate("msecnn.player.toSeconds(500, document.querySelector('.mse-top').clientWidth)")
        assert page.evaluate(NOW) == pytest.approx(expected, abs=0.1)
        page.mouse.up()

    def test_hovering_reads_time_frequency_band_and_decibels(self, upload: Callable[..., Visitor]) -> None:
        """Of a pure tone of 1 kHz, the loudest place along a column must read 1 kHz."""
        page = upload("tone.wav")
        page.wait_for_timeout(300)
        box = page.locator(".mse-top").bounding_box()
        read = {}
        for y in range(8, int(box["height"]) - 24, 3):
            page.mouse.move(box["x"] + 400, box["y"] + y)
            text = page.locator(".mse-readout").first.inner_text()
            time_s, low, high, band, decibels = re.match(
                r"([\d.]+) s · (\d+)–(\d+) Hz · band (\d+) · (−?\d+) dB", text
            ).groups()
            read[int(decibels.replace("−", "-"))] = (float(time_s), int(low), int(high), int(band))
        time_s, low, high, _ = read[max(read)]
        assert low <= 1000 <= high
        expected = page.evaluate("msecnn.player.toSeconds(400, document.querySelector('.mse-top').clientWidth)")
        assert time_s == pytest.approx(expected, abs=0.05)

    def test_the_blind_tail_says_why(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        page.get_by_role("button", name="Notes").click()
        words = page.locator(".mse-blind").first.inner_text()
        assert "last 1.8 s" in words
        assert "hardly reach Input and Levels 1 to 3" in words

    def test_a_long_recording_has_an_overview_and_windows(self, upload: Callable[..., Visitor]) -> None:
        page = upload("long.mp3")
        assert page.locator(".mse-overview").is_visible()
        box = page.locator(".mse-overview canvas").bounding_box()
        page.mouse.click(box["x"] + 0.95 * box["width"], box["y"] + 20)
        page.wait_for_function("msecnn.state.window === 1")
        assert page.evaluate(NOW) > 30
        page.mouse.click(5, 5)
        page.keyboard.press("[")
        page.wait_for_function("msecnn.state.window === 0")


class TestTags:
    def test_both_models_stand_on_one_chart(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        page.get_by_role("checkbox", name="merge similar tags").uncheck()
        first = page.locator(".mse-tag").first
        assert first.locator(".mse-bar").count() == 2
        assert re.match(r".+: FCN-5 [\d.]+ %, MsE-CNN [\d.]+ %\. Why\?", first.locator(".mse-sr").text_content())
        page.get_by_role("button", name="Show all 50").click()
        page.get_by_role("button", name="Show the first 16").wait_for()
        assert page.locator(".mse-tag").count() == 50
        assert "not the truth" in page.locator(".mse-meaning").inner_text()

    def test_sorting(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        page.get_by_role("checkbox", name="merge similar tags").uncheck()
        page.get_by_role("button", name="Show all 50").click()
        state = page.evaluate("msecnn.state.models.map((model) => model.probabilities)")
        keys = {
            "both": lambda a, b: a + b,
            "FCN-5": lambda a, b: a,
            "MsE-CNN": lambda a, b: b,
            "difference": lambda a, b: abs(a - b),
        }
        tags = page.evaluate("msecnn.state.models[0].tags")
        values = dict(zip(tags, zip(*state, strict=True), strict=True))
        for name, key in keys.items():
            page.get_by_role("radio", name=name, exact=True).check()
            page.wait_for_timeout(300)  # Gradio tells of a choice, and the rows are drawn anew
            shown = page.locator(".mse-tag").evaluate_all("(rows) => rows.map((row) => row.dataset.tag)")
            order = [key(*values[tag]) for tag in shown]
            assert order == sorted(order, reverse=True), name
        assert f"disagree most on {shown[0]}" in page.locator(".mse-sentence").first.inner_text()

    def test_synonyms_fold_and_unfold(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        page.get_by_role("button", name="Show all").click()
        fold = page.get_by_role("checkbox", name="merge similar tags")
        assert fold.is_checked()  # from the beginning
        names = page.locator(".mse-tag").evaluate_all("(rows) => rows.map((row) => row.dataset.tag)")
        assert "no vocals" in names
        assert "no voice" not in names
        assert len(names) < 50
        fold.uncheck()
        page.wait_for_function("document.querySelectorAll('.mse-tags .mse-tag').length === 50")

    def test_the_timeline_goes_where_it_is_clicked(self, upload: Callable[..., Visitor]) -> None:
        page = upload("long.mp3")
        assert page.locator(".mse-heat").count() == 2
        page.locator(".mse-heat-row i[data-window='1']").first.click()
        page.wait_for_function("msecnn.state.window === 1")
        start = page.evaluate("msecnn.state.windows[1][0]")
        assert page.evaluate(NOW) == pytest.approx(start, abs=0.1)
        page.get_by_role("radio", name="this window").check()
        shown = page.locator(".mse-tag .mse-sr").first.text_content()
        tag = shown.split(":")[0]
        p = page.evaluate("(tag) => msecnn.state.models[0].timeline[1][msecnn.state.models[0].tags.indexOf(tag)]", tag)
        assert number(shown.split("FCN-5")[1]) == pytest.approx(100 * p, abs=0.51)

    def test_plotly_is_fetched_when_its_first_figure_is_opened(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3", dark=True)
        explained(page)
        assert page.evaluate("typeof window.Plotly") == "undefined"
        page.evaluate("msecnn.showTab('tags')")
        page.get_by_role("button", name="teachers' mean").click()
        page.wait_for_selector(".mse-meaning .scatterlayer .trace path.js-line")
        assert page.locator(".mse-meaning .scatterlayer .trace path.js-line").count() == 3  # two models, and equality
        lines = ".mse-meaning .scatterlayer .trace:nth-child(2) path.js-line"
        first = page.evaluate("getComputedStyle(document.querySelector('.mse-bar.model-0')).getPropertyValue('--tone')")
        red, green, blue = (int(first.strip()[i : i + 2], 16) for i in (1, 3, 5))
        assert page.locator(lines).evaluate("(line) => line.style.stroke") == f"rgb({red}, {green}, {blue})"

    def test_numbers_of_random_weights_are_said_to_mean_nothing(self, upload: Callable[..., Visitor]) -> None:
        """One's own checkpoint joins the choice; this one has learned nothing, and the page says so."""
        page = upload("tune.mp3")
        choose(page, "Model 2", "mine")
        page.wait_for_selector(".mse-warning:has-text('mine')")
        assert "mean nothing" in page.locator(".mse-warning").first.inner_text()
        assert "mine" in page.locator(".mse-legend").first.inner_text()
        assert "models=fcn5%2Cmine" in page.url


class TestWhy:
    def test_a_tag_clicked_is_explained(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        tag = page.locator(".mse-tag").nth(2).get_attribute("data-tag")
        page.locator(".mse-tag").nth(2).click()
        page.wait_for_selector(f".mse-sentence:has-text('gives {tag}')")
        steps = page.locator(".mse-step b").all_inner_texts()
        base, *parts, total = map(number, steps)
        assert len(parts) == 6
        assert base + sum(parts) == pytest.approx(total, abs=0.005 * 8)
        page.wait_for_function("document.querySelectorAll('.mse-strip').length === 6")
        assert page.evaluate("new URLSearchParams(location.search).get('tag')") == tag

    def test_a_network_of_one_scale_has_one_strip(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        explained(page, "guitar", "FCN-5")
        assert page.locator(".mse-strip").count() == 1

    def test_evidence_is_played_from_where_it_is(self, upload: Callable[..., Visitor]) -> None:
        page = upload("long.mp3")
        explained(page)
        item = page.locator(".mse-evidence:has-text(' to ')").first
        start, end = map(float, re.search(r"([\d.]+) to ([\d.]+) s", item.inner_text()).groups())
        item.click()
        page.wait_for_function("!msecnn.player.audio.paused")
        assert max(0, start - 0.6) <= page.evaluate(NOW) <= end + 1
        page.wait_for_function("msecnn.player.audio.paused")  # it stops by itself
        assert page.evaluate(NOW) <= max(end, start + 1) + 1.5

    def test_listening_keeps_the_position(self, upload: Callable[..., Visitor]) -> None:
        page = upload("long.mp3")
        explained(page)
        page.evaluate("msecnn.player.seek(12)")
        original = page.evaluate("msecnn.player.audio.src")
        for what in ("Strongest evidence only", "Everything else", "Level 2"):
            before = page.evaluate("msecnn.player.audio.src")
            page.get_by_role("radio", name=what).check()
            page.wait_for_function("(before) => msecnn.player.audio.src !== before", arg=before)
            page.wait_for_function(f"msecnn.player.audio.readyState >= 1 && Math.abs({NOW} - 12) < 0.05")
        page.get_by_role("radio", name="Original").check()
        page.wait_for_function("(first) => msecnn.player.audio.src === first", arg=original)

    def test_a_slow_method_shows_progress_and_stops(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        explained(page)
        choose(page, "Method", "Integrated gradients")
        page.wait_for_selector("progress[value]")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector(".mse-why-progress:has-text('stopped')")
        method = page.get_by_role("combobox", name="Method", exact=True)
        assert method.input_value() == "Shapley values of maxima"  # what the strips still show

    def test_a_method_that_was_measured_and_failed_is_marked(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        choose(page, "Model 2", "mine")
        explained(page, model="mine")
        choose(page, "Method", "Gradient: not faithful")
        verdict = page.locator(".mse-verdict")
        failed = page.locator(".mse-verdict.failed").inner_text()
        assert failed.startswith("On 20 held-out clips")
        assert "did not find the cells that matter" in failed
        assert "not faithful" in page.get_by_role("combobox", name="Method", exact=True).input_value()
        choose(page, "Method", "Grad-CAM")
        page.wait_for_selector(".mse-verdict:has-text('not measured for these weights')")
        assert "failed" not in verdict.get_attribute("class")

    @pytest.mark.slow
    def test_the_check_compares_with_random_order(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        explained(page)
        page.get_by_role("button", name="Check this explanation").click()
        page.wait_for_selector(".mse-curves", timeout=120_000)
        assert "random order" in page.locator(".mse-curves").inner_text()
        page.wait_for_selector(".mse-curves .scatterlayer")
        assert page.locator(".mse-curves .scatterlayer .trace path.js-line").count() == 6
        assert "mean logits" in page.locator(".mse-curves figure").get_attribute("aria-label")


class TestManners:
    def test_the_address_holds_the_view(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive("?example=piano&tag=harp&model=fcn5&tab=why")
        page.wait_for_selector(".mse-sentence:has-text('FCN-5 gives harp')")
        choose(page, "Tag", "flute")
        page.wait_for_selector(".mse-sentence:has-text('FCN-5 gives flute')")
        again = arrive(page.url.split("/")[-1])
        again.wait_for_selector(".mse-sentence:has-text('FCN-5 gives flute')")

    def test_an_own_recording_is_not_in_the_address(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3", query="?example=piano")
        page.wait_for_selector(".mse-opened:has-text('tune.mp3')")
        assert "example" not in page.url
        assert "tune" not in page.url

    def test_a_wrong_address_is_told(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive("?example=nothing&tag=guitar")
        page.wait_for_selector(".mse-status.error:has-text('no example called')")

    @pytest.mark.slow
    def test_the_zip_holds_what_the_page_shows(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3")
        explained(page)
        with page.expect_download(timeout=120_000) as download:
            page.get_by_role("button", name="Download results (zip)").click()
        with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
            (answer,) = json.loads(archive.read("tags.json"))
            explanation = json.loads(archive.read("explanation.json"))
        shown = page.evaluate("msecnn.state.models.map((model) => [model.name, model.tags, model.probabilities])")
        for name, tags, probabilities in shown:
            kept = answer["models"][name]["tags"]
            assert [kept[tag] for tag in tags] == pytest.approx(probabilities, abs=1e-4)
        assert explanation["tag"] == "piano"
        logit = number(page.locator(".mse-step.point b").last.inner_text())
        assert explanation["logit"] == pytest.approx(logit, abs=0.006)

    def test_a_phone(self, upload: Callable[..., Visitor]) -> None:
        page = upload("tune.mp3", width=390, height=844, has_touch=True, is_mobile=True)
        explained(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        # The examples lie in a row of their own, which is moved sideways.
        for button in page.locator(".mse button:visible:not(.mse-card), .mse-control:visible").all():
            box = button.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390

    def test_dark_and_light(self, arrive: Callable[..., Visitor]) -> None:
        def paper(page: Visitor) -> int:
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            return sum(map(int, re.findall(r"\d+", colour)[:3]))

        page = arrive(dark=True)
        assert paper(page) < 150
        page.get_by_role("button", name="Switch between dark and light").click()
        assert paper(page) > 600
        page.reload()
        page.wait_for_selector(".mse-drop")
        assert paper(page) > 600  # the choice is kept

    def test_two_visitors_at_once_hear_nothing_of_each_other(
        self, arrive: Callable[..., Visitor], recordings: Path
    ) -> None:
        first, second = arrive(), arrive()
        first.set_input_files("#mse-file", recordings / "tune.mp3")
        second.set_input_files("#mse-file", recordings / "long.mp3")
        for page, name in ((first, "tune.mp3"), (second, "long.mp3")):
            wait_for_recording(page, name)
            assert page.locator(".mse-opened strong").inner_text() == name
        probabilities = [page.evaluate("msecnn.state.models[0].probabilities") for page in (first, second)]
        assert probabilities[0] != probabilities[1]
        alone = arrive()
        alone.set_input_files("#mse-file", recordings / "tune.mp3")
        wait_for_recording(alone, "tune.mp3")
        assert alone.evaluate("msecnn.state.models[0].probabilities") == probabilities[0]

    def test_everything_that_can_be_pressed_has_a_name(self, upload: Callable[..., Visitor]) -> None:
        page = upload("long.mp3")
        explained(page)
        nameless = page.evaluate(
            """[...document.querySelectorAll('.gradio-container :is(button, select, input, [role=slider])')]
            .filter((element) => !element.getAttribute('aria-label') && !element.textContent?.trim())
            .filter((element) => !element.labels?.length)
            .map((element) => element.outerHTML.slice(0, 100))"""
        )
        assert nameless == []
        assert page.evaluate("document.documentElement.lang") == "en"

    def test_the_keyboard_is_enough(self, arrive: Callable[..., Visitor]) -> None:
        page = arrive()
        page.locator(".mse-card").nth(1).focus()
        page.keyboard.press("Enter")
        wait_for_recording(page, "Code Monkey")
        page.locator(".mse-tag").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".mse-waterfall")
