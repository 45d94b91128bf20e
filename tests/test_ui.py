"""The page without a browser: its pictures, its questions and answers, what it refuses, and its endpoints."""

import asyncio
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_files import encode, music
from gradio.utils import get_upload_folder
from PIL import Image

from msecnn.explain import METHODS, TOP_SHARE, Cancelled, ExplanationError
from msecnn.explain.faithfulness_card import Verdict
from msecnn.explain.saliency import saliency
from msecnn.explain.sonification import part_mask, sound_names
from msecnn.plots.sparse_maps import thicken
from msecnn.ui import export, faithfulness_check, page, pictures, upload
from msecnn.ui.kept_examples import KeptExamples
from msecnn.ui.server import background, served_files, zero_gpu
from msecnn.ui.server.context import AppContext, _unused
from msecnn.ui.server.dispatch import OUR_FAULT, Answer, Endpoint
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.fair_queue import Visitor
from msecnn.ui.server.session import Session, SessionError, require_session
from msecnn.ui.server.visitors import Visitors
from msecnn.ui.tabs import why


@pytest.fixture(scope="module")
def context() -> AppContext:
    return replace(AppContext.load(max_minutes=2), examples={})


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "tune.flac"
    path.write_bytes(encode(music(40.0, 16_000, 1), 16_000, "flac"))
    return path


@pytest.fixture(scope="module")
def session(context: AppContext, recording: Path) -> Session:
    return upload.open_file(context, recording, "tune", list(context.taggers))[0]


def decode(uri: str) -> np.ndarray:
    """A data URI's grey values by Pillow: an independent reader."""
    from base64 import b64decode

    return np.asarray(Image.open(io.BytesIO(b64decode(uri.removeprefix("data:image/png;base64,")))))


class TestPictures:
    def test_png_is_read_back_exactly_by_another_decoder(self) -> None:
        grey = np.random.default_rng(0).integers(0, 256, (96, 1366), dtype=np.uint8)
        np.testing.assert_array_equal(decode(pictures.png_uri(grey)), grey)

    def test_mel_is_kept_to_a_quarter_of_a_decibel_with_low_bands_at_the_bottom(self) -> None:
        mel = np.random.default_rng(1).uniform(-100, 40, (96, 200)).astype(np.float32)
        back = pictures.LOW_DB + decode(pictures.mel_picture(mel))[::-1] / 255 * (pictures.HIGH_DB - pictures.LOW_DB)
        assert np.abs(back - mel).max() <= 140 / 255 / 2 + 1e-4

    def test_signs_survive_and_zero_is_128(self) -> None:
        values = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0, 9.0]])
        assert decode(pictures.signed_picture(values, 2.0)).tolist() == [[1, 64, 128, 192, 255, 255]]

    def test_a_map_of_nothing_has_a_picture(self) -> None:
        assert (decode(pictures.signed_picture(np.zeros((3, 4)), 0.0)) == 128).all()

    def test_pooling_keeps_the_value_furthest_from_zero(self) -> None:
        assert pictures.pool_signed(np.array([[1.0, -3.0, 0.0, 0.0, 2.0]]), 2).tolist() == [[-3.0, 0.0, 2.0]]

    def test_thickening_spreads_a_cell_over_its_neighbours_and_no_further(self) -> None:
        values = np.zeros((5, 5))
        values[2, 2] = -1.0
        expected = np.zeros((5, 5))
        expected[1:4, 1:4] = -1.0
        np.testing.assert_array_equal(thicken(values), expected)


class TestOpening:
    def test_answer_holds_what_the_tagger_says(self, context: AppContext, session: Session, recording: Path) -> None:
        uploaded = served_files.new_file("tune.flac")
        uploaded.write_bytes(recording.read_bytes())
        answer = upload.open_recording(context, None, {"path": str(uploaded), "name": "tune"})
        assert answer.session is not None
        json.dumps(answer.payload)  # it must travel
        for shown, prediction in zip(answer.payload["models"], session.predictions.values(), strict=True):
            assert shown["tags"] == list(prediction.tags)
            np.testing.assert_allclose(shown["probabilities"], prediction.probabilities, atol=1e-6)
            np.testing.assert_allclose(shown["timeline"], prediction.window_probabilities, atol=6e-5)
        assert len(answer.payload["windows"]) == 2
        assert decode(answer.payload["overview"]).shape[0] == 96
        mel = next(iter(session.predictions.values())).mel
        assert mel is not None
        np.testing.assert_array_equal(decode(answer.payload["picture"]), decode(pictures.mel_picture(mel[0])))

    def test_another_window_is_another_picture(self, context: AppContext, session: Session) -> None:
        shown = [upload.show_window(context, session, {"window": w}).payload["picture"] for w in (0, 1)]
        assert shown[0] != shown[1]

    @pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "", "pyproject.toml"])
    def test_only_uploads_are_opened(self, context: AppContext, path: str) -> None:
        with pytest.raises(SessionError, match="uploaded"):
            upload.open_recording(context, None, {"path": path})

    def test_a_way_out_of_the_upload_folder_is_closed(self, context: AppContext, recording: Path) -> None:
        sneaky = Path(get_upload_folder()) / ".." / ".." / recording.relative_to("/")
        with pytest.raises(SessionError, match="uploaded"):
            upload.open_recording(context, None, {"path": str(sneaky)})

    def test_unknown_example(self, context: AppContext) -> None:
        with pytest.raises(SessionError, match="no example called 'nothing'"):
            upload.open_recording(context, None, {"example": "nothing"})

    def test_too_long_is_said_with_both_lengths(self, context: AppContext, recording: Path) -> None:
        strict = replace(context, max_s=30.0)
        with pytest.raises(SessionError, match=r"lasts 0\.7 minutes; this page takes up to 0\.5 minutes"):
            upload.open_file(strict, recording, "tune", [])

    def test_a_length_that_the_header_hides_is_found_out_while_decoding(
        self, context: AppContext, recording: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        strict = replace(context, max_s=30.0)
        honest = upload.audio.probe
        monkeypatch.setattr(upload.audio, "probe", lambda path: replace(honest(path), duration_s=None))
        with pytest.raises(SessionError, match="this page takes up to"):
            upload.open_file(strict, recording, "tune", [])

    def test_a_recording_that_takes_too_long_is_given_up(self, context: AppContext, recording: Path) -> None:
        impatient = replace(context, patience_s=0.0)
        with pytest.raises(SessionError, match="takes more than 0 s"):
            upload.open_file(impatient, recording, "tune", ["fcn5"])

    def test_the_limit_leaves_no_note_on_what_is_within_it(self, session: Session) -> None:
        assert not [note for note in session.predictions["msecnn"].notes if "121" in note or "Read" in note]

    def test_nothing_open(self) -> None:
        with pytest.raises(SessionError, match="open it again"):
            require_session(None)


class TestKeptExamples:
    def test_an_example_is_tagged_once_and_each_visitor_gets_a_session(self) -> None:
        context, opened = AppContext.load(max_minutes=2), []

        def open_recording(context: AppContext, session: Session | None, request: dict[str, Any]) -> Answer:
            opened.append(request)
            return upload.open_recording(context, session, request)

        kept = KeptExamples(context, open_recording)
        assert kept.lane({"example": "piano"}) == "model"
        pairs: tuple[list[str], ...] = ([], ["fcn5", "msecnn"])
        answers = [kept.open(context, None, {"example": "piano", "models": models}) for models in pairs]
        assert len(opened) == 1
        assert kept.lane({"example": "piano"}) == "light"
        first, second = (answer.session for answer in answers)
        assert first is not None
        assert second is not None
        assert first.made is not second.made
        assert first.predictions is second.predictions
        answers[0].payload["models"].clear()  # what one visitor's answer becomes is not another's
        assert len(kept.open(context, None, {"example": "piano"}).payload["models"]) == 2

    @pytest.mark.parametrize(
        "request_", [{"example": "piano", "models": ["msecnn"]}, {"example": ["piano"]}, {"example": "x"}, {}]
    )
    def test_nothing_else_is_kept(self, request_: dict[str, Any]) -> None:
        opened: list[object] = []
        context = AppContext.load()

        def open_recording(*request: object) -> Answer:
            opened.append(request)
            return Answer({})

        kept = KeptExamples(context, open_recording)
        for _ in range(2):
            kept.open(context, None, request_)
            assert kept.lane(request_) == "model"
        assert len(opened) == 2


class TestEndpoint:
    VISITOR = Visitor("127.0.0.1", "me")

    @classmethod
    def ask(
        cls, context: AppContext, handler: object, session: Session | None = None, **request: object
    ) -> list[dict[str, object]]:
        bound = partial(handler, context)  # type: ignore[arg-type]
        visitors = Visitors()
        endpoint = Endpoint("test", bound, visitors, lambda _: "light", "first")
        if session is not None:
            visitors.sessions.put(cls.VISITOR, "first", session)

        async def collect() -> list[dict[str, object]]:
            return [payload async for payload in endpoint.answers(cls.VISITOR, {"id": "7", **request})]

        payloads = asyncio.run(collect())
        cls.held = visitors.sessions.get(cls.VISITOR, "first")
        return payloads

    def test_answers_carry_their_question_and_leave_the_session_alone(
        self, context: AppContext, session: Session
    ) -> None:
        assert self.ask(context, lambda *_: Answer({"a": 1}), session) == [{"a": 1, "request": "7"}]
        assert self.held is session

    def test_only_what_opened_something_changes_the_session(self, context: AppContext, session: Session) -> None:
        self.ask(context, lambda *_: Answer({}))
        assert self.held is None
        self.ask(context, lambda *_: Answer({}, session))
        assert self.held is session

    def test_progress_comes_first(self, context: AppContext) -> None:
        def handler(*_: object) -> Iterator[Answer]:
            yield Answer({"progress": 0.5})
            yield Answer({"done": True})

        assert self.ask(context, handler) == [
            {"progress": 0.5, "request": "7"},
            {"done": True, "request": "7"},
        ]

    def test_domain_errors_are_their_sentence(self, context: AppContext) -> None:
        def handler(*_: object) -> Answer:
            raise SessionError("So it is.")

        assert self.ask(context, handler)[0]["error"] == "So it is."

    def test_our_errors_are_logged_and_not_told(self, context: AppContext, caplog: pytest.LogCaptureFixture) -> None:
        def handler(*_: object) -> Answer:
            raise KeyError("secret")

        assert self.ask(context, handler)[0]["error"] == OUR_FAULT
        assert "secret" in caplog.text

    @pytest.mark.parametrize(
        ("request_", "sentence"),
        [
            ({"model": "nobody", "tag": "guitar", "window": 0}, "not been tagged by 'nobody'"),
            ({"model": "msecnn", "tag": "kazoo", "window": 0}, "knows no tag 'kazoo'"),
            ({"model": "msecnn", "tag": "guitar", "window": 5}, "windows 0 to 1, not 5"),
            ({"model": "msecnn", "tag": "guitar", "window": -1}, "windows 0 to 1, not -1"),
            ({"model": "msecnn", "tag": "guitar", "window": "0; rm"}, "by its number"),
            ({}, "tagged by"),
        ],
    )
    def test_nonsense_gets_a_sentence(
        self, context: AppContext, session: Session, request_: dict, sentence: str
    ) -> None:
        assert sentence in self.ask(context, why.explain, session, **request_)[0]["error"]


class TestWhy:
    def test_the_waterfall_adds_up_to_the_logit_of_its_window(self, context: AppContext, session: Session) -> None:
        for model in session.predictions:
            for window in (0, 1):
                explanation = requested_explanation(
                    context, session, {"model": model, "tag": "piano", "window": window}
                )
                steps = why.waterfall(explanation)
                assert steps["base"] + sum(steps["relative"]) == pytest.approx(steps["logit"], abs=1e-3)
                k = explanation.tag_index
                assert steps["probability"] == pytest.approx(
                    explanation.prediction.window_probabilities[window, k], abs=1e-4
                )

    def test_marks_lie_in_their_window_and_sum_their_channels(self, context: AppContext, session: Session) -> None:
        explanation = requested_explanation(context, session, {"model": "msecnn", "tag": "piano", "window": 1})
        answer = why.explain(context, session, {"model": "msecnn", "tag": "piano", "window": 1}).payload
        start_s, window_s = explanation.start_s, explanation.checkpoint.mel_config.window_s
        for mark in answer["marks"]:
            assert start_s - 1e-3 <= mark["start_s"] < mark["end_s"] <= start_s + window_s + 1e-3
        level5 = [mark for mark in answer["marks"] if mark["scale"] == "level5"]  # one cell wins for all its channels
        assert len(level5) == 1
        assert level5[0]["relative"] == pytest.approx(answer["relative"][answer["scales"].index("level5")], abs=1e-3)

    def test_maps_come_as_pictures_of_the_same_signs(self, context: AppContext, session: Session) -> None:
        request = {"model": "fcn5", "tag": "piano", "window": 0, "method": "gradient", "token": "t"}
        *_, answer = why.show_maps(context, session, request)
        (shown,) = answer.payload["maps"]
        explanation = requested_explanation(context, session, request)
        found = saliency(explanation.tagger.model, explanation.mel, explanation.tag_index).maps[0]
        pooled = pictures.pool_signed(found, why.FRAMES_A_COLUMN)[::-1]
        drawn = decode(shown["picture"]).astype(int) - 128
        clear = np.abs(pooled) > shown["limit"] / 100
        assert (np.sign(drawn[clear]) == np.sign(pooled[clear])).all()

    def test_each_method_comes_with_what_was_measured_of_it(
        self, context: AppContext, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = {"model": "fcn5", "tag": "piano", "window": 0}
        beats = {"all": {"random": True, "loudness": False}}
        found = {method: Verdict(method, 100, "test", beats=beats) for method in METHODS}
        monkeypatch.setattr(why, "verdicts", lambda checkpoint: found)
        told = why.explain(context, session, asked).payload["measured"]
        assert set(told) == set(METHODS)
        assert told["occlusion"]["faithful"] is False
        assert "did not find the cells that matter better than loudness order" in told["occlusion"]["sentence"]

    def test_an_unknown_method_is_refused(self, context: AppContext, session: Session) -> None:
        with pytest.raises(ExplanationError, match="Method can be gradient"):
            list(why.show_maps(context, session, {"model": "fcn5", "tag": "piano", "window": 0, "method": "magic"}))


class TestJobs:
    def test_the_result_is_there_after_the_progress(self) -> None:
        job: background.BackgroundTask[int] = background.BackgroundTask("a", lambda progress, cancelled: 42)
        assert list(job) == []
        assert job.result == 42

    def test_a_job_that_is_stopped_ends(self, context: AppContext) -> None:
        started = threading.Event()

        def work(progress: object, cancelled: object) -> None:
            started.set()
            while not cancelled():  # type: ignore[operator]
                pass
            raise Cancelled("The explanation was stopped.")

        job: background.BackgroundTask[None] = background.BackgroundTask("mine", work)
        stopper = threading.Thread(target=lambda: started.wait() and background.stop(context, None, {"token": "mine"}))
        stopper.start()
        with pytest.raises(Cancelled):
            list(job)
        stopper.join()

    def test_nobody_stops_what_he_does_not_know(self, context: AppContext) -> None:
        assert background.stop(context, None, {"token": "guess"}).payload == {"stopped": False}

    def test_who_names_no_task_stops_none(self, context: AppContext) -> None:
        with pytest.raises(SessionError, match="token"):
            background.stop(context, None, {})
        background.stop(context, None, {"token": "None"})
        job = background.BackgroundTask(background.token_of({}), lambda progress, cancelled: cancelled())
        list(job)
        assert not job.result

    def test_a_visitor_who_leaves_stops_his_job(self) -> None:
        ended = threading.Event()

        def work(progress: object, cancelled: object) -> None:
            progress(0.1)  # type: ignore[operator]
            while not cancelled():  # type: ignore[operator]
                pass
            ended.set()

        job = background.BackgroundTask("left", work)
        job._reports.put(0.1)
        iterator = iter(job)
        next(iterator)
        iterator.close()  # type: ignore[attr-defined]
        assert ended.wait(10)


class TestListening:
    def test_evidence_and_the_rest_are_the_window(self, context: AppContext, session: Session) -> None:
        """In silence, masks that add up to one give sounds that add up to the window, before loudness is matched."""
        explanation = requested_explanation(context, session, {"model": "msecnn", "tag": "piano", "window": 0})
        np.testing.assert_array_equal(part_mask(explanation, "evidence") + part_mask(explanation, "rest"), 1)
        assert len(explanation.sound("evidence")) == 349_440
        assert explanation.mel_config.sample_rate == 12_000

    def test_a_network_of_one_scale_can_be_heard(self, context: AppContext, session: Session) -> None:
        explanation = requested_explanation(context, session, {"model": "fcn5", "tag": "piano", "window": 0})
        mask = part_mask(explanation, "evidence")
        assert 0 < mask.mean() <= TOP_SHARE + 1e-3

    def test_nonsense(self, context: AppContext, session: Session) -> None:
        explanation = requested_explanation(context, session, {"model": "fcn5", "tag": "piano", "window": 0})
        with pytest.raises(ExplanationError, match="not to 'colour'"):
            explanation.sound("colour")


@pytest.mark.slow
def test_the_zip_holds_what_the_page_showed(
    context: AppContext, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faithfulness_check, "N_STEPS", 2)
    request = {"model": "msecnn", "tag": "piano", "window": 1, "method": "gradient", "checked": True}
    *progress, last = export.export(context, session, request)
    assert all(0 < answer.payload["progress"] <= 1 for answer in progress)
    with zipfile.ZipFile(last.payload["file"]["path"]) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        (answer,) = json.loads(archive.read("tags.json"))
        told = json.loads(archive.read("explanation.json"))
        rows = archive.read("tags.csv").decode().splitlines()
        for name in names:
            if name.endswith(".png"):
                Image.open(io.BytesIO(archive.read(name))).verify()
            elif name.endswith(".svg"):
                assert b"</svg>" in archive.read(name)
    for model, prediction in session.predictions.items():
        np.testing.assert_allclose(list(answer["models"][model]["tags"].values()), prediction.probabilities, atol=1e-6)
    assert len(rows) == 3  # a header and a row for each model
    total = told["base_value"] + sum(scale["relative"] for scale in told["scales"])
    assert total == pytest.approx(told["logit"], abs=1e-4)
    figures = ("tags", "timeline-fcn5", "timeline-msecnn", "contributions", "spectrogram", "saliency", "check")
    assert {f"figures/{name}.{kind}" for name in figures for kind in ("png", "svg")} <= set(names)
    explanation = requested_explanation(context, session, request)
    sounds = [f"sounds/{name.replace(':', '-')}.wav" for name in sound_names(explanation)]
    assert [name for name in names if name.endswith(".wav")] == sounds
    assert len(sounds) >= 1 + 2 + 6  # the window, the evidence and the rest, each scale


def test_on_zerogpu_what_runs_a_network_asks_for_the_gpu(context: AppContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its package installed, every request that runs a network goes through its decorator."""
    asked: list[str] = []

    def decorator(duration: int) -> Callable[[object], object]:
        def decorate(function: object) -> object:
            asked.append(getattr(function, "__qualname__", ""))
            return function

        return decorate

    monkeypatch.setattr(zero_gpu, "GPU", decorator)
    page.build(context)
    run_networks = {"open", "second", "why", "maps", "network", "channels", "channel", "sanity", "sonify", "check"}
    run_networks |= {"export", "worksheet", "winning-cells", "what-if", "what-if-curve", "what-if-cut", "feature-path"}
    assert len(asked) == len(run_networks | {"/tag", "/explain", "/what_if"})


def test_two_checkpoints_of_one_name_are_told_apart() -> None:
    assert _unused("mine", {"mine": 0, "mine-2": 0}) == "mine-3"
    assert _unused("mine", {}) == "mine"


@pytest.fixture(scope="module")
def address(context: AppContext) -> Iterator[str]:
    blocks = page.build(context)
    _, address, _ = blocks.queue(api_open=False).launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **page.launch_options(context)
    )
    yield address
    blocks.close()


class TestEndpoints:
    def test_programs_get_the_page_s_answers(self, address: str, session: Session, recording: Path) -> None:
        from gradio_client import Client, handle_file

        client = Client(address, verbose=False)
        models = client.predict(api_name="/models")
        assert [model["name"] for model in models][:2] == list(session.predictions)
        answer = client.predict(handle_file(recording), list(session.predictions), api_name="/tag")
        for model, prediction in session.predictions.items():
            got = list(answer["models"][model]["tags"].values())
            np.testing.assert_allclose(got, prediction.probabilities, atol=1e-5)
        why = client.predict(handle_file(recording), "piano", "msecnn", 1, api_name="/explain")
        assert why["base_value"] + sum(scale["relative"] for scale in why["scales"]) == pytest.approx(
            why["logit"], abs=1e-4
        )

    def test_a_file_of_the_server_is_out_of_reach(self, address: str) -> None:
        import httpx

        file = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
        data = {"data": [file, ["msecnn"]], "session_hash": "s", "fn_index": None}
        started = httpx.post(f"{address}gradio_api/call/tag", json=data).json()
        heard = httpx.get(f"{address}gradio_api/call/tag/{started['event_id']}").text
        assert "event: error" in heard
        assert httpx.get(f"{address}gradio_api/file=/etc/hostname").status_code == 403

    def test_what_is_no_recording_gets_its_sentence(self, address: str, tmp_path: Path) -> None:
        from gradio_client import Client, handle_file

        text = tmp_path / "notes.mp3"
        text.write_text("la la la")
        with pytest.raises(Exception, match=r"notes\.mp3.* not a recording"):
            Client(address, verbose=False).predict(handle_file(text), ["msecnn"], api_name="/tag")
