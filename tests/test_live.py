"""Live tags: what `tag` says of the same seconds, whatever pieces they came in; memory that does not grow."""

import base64
import time
from pathlib import Path

import numpy as np
import pytest

from msecnn.audio import StreamResampler, read_recording
from msecnn.errors import MsecnnError
from msecnn.frontend import LogMelSpectrogram
from msecnn.live import STEP, LiveTagger
from msecnn.tagger import Tagger, tag
from msecnn.ui.server import live_streams
from msecnn.ui.server.live_streams import LiveStreams
from msecnn.ui.server.session import SessionError
from msecnn.ui.tabs.live import LONGEST_PIECE, decoded

RATE = 12_000
EXAMPLE = Path(__file__).resolve().parents[1] / "assets" / "examples" / "piano.mp3"


@pytest.fixture(scope="module")
def taggers() -> list[Tagger]:
    return [Tagger.from_checkpoint(name, device="cpu") for name in ("fcn5", "msecnn")]


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    """Forty seconds: a piano, and from its end again."""
    piano = read_recording(EXAMPLE, sample_rate=RATE).waveform
    return np.concatenate([piano, piano[::-1]])[: 40 * RATE]


def test_live_tags_are_those_of_a_recording_of_the_same_seconds(taggers: list[Tagger], music: np.ndarray) -> None:
    """Before the sound fills what is tagged, while it does, within a step, and after the beginning has moved on."""
    live, n_heard = LiveTagger(taggers), 0
    longest, step = live.longest, STEP * live.config.hop_length
    held = []
    for n_samples in (3_000, 9_001, 200_000, longest - 212_001, 1, 2_999, step, 3_000):
        live.add(music[n_heard : n_heard + n_samples])
        n_heard += n_samples
        answer = live.answer()
        begins = -(-max(0, n_heard - longest) // step) * step
        expected = tag((music[begins:n_heard], RATE), taggers)
        assert answer.tagged_s == pytest.approx((n_heard - begins) / RATE)
        for tags, prediction in zip(answer.models, expected, strict=True):
            np.testing.assert_allclose(tags.probabilities, prediction.probabilities, rtol=0, atol=1e-5)
        held.append(live.n_bytes)
    assert n_heard > longest + step
    assert max(held) - min(held) < 2 * 4 * longest  # the sound itself; the maps are of one window


def test_new_frames_are_those_of_the_whole_sound_each_told_once(taggers: list[Tagger], music: np.ndarray) -> None:
    live, told = LiveTagger(taggers[:1]), []
    for start in range(0, 36 * RATE, 6_000):
        live.add(music[start : start + 6_000])
        told.append(live.answer().mel)
    columns = np.concatenate(told, axis=1)
    import torch

    whole = LogMelSpectrogram(live.config)(torch.from_numpy(music[None, : 36 * RATE]))[0, 0].numpy()
    assert columns.shape[1] == whole.shape[1] - 1  # the last frame reaches beyond what was heard
    np.testing.assert_allclose(columns, whole[:, : columns.shape[1]], rtol=0, atol=1e-3)


def test_the_scales_of_the_leading_tag_add_up_to_its_logit(taggers: list[Tagger], music: np.ndarray) -> None:
    live = LiveTagger(taggers)
    live.add(music[: 5 * RATE])
    for tagger, tags in zip(taggers, live.answer().models, strict=True):
        k = tags.leading
        assert tags.probabilities[k] == tags.probabilities.max()
        mean = tagger.checkpoint.mean_features
        assert mean is not None
        weights = tagger.model.classifier.weight.detach().numpy()[k]
        average = np.concatenate([mean[scale] for scale in tags.scales])
        base = float(weights @ average + tagger.model.classifier.bias.detach().numpy()[k])
        logit = np.log(tags.probabilities[k] / (1 - tags.probabilities[k]))
        assert base + tags.relative.sum() == pytest.approx(logit, abs=1e-4)


def test_nothing_heard_yet_is_said(taggers: list[Tagger]) -> None:
    with pytest.raises(MsecnnError, match=r"Nothing was heard yet\."):
        LiveTagger(taggers).answer()


def test_a_stream_is_resampled_as_a_recording_is(music: np.ndarray) -> None:
    sound = read_recording(EXAMPLE, sample_rate=44_100, duration_s=4).waveform
    whole = read_recording(sound, sample_rate=RATE, source_sample_rate=44_100).waveform
    resampler = StreamResampler(44_100, RATE)
    pieces = np.concatenate([resampler.add(sound[start : start + 11_025]) for start in range(0, len(sound), 11_025)])
    assert len(whole) - len(pieces) < 0.06 * RATE  # what the resampler keeps for its filter
    np.testing.assert_allclose(pieces, whole[: len(pieces)], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(StreamResampler(RATE, RATE).add(music[:100]), music[:100])


class TestStreams:
    def test_a_piece_that_is_sent_twice_is_heard_once(self, taggers: list[Tagger], music: np.ndarray) -> None:
        stream = LiveStreams().stream("one", "a", RATE, taggers[:1])
        first = stream.hear(music[:3_000], 0)
        assert stream.hear(music[:3_000], 0) is first
        assert stream.hear(music[3_000:6_000], 1).heard_s == 0.5

    def test_a_session_has_one_and_a_new_name_begins_anew(self, taggers: list[Tagger]) -> None:
        streams = LiveStreams()
        first = streams.stream("one", "a", RATE, taggers[:1])
        assert streams.stream("one", "a", RATE, taggers[:1]) is first
        assert streams.stream("one", "b", RATE, taggers[:1]) is not first
        assert len(streams) == 1

    def test_they_end_with_the_page_but_not_while_sound_arrives(self, taggers: list[Tagger]) -> None:
        streams = LiveStreams()
        left = time.monotonic()
        streams.stream("one", "a", RATE, taggers[:1])
        streams.end("one", unused_since=left)  # the browser has lost one connection and opened the next
        assert len(streams) == 1
        streams.end("one", unused_since=time.monotonic() + 1)
        assert len(streams) == 0

    def test_they_are_few_and_idle_ones_go(self, taggers: list[Tagger], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_streams, "MOST", 1)
        streams = LiveStreams()
        stream = streams.stream("one", "a", RATE, taggers[:1])
        with pytest.raises(SessionError, match=r"listens to 1 microphones already"):
            streams.stream("two", "a", RATE, taggers[:1])
        stream.used -= live_streams.IDLE_S + 1
        assert streams.stream("two", "a", RATE, taggers[:1]) is not stream
        assert len(streams) == 1


def test_a_piece_is_16_bit_samples_and_nothing_else() -> None:
    samples = np.array([0, 16_384, -32_768], "<i2")
    np.testing.assert_array_equal(decoded(base64.b64encode(samples.tobytes()).decode()), [0, 0.5, -1])
    for nonsense in (
        "%%%",
        "QUJD",
        "A" * (4 * LONGEST_PIECE + 4),
        base64.b64encode(bytes(2 * LONGEST_PIECE + 2)).decode(),
    ):
        with pytest.raises(SessionError, match=r"A piece of sound .*\."):
            decoded(nonsense)
