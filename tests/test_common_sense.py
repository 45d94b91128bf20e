"""What anybody would hear: the bundled networks on the bundled examples, with generous bounds."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from msecnn.audio import read_recording
from msecnn.checkpoint import bundled
from msecnn.tagger import Tagger, TagPrediction, tag
from msecnn.training.device import has_bfloat16

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "assets" / "examples"
CORPUS = ROOT / ".." / "shared" / "corpus"
SAMPLE_RATE = 12_000
SUNG = ("vocal", "vocals", "singing", "voice", "female", "male")
WITH_VOICES = ("singing", "song", "pop")
#: A claim at this probability is one that a listener may hold the network to.
CONFIDENT = 0.6


@pytest.fixture(scope="module", params=bundled())
def tagger(request: pytest.FixtureRequest) -> Tagger:
    return Tagger.from_checkpoint(request.param)


@pytest.fixture(scope="module")
def predicted(tagger: Tagger) -> dict[str, TagPrediction]:
    """What the network says of each example."""
    return {path.stem: tagger.tag(path, keep_mel=False) for path in sorted(EXAMPLES.glob("*.mp3"))}


def probability(prediction: TagPrediction, *tags: str) -> float:
    """Of the likeliest of these tags."""
    return max(float(prediction.probabilities[prediction.tags.index(tag)]) for tag in tags)


def top(prediction: TagPrediction, n: int) -> set[str]:
    return {prediction.tags[index] for index in np.argsort(-prediction.probabilities)[:n]}


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("metal", {"metal", "rock"}),
        ("piano", {"piano"}),
        ("electronic", {"techno", "electronic", "dance"}),
        ("orchestral", {"classical", "strings", "violin"}),
        ("plucked", {"guitar", "harp", "harpsichord"}),
        ("percussion", {"drums", "beat"}),
        ("ambient", {"ambient", "quiet", "slow"}),
    ],
)
def test_an_example_is_tagged_as_what_it_is(
    predicted: dict[str, TagPrediction], example: str, expected: set[str]
) -> None:
    assert top(predicted[example], 3) & expected


def test_metal_is_not_classical(predicted: dict[str, TagPrediction]) -> None:
    metal = predicted["metal"]
    assert probability(metal, "metal", "rock", "guitar") > 3 * probability(metal, "classical")


def test_singing_raises_the_voice_tags_over_every_instrumental(predicted: dict[str, TagPrediction]) -> None:
    instrumentals = [
        probability(prediction, *SUNG) for name, prediction in predicted.items() if name not in WITH_VOICES
    ]
    for name in WITH_VOICES:
        assert probability(predicted[name], *SUNG) > 2 * float(np.median(instrumentals))
    assert probability(predicted["singing"], *SUNG) > max(instrumentals)


@pytest.mark.parametrize("level", [0.0, 0.001, 0.1])
def test_silence_and_noise_claim_nothing_with_confidence(tagger: Tagger, level: float) -> None:
    noise = np.random.default_rng(0).normal(size=29 * SAMPLE_RATE).astype(np.float32) * level
    assert tagger.tag((noise, SAMPLE_RATE)).probabilities.max() < CONFIDENT


def test_three_seconds_repeated_are_tagged_as_the_whole(tagger: Tagger, predicted: dict[str, TagPrediction]) -> None:
    shared = []
    for name, prediction in predicted.items():
        waveform = read_recording(EXAMPLES / f"{name}.mp3", sample_rate=SAMPLE_RATE).waveform
        for start_s in (3, 13, 23):
            excerpt = waveform[start_s * SAMPLE_RATE : (start_s + 3) * SAMPLE_RATE]
            shared.append(len(top(tagger.tag((excerpt, SAMPLE_RATE)), 5) & top(prediction, 5)))
    assert np.mean(np.array(shared) >= 3) > 0.8
    assert np.mean(shared) > 3


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here (../shared/corpus)")
@pytest.mark.parametrize(
    ("label", "expected"), [("harpsichord", {"harpsichord", "classical"}), ("female", set(SUNG)), ("piano", {"piano"})]
)
def test_known_music_is_known(tagger: Tagger, label: str, expected: set[str]) -> None:
    """Clips that nobody trained on and whose label is certain: most are tagged so among the first five."""
    with open(CORPUS / "clips.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    clips = [row["clip"] for row in rows if row["split"] == "test" and label in row["labels"].split(",")][:6]
    found = [bool(top(tagger.tag(CORPUS / "clips" / clip), 5) & expected) for clip in clips]
    assert np.mean(found) > 0.6


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here (../shared/corpus)")
@pytest.mark.skipif(not has_bfloat16(torch.device("cpu")), reason="this processor has no bfloat16 convolutions")
def test_bfloat16_gives_the_same_top_five(tagger: Tagger) -> None:
    with open(CORPUS / "clips.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    clips = [row["clip"] for row in rows if row["split"] == "test"][::4]
    fast = Tagger(tagger.checkpoint, dtype="bfloat16")
    both = [tag(CORPUS / "clips" / clip, [tagger, fast], keep_mel=False) for clip in clips]
    # of all 476 clips .95 or more; of 119 that has a standard error of .02
    assert np.mean([top(exact, 5) == top(rounded, 5) for exact, rounded in both]) >= 0.9
