"""The quiz's key is computed from the networks, and what its answers say is told of made-up answers that are known."""

import csv
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from msecnn import audio
from msecnn.cli import main
from msecnn.explain import Explanation, explain
from msecnn.explain.contributions import ablate
from msecnn.explain.winning_cells import receptive_ends
from msecnn.models.structure import POOLS
from msecnn.tagger import Tagger
from msecnn.teaching.quiz import COLUMNS, FORMS, LANGUAGES, LETTERS, N_QUESTIONS, form_page, questions
from msecnn.teaching.quiz_analysis import bootstrap_interval, compare, sign_flip_p
from msecnn.teaching.quiz_answers import FilledIn, QuizError, read_answers

ROOT = Path(__file__).resolve().parents[1]
BY_ID = {question.id: question for question in questions()}


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.from_checkpoint("msecnn", runtime="torch")


@pytest.fixture(scope="module")
def explanation(tagger: Tagger) -> Explanation:
    prediction = tagger.tag(ROOT / "assets/examples/plucked.mp3", keep_mel=True)
    return explain(tagger, prediction, "guitar", 0, method="gradient", baseline="clip_mean")


# ---- what is asked
def test_both_forms_ask_about_the_same_topics_in_both_languages() -> None:
    forms = {form: [question for question in questions() if question.form == form] for form in FORMS}
    assert [len(asked) for asked in forms.values()] == [N_QUESTIONS, N_QUESTIONS]
    assert [question.topic for question in forms["a"]] == [question.topic for question in forms["b"]]
    assert len({question.topic for question in forms["a"]}) == N_QUESTIONS
    for question in questions():
        assert set(question.texts) == set(LANGUAGES)
        for text, choices in question.texts.values():
            assert text.strip()
            assert len(set(choices)) == len(LETTERS)
        assert 0 <= question.right < len(LETTERS)
    for asked in forms.values():  # nobody gains by always choosing one letter
        assert max(np.bincount([question.right for question in asked])) <= 5


# ---- the key
def in_english(condition: bool, right: str) -> str:
    """The choice that holds if a fact does; none if it does not."""
    return right if condition else "the fact does not hold"


def above(sounds: dict[str, float]) -> str:
    """Of tones by their choice, the one of which nothing is left at the networks' sample rate."""
    seconds = np.arange(44_100) / 44_100
    peaks = {
        choice: np.abs(
            audio.read_recording(
                np.sin(2 * np.pi * hz * seconds).astype(np.float32), source_sample_rate=44_100, sample_rate=12_000
            ).waveform[3000:-3000]
        ).max()
        for choice, hz in sounds.items()
    }
    (gone,) = [choice for choice, peak in peaks.items() if peak < 1e-4]
    return gone


def features_of(tagger: Tagger, *starts: int) -> dict[str, np.ndarray]:
    """Of a quiet window in which the same loud moment begins at these frames."""
    mel = np.full((96, 1366), -60.0, np.float32)
    moment = np.random.default_rng(0).uniform(-20, 0, (12, 8))
    for start in starts:
        mel[40:52, start : start + 8] = moment
    with torch.no_grad():
        features = tagger.model.features(torch.from_numpy(mel)[None, None])
    return {scale: values.numpy() for scale, values in features.items()}


def areas(text: str) -> tuple[float, float, float]:
    by_map, loudest, at_random = map(float, re.findall(r"0\.\d+", text))
    return by_map, loudest, at_random


def verdict(by_map: float, loudest: float, at_random: float) -> str:
    """More is better."""
    if by_map > max(loudest, at_random):
        return "better than both other orders"
    return "better than random, worse than the loudest first" if by_map > at_random else "worse than random"


def test_the_key_of_what_the_front_end_decides(tagger: Tagger) -> None:
    config = tagger.checkpoint.mel_config
    assert BY_ID["bandwidth-a"].right_choice == above(
        {"a tone of 200 Hz": 200, "a tone of 3 kHz": 3000, "a tone of 8 kHz": 8000}
    )
    assert BY_ID["bandwidth-b"].right_choice == in_english(config.f_max == config.sample_rate / 2 == 6000, "nothing")
    assert BY_ID["columns-a"].right_choice == f"{config.sample_rate / config.hop_length:.0f}"
    assert BY_ID["columns-b"].right_choice == f"{1000 * config.hop_length / config.sample_rate:.0f} ms"


def test_the_key_of_what_the_architecture_decides(tagger: Tagger) -> None:
    model = tagger.model
    assert BY_ID["pooling-a"].right_choice == str(math.prod(time for _, time in POOLS[:2]))
    assert BY_ID["pooling-b"].right_choice == str(math.prod(bands for bands, _ in POOLS[:3]))
    assert BY_ID["features-a"].right_choice == str(model.classifier.in_features)
    assert BY_ID["features-b"].right_choice == str(Tagger.from_checkpoint("fcn5").model.classifier.in_features)
    once, twice, later = features_of(tagger, 200), features_of(tagger, 200, 800), features_of(tagger, 800)
    same = np.array_equal(once["level1"], twice["level1"]) and not np.array_equal(
        once["level1"], features_of(tagger)["level1"]
    )
    assert BY_ID["maximum-a"].right_choice == in_english(same, "the same")
    assert BY_ID["maximum-b"].right_choice == in_english(np.array_equal(once["input"], later["input"]), "the same")
    last_second = 1366 - tagger.checkpoint.mel_config.sample_rate / tagger.checkpoint.mel_config.hop_length
    sees = {scale: end > last_second for scale, end in receptive_ends(model).items()}
    titles = {"Input": "input"} | {f"Level {n}": f"level{n}" for n in range(1, 6)}
    for name, wanted in (("tail-a", False), ("tail-b", True)):
        (right,) = [choice for choice in BY_ID[name].texts["en"][1] if sees.get(titles.get(choice, "")) is wanted]
        assert BY_ID[name].right_choice == right


def test_the_key_of_what_is_exact(explanation: Explanation) -> None:
    split, k = explanation.contributions, explanation.tag_index
    terms, base, logit = split.relative[0, :, k], split.base_value[k], split.logits[0, k]
    adds_up = terms.sum() == pytest.approx(logit - base, abs=1e-4)
    assert BY_ID["sum-a"].right_choice == in_english(
        adds_up and len(terms) == 6, "as the sum of one term for each scale, and a bias"
    )
    assert BY_ID["sum-b"].right_choice == in_english(
        adds_up, "the difference between this clip's logit and the average clip's"
    )
    kept = np.array([True, True, False, True, True, True])
    probability = ablate(split, kept)[0, k]
    alone = 1 / (1 + np.exp(-(base + terms[kept].sum())))
    assert BY_ID["switches-a"].right_choice == in_english(
        bool(np.isclose(probability, alone, atol=1e-6)), "they stay what they were"
    )
    nothing = ablate(split, np.zeros(6, bool))[0, k]
    assert BY_ID["switches-b"].right_choice == in_english(
        bool(np.isclose(nothing, 1 / (1 + np.exp(-base)), atol=1e-6)), "that of the average clip"
    )
    maps = explanation.maps
    assert BY_ID["estimate-a"].right_choice == in_english(
        abs(maps.maps.sum() - (logit - base)) > 0.1, "the gradient's map as a picture of what matters"
    )
    assert BY_ID["estimate-b"].right_choice == str(np.count_nonzero(maps.maps[maps.scales.index("input")]))
    assert f"{maps.maps[0].size:,}" in BY_ID["estimate-b"].texts["en"][0]


def test_the_key_of_what_the_bundled_weights_decide(tagger: Tagger) -> None:
    card = tagger.checkpoint.card
    share = card["variance_share_per_scale"]
    titles = {"input": "Input"} | {f"level{n}": f"Level {n}" for n in range(1, 6)}
    assert BY_ID["scale-a"].right_choice == titles[max(share, key=share.get)]
    assert BY_ID["scale-b"].right_choice == titles[min(share, key=share.get)]
    fits = len(card["teachers"]) == 3 and "not on MagnaTagATune itself" in card["trained_on"]
    assert BY_ID["learned-a"].right_choice == in_english(
        fits, "from what three other networks say of freely licensed music"
    )
    assert BY_ID["learned-b"].right_choice == in_english(fits, "the mean of three teacher networks")
    lower, higher = areas(BY_ID["check-a"].texts["en"][0]), areas(BY_ID["check-b"].texts["en"][0])
    assert BY_ID["check-a"].right_choice == verdict(*(1 - area for area in lower))  # less is better there
    assert BY_ID["check-b"].right_choice == verdict(*higher)
    for name in ("check-a", "check-b"):
        english, german = (re.findall(r"0[.,]\d+", BY_ID[name].texts[language][0]) for language in LANGUAGES)
        assert [number.replace(",", ".") for number in german] == english


# ---- its pages
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_asks_all_and_asks_no_host(form: str, language: str) -> None:
    page = form_page(form, language)
    assert page.count('<input type="radio" name="q') == N_QUESTIONS * len(LETTERS)
    assert "http" not in page
    assert f'<html lang="{language}">' in page


# ---- its answers
def filled(participant: str, occasion: str, form: str, score: int) -> FilledIn:
    """With the first so many answers right."""
    key = [question.letter for question in questions() if question.form == form]
    wrong = [LETTERS[(LETTERS.index(letter) + 1) % 4] for letter in key]
    return FilledIn(participant, occasion, form, (*key[:score], *wrong[score:]))


def csv_of(*rows: FilledIn, delimiter: str = ",") -> str:
    lines = [COLUMNS, *((row.participant, row.occasion, row.form, *row.answers) for row in rows)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


MADE_UP = [
    filled(f"P{i:02}", occasion, "ab"[(i + (occasion == "after")) % 2], 4 + i % 3 + (3 if occasion == "after" else 0))
    for i in range(12)
    for occasion in ("before", "after")
]


def test_made_up_answers_come_out_as_they_were_made(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "class.csv").write_text("\ufeff" + csv_of(*MADE_UP, delimiter=";"), "utf-8")  # as a spreadsheet saves
    (tmp_path / "late.csv").write_text(csv_of(filled("LONELY", "before", "a", 12)))
    assert main(["study", "analyse", str(tmp_path), "--out", str(tmp_path / "scores.csv")]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[:5] == [
        "12 participants took both quizzes, 1 only one, who are left out.",
        "Before: mean 5.00 of 12 right. After: 8.00.",
        "Difference: +3.00 (95 % interval +3.00 to +3.00; sign-flip test p = 0.000488).",
        "  form A first: +3.00 (n = 6)",
        "  form B first: +3.00 (n = 6)",
    ]
    assert "not why" in told
    rows = list(csv.DictReader(io.StringIO((tmp_path / "scores.csv").read_text("utf-8-sig"))))
    assert [row["difference"] for row in rows] == ["3"] * 12
    document = (ROOT / "docs/study.md").read_text(encoding="utf-8")
    assert "".join(f"{line}\n" for line in told.splitlines()[:5]) in document


def test_topics_are_told_by_topic_not_by_number() -> None:
    result = compare(MADE_UP)
    assert result is not None
    by_topic = {topic: (before, after) for topic, before, after in result.topics()}
    first, last = questions()[0].topic, questions()[N_QUESTIONS - 1].topic
    assert by_topic[first] == (1, 1)
    assert by_topic[last] == (0, 0)


def test_the_sign_flip_test_is_exact_and_close_to_its_estimate() -> None:
    assert sign_flip_p(np.array([1.0, 1, 1, 1])) == 2 / 16
    assert sign_flip_p(np.array([1.0, -1])) == 1
    many = np.random.default_rng(3).normal(0.4, 1, 13)
    more = np.concatenate([many, [0.0]])  # a difference of 0 changes no sum
    assert sign_flip_p(more) == pytest.approx(sign_flip_p(many), abs=0.02)  # 10,000 draws: standard error 0.005
    low, high = bootstrap_interval(many)
    assert low < many.mean() < high


def test_few_participants_get_no_interval() -> None:
    result = compare(MADE_UP[:8])
    assert result is not None
    assert result.interval is result.p is None
    assert "no interval, no test" in result.text()
    assert compare(MADE_UP[:1]) is None


BROKEN: dict[str, tuple[str, str]] = {
    "no columns": ("participant,occasion\nA,before\n", "no column form"),
    "not UTF-8": ("\udcff", "no text in UTF-8"),
    "another form": (csv_of(filled("A", "before", "a", 3)).replace("before,a,", "before,z,"), "The form is a or b"),
    "another occasion": (csv_of(filled("A", "before", "a", 3)).replace("before", "during"), "The occasion is before"),
    "no code": (csv_of(filled(" ", "before", "a", 3)), "no code"),
    "two letters": (csv_of(filled("A", "before", "a", 3)).replace(",a,", ",a,ab", 1), "The answer q1"),
    "the same twice": (csv_of(*[filled("A", "before", "a", 3)] * 2), "the same once more"),
    "another twice": (csv_of(*(filled("A", "before", "a", n) for n in (3, 4))), "another quiz of the same person"),
    "open quotes": (csv_of(filled("A", "before", "a", 3)) + '"', "no table"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_answer_gets_a_sentence(tmp_path: Path, kind: str) -> None:
    content, told = BROKEN[kind]
    (tmp_path / "x.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    (tmp_path / "y.csv").write_text(csv_of(filled("B", "before", "b", 2)))
    read, problems = read_answers([tmp_path])
    assert len(problems) == 1
    assert told in problems[0]
    assert problems[0].endswith(".")
    assert [quiz.participant for quiz in read if quiz.participant == "B"] == ["B"]


def test_without_pairs_or_files_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(QuizError, match="does not exist"):
        read_answers([tmp_path / "none"])
    (tmp_path / "y.csv").write_text(csv_of(filled("B", "before", "b", 2)))
    assert main(["study", "analyse", str(tmp_path)]) == 1
    assert "Nobody took both quizzes" in capsys.readouterr().err


def test_the_quiz_is_in_the_document_as_it_is_in_the_file() -> None:
    """So that a lecturer can read it there; `questions` of which the document tells are those that are asked."""
    document = (ROOT / "docs/study.md").read_text(encoding="utf-8")
    for question in questions():
        assert question.texts["en"][0] in document, question.id
    assert json.loads((ROOT / "assets/study/quiz.json").read_text("utf-8"))["questions"]
