"""`explain`: one answer and one sound for command line, zip and programs; nothing computed that nobody asks for."""

import argparse
import io
import json
import re
import subprocess
import sys
import wave
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_files import encode, music
from toy_networks import tone_burst

from msecnn.audio import write_wav
from msecnn.cli import explain as command
from msecnn.cli import main
from msecnn.errors import MsecnnError
from msecnn.explain import (
    DEFAULT_BASELINE,
    DEFAULT_METHOD,
    METHODS,
    TOP_SHARE,
    Cancelled,
    Explanation,
    ExplanationError,
    explain,
)
from msecnn.explain import explanation as module
from msecnn.explain.sonification import NothingToHear, sound_names
from msecnn.frontend import MelConfig
from msecnn.plots.explanation_files import explanation_files, n_explanation_files
from msecnn.tagger import Tagger, TagPrediction
from msecnn.ui import api, export, room, sonification, upload
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.session import Session

ROOT = Path(__file__).resolve().parents[1]
QUESTION = {"model": "msecnn", "tag": "piano", "window": 1}
#: Seconds that a cell may see at most to be somewhere in particular.
BROAD_S = 3.0


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds: two windows."""
    path = tmp_path_factory.mktemp("recordings") / "tune.flac"
    path.write_bytes(encode(music(40.0, 16_000, 1), 16_000, "flac"))
    return path


@pytest.fixture(scope="module")
def context() -> AppContext:
    return replace(AppContext.load(max_minutes=2), examples={})


@pytest.fixture(scope="module")
def session(context: AppContext, recording: Path) -> Session:
    return upload.open_file(context, recording, recording.name, ["msecnn"])[0]


@pytest.fixture
def explanation(context: AppContext, session: Session) -> Explanation:
    return requested_explanation(context, session, QUESTION)


def prediction(session: Session) -> TagPrediction:
    return session.predictions["msecnn"]


def without_name(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "file"}


def samples(content: bytes) -> bytes:
    with wave.open(io.BytesIO(content)) as sound:
        return sound.readframes(sound.getnframes())


@pytest.fixture(scope="module")
def folder(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the command line writes."""
    out = tmp_path_factory.mktemp("folder")
    assert main(["explain", str(recording), "--tag", "piano", "--window", "1", "--out", str(out)]) == 0
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def zipped(context: AppContext, session: Session) -> dict[str, bytes]:
    """What the page gives away."""
    *_, last = export.export(context, session, QUESTION)
    with zipfile.ZipFile(last.payload["file"]["path"]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class TestOneAnswer:
    def test_command_line_zip_and_programs_say_the_same(
        self, folder: dict[str, bytes], zipped: dict[str, bytes], context: AppContext, recording: Path
    ) -> None:
        answers = [json.loads(files["explanation.json"]) for files in (folder, zipped)]
        answers.append(api.explain_endpoint(context)(str(recording), "piano", "msecnn", 1, True))
        assert answers[0]["schema"] == 2
        assert answers[0]["saliency"]["method"] == DEFAULT_METHOD
        assert [Path(answer["file"]).name for answer in answers] == 3 * [recording.name]
        first, *others = map(without_name, answers)
        assert all(other == first for other in others)

    def test_folder_and_zip_sound_the_same_and_so_does_the_page(
        self, folder: dict[str, bytes], zipped: dict[str, bytes], context: AppContext, session: Session
    ) -> None:
        sounds = {name: content for name, content in folder.items() if name.endswith(".wav")}
        assert sounds == {name: content for name, content in zipped.items() if name.endswith(".wav")}
        for part in ("evidence", "rest", "scale:level2"):
            answer = sonification.sonify(context, session, {**QUESTION, "what": part}).payload
            played = Path(answer["sound"]["path"]).read_bytes()
            assert samples(played) == samples(sounds[f"sounds/{part.replace(':', '-')}.wav"])

    def test_the_zip_holds_all_that_the_folder_holds(self, folder: dict[str, bytes], zipped: dict[str, bytes]) -> None:
        assert set(folder) <= set(zipped)
        with (
            np.load(io.BytesIO(folder["saliency.npz"])) as written,
            np.load(io.BytesIO(zipped["saliency.npz"])) as kept,
        ):
            assert all(np.array_equal(written[name], kept[name]) for name in written.files)

    def test_every_file_is_counted_for_the_progress(self, explanation: Explanation) -> None:
        assert len(list(explanation_files(explanation))) == n_explanation_files(explanation)


class TestLaziness:
    @pytest.fixture(autouse=True)
    def nothing_else_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from msecnn.explain import saliency

        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("computed before anybody asked for it")

        monkeypatch.setattr(saliency, "saliency", refuse)

    def test_contributions_and_evidence_need_no_map(self, explanation: Explanation) -> None:
        total = explanation.contributions.base_value + explanation.contributions.relative[0].sum(0)
        assert total[explanation.tag_index] == pytest.approx(explanation.logit, abs=1e-3)
        assert len(explanation.evidence.cells) == 513
        with pytest.raises(AssertionError, match="before anybody"):
            explanation.to_json()

    def test_contributions_need_no_winning_cell(
        self, explanation: Explanation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "evidence", None)
        assert explanation.contributions.terms.shape[:2] == (1, 6)


def test_each_part_is_computed_once(explanation: Explanation) -> None:
    assert explanation.maps is explanation.maps
    assert explanation.complete_maps is explanation.complete_maps
    assert explanation.events is explanation.events
    assert explanation.evidence is explanation.evidence
    assert explanation.waveform is explanation.waveform


def test_a_room_is_told_the_page_s_own_figures(context: AppContext, session: Session, explanation: Explanation) -> None:
    """The terms add up to the logit; the seconds are where the winning cells are that are somewhere."""
    (told,) = room.say_of_question(context, session, QUESTION).payload["networks"]
    split = explanation.contributions
    base = float(split.base_value[explanation.tag_index])
    assert (told["title"], told["scales"]) == ("MsE-CNN", list(split.scales))
    assert base + sum(told["terms"]) == pytest.approx(float(explanation.logit), abs=1e-3)
    assert told["span_s"] == pytest.approx([explanation.start_s, 40.0], abs=0.01)
    assert sum(told["seconds"]) == pytest.approx(1, abs=1e-3)
    begin, end = told["span_s"]
    found = [cell for cell in explanation.evidence.cells if cell.relative > 0 and cell.end_s - cell.start_s <= BROAD_S]
    middles = [(cell.start_s + cell.end_s) / 2 for cell in found]
    expected, _ = np.histogram(middles, len(told["seconds"]), (begin, end), weights=[cell.relative for cell in found])
    assert told["seconds"] == pytest.approx(expected / expected.sum(), abs=1e-3)
    assert room.say_of_question(context, session, {**QUESTION, "tag": "no such tag"}).payload == {"networks": []}


def test_a_sound_does_not_change_with_the_method(context: AppContext, session: Session) -> None:
    """The page asks for sounds by their part alone, so the map that cuts one must not depend on what is drawn."""
    question = {**QUESTION, "window": 0}
    drawn = requested_explanation(context, session, {**question, "method": "grad_cam", "baseline": "floor"})
    np.testing.assert_array_equal(
        drawn.sound("scale:level5"), requested_explanation(context, session, question).sound("scale:level5")
    )


def test_defaults_are_the_same_everywhere(context: AppContext, session: Session, explanation: Explanation) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = parser.parse_args(["file"])
    library = explain(context.taggers["msecnn"], prediction(session))
    chosen = {(given.method, given.baseline) for given in (arguments, library, explanation)}
    assert chosen == {(DEFAULT_METHOD, DEFAULT_BASELINE)}
    assert arguments.top == 100 * TOP_SHARE
    assert arguments.equal_loudness is True
    scripts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "msecnn/ui/static").glob("*.js"))
    literals = re.findall(r'method: "(\w+)", baseline: "(\w+)"', scripts)
    assert set(literals) <= {(DEFAULT_METHOD, DEFAULT_BASELINE)}  # a script may also read them from the answer


def test_the_likeliest_tag_and_its_window_are_explained_by_default(context: AppContext, session: Session) -> None:
    said = prediction(session)
    default = explain(context.taggers["msecnn"], said)
    assert default.tag == said.top(1)[0][0]
    assert default.probability == said.window_probabilities[:, default.tag_index].max()


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"tag": "kazoo"}, "knows no tag 'kazoo'"),
        ({"window": 2}, "windows 0 to 1, not 2"),
        ({"window": -1}, "windows 0 to 1, not -1"),
        ({"method": "magic"}, "Method can be gradient"),
        ({"baseline": "pink"}, "Baseline can be floor"),
    ],
)
def test_what_there_is_not_gets_a_sentence_at_once(
    context: AppContext, session: Session, choices: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ExplanationError, match=sentence):
        explain(context.taggers["msecnn"], prediction(session), **choices)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"window": "1"},
        {"window": True},
        {"window": 1.0},
        {"tag": ["piano"]},
        {"method": {"name": "gradient"}},
        {"baseline": 0},
        {"model": None},
    ],
)
def test_wrong_types_in_a_request_get_a_sentence(context: AppContext, session: Session, nonsense: dict) -> None:
    with pytest.raises(MsecnnError, match=r"Name a window|knows no tag|can be|not been tagged"):
        requested_explanation(context, session, {**QUESTION, **nonsense})


@pytest.mark.parametrize(
    "part", ["colour", "scale:level9", "scale:", "event:0", "event:99999", "event:" + 5000 * "9", ""]
)
def test_a_part_that_there_is_not_gets_a_sentence(explanation: Explanation, part: str) -> None:
    with pytest.raises(ExplanationError, match="One can listen to"):
        explanation.sound(part)


def test_without_its_recording_an_explanation_has_no_sound(context: AppContext, session: Session) -> None:
    with pytest.raises(ExplanationError, match="with its recording"):
        explain(context.taggers["msecnn"], prediction(session)).sound("window")


def test_without_its_spectrograms_a_prediction_cannot_be_explained(context: AppContext, session: Session) -> None:
    with pytest.raises(ExplanationError, match="keep_mel"):
        explain(context.taggers["msecnn"], replace(prediction(session), mel=None))


def test_where_nothing_speaks_for_the_tag_a_file_is_silent_and_the_others_are_written(tmp_path: Path) -> None:
    config, path = MelConfig(), tmp_path / "burst.wav"
    write_wav(path, tone_burst(12, 12.3, 1000, config), config.sample_rate)
    tagger = Tagger.from_checkpoint("msecnn")
    said = tagger.tag(path)
    against = next(
        explanation
        for explanation in (explain(tagger, said, tag, recording=path) for tag in said.tags)
        if explanation.evidence.cells and not any(e.scale == "input" for e in explanation.events)
    )
    with pytest.raises(NothingToHear):
        against.sound("scale:input")
    files = dict(explanation_files(against))
    assert not any(samples(files["sounds/scale-input.wav"]))
    assert any(samples(files["sounds/window.wav"]))
    assert {f"sounds/{name.replace(':', '-')}.wav" for name in sound_names(against)} <= set(files)


@pytest.mark.parametrize("method", METHODS)
def test_progress_and_cancelling_reach_the_maps(explanation: Explanation, method: str) -> None:
    shares: list[float] = []
    quick = replace(explanation, method="gradient", progress=shares.append)
    assert quick.maps.method == "gradient"
    assert shares[-1] == 1
    with pytest.raises(Cancelled):
        _ = replace(explanation, method=method, cancelled=lambda: True).maps


def test_the_example_in_the_documentation_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/explanations.md").read_text("utf-8"), flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.endswith("\n2\n")


def test_importing_explanations_is_light() -> None:
    code = "import sys, msecnn.explain; print(*({'captum', 'torch', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""
    code = "import sys; from msecnn.explain import explain; print(*({'captum', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""
