"""The mel cache: right mels in the right rows, nothing stale, nothing lost when it is killed."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from msecnn import files
from msecnn.audio import read_recording, write_wav
from msecnn.data import mel_cache
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.errors import DatasetError
from msecnn.frontend import LogMelSpectrogram, MelConfig, fill_window
from msecnn.json_lines import JsonLinesLog, read_json_lines

PROJECT = Path(__file__).resolve().parents[1]
CONFIG = MelConfig(n_frames=64)  # 1.344 s, to be quick


def make_manifest(folder: Path, n_clips: int, *, seconds: float = 2.0) -> Manifest:
    folder.mkdir(exist_ok=True)
    clips = []
    for number in range(n_clips):
        noise = 0.1 * np.random.default_rng(number).normal(size=int(seconds * 12_000)).astype(np.float32)
        path = folder / f"{number}.wav"
        write_wav(path, noise, 12_000)
        content_hash = hashlib.sha256(path.read_bytes()).hexdigest()
        clips.append(Clip(str(number), path, "train", np.ones(1), duration_s=seconds, hash=content_hash))
    return Manifest(("noise",), tuple(clips), "noises")


def expected_mel(clip: Clip, config: MelConfig) -> torch.Tensor:
    recording = read_recording(
        clip.path, start_s=clip.start_s, duration_s=min(clip.duration_s or config.window_s, config.window_s)
    )
    waveform = fill_window(recording.waveform, config.window_samples)
    return LogMelSpectrogram(config)(torch.from_numpy(waveform)[None])  # (1, 1, F, L)


def test_each_row_is_its_clips_mel_within_float16(tmp_path: Path) -> None:
    manifest = make_manifest(tmp_path / "audio", 5)
    cache = MelCache.build(manifest, CONFIG, tmp_path / "mels", jobs=2)
    assert cache.mels.shape == (5, 96, 64)
    assert cache.mels.dtype == np.float16
    batch = cache.batch(cache.rows(reversed(manifest.clips)))  # (5, 1, F, L)
    for clip, mel in zip(reversed(manifest.clips), batch, strict=True):
        assert (mel - expected_mel(clip, CONFIG)[0]).abs().max() < 0.032  # half a step of float16 at 100 dB


def test_a_clip_is_a_stretch_of_its_file_and_a_short_one_is_repeated(tmp_path: Path) -> None:
    whole = make_manifest(tmp_path / "audio", 1).clips[0]
    stretch = Clip("stretch", whole.path, "train", np.ones(1), start_s=0.5, duration_s=0.32, hash=whole.hash)
    manifest = Manifest(("noise",), (whole, stretch), "two stretches of one file")
    cache = MelCache.build(manifest, CONFIG, tmp_path / "mels")
    first, second = cache.batch(cache.rows(manifest.clips))
    assert (second - expected_mel(stretch, CONFIG)[0]).abs().max() < 0.032
    n = 15  # frames in 0.32 s
    assert torch.equal(second[0, :, 2 : 2 + n], second[0, :, 2 + n : 2 + 2 * n])
    assert not torch.equal(first[0, :, 2 : 2 + n], first[0, :, 2 + n : 2 + 2 * n])


def test_a_clip_asked_for_twice_is_given_twice(tmp_path: Path) -> None:
    manifest = make_manifest(tmp_path / "audio", 2)
    cache = MelCache.build(manifest, CONFIG, tmp_path / "mels")
    first, second = manifest.clips
    np.testing.assert_array_equal(cache.rows([second, first, second]), [1, 0, 1])


def test_mels_that_were_cut_off_are_refused_instead_of_read_as_zeros(tmp_path: Path) -> None:
    manifest = make_manifest(tmp_path / "audio", 3)
    MelCache.build(manifest, CONFIG, tmp_path / "mels")
    mels = next((tmp_path / "mels").glob("*/mels.f16"))
    os.truncate(mels, mels.stat().st_size - 2)
    for use in (MelCache.open, lambda folder, config: MelCache.build(manifest, config, folder)):
        with pytest.raises(DatasetError, match="holds less than its 3 rows"):
            use(tmp_path / "mels", CONFIG)


def test_a_second_build_computes_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = make_manifest(tmp_path / "audio", 6)
    MelCache.build(manifest.select(lambda clip: int(clip.clip_id) < 4), CONFIG, tmp_path / "mels")
    computed: list[str] = []
    compute = mel_cache._mel_or_reason
    monkeypatch.setattr(
        mel_cache, "_mel_or_reason", lambda clip, frontend: computed.append(clip.clip_id) or compute(clip, frontend)
    )
    cache = MelCache.build(manifest, CONFIG, tmp_path / "mels", jobs=1)
    assert computed == ["4", "5"]
    np.testing.assert_array_equal(cache.rows(manifest.clips), range(6))


def test_another_front_end_never_sees_these_mels(tmp_path: Path) -> None:
    manifest = make_manifest(tmp_path / "audio", 1)
    MelCache.build(manifest, CONFIG, tmp_path / "mels")
    other = MelConfig(n_frames=64, doubled_db=True)
    with pytest.raises(DatasetError, match="holds no mels of this front end"):
        MelCache.open(tmp_path / "mels", other)
    cache = MelCache.build(manifest, other, tmp_path / "mels")
    assert (cache.batch([0]) - expected_mel(manifest.clips[0], other)).abs().max() < 0.07
    assert (MelCache.open(tmp_path / "mels", CONFIG).batch([0]) - cache.batch([0])).abs().max() > 3


def test_a_front_end_whose_code_has_changed_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = make_manifest(tmp_path / "audio", 1)
    MelCache.build(manifest, CONFIG, tmp_path / "mels")
    forward = LogMelSpectrogram.forward
    monkeypatch.setattr(LogMelSpectrogram, "forward", lambda self, waveform: forward(self, waveform) + 0.5)
    for use in (MelCache.open, lambda folder, config: MelCache.build(manifest, config, folder)):
        with pytest.raises(DatasetError, match=re.escape("0.5 dB apart")):
            use(tmp_path / "mels", CONFIG)


def test_bad_files_are_named_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = make_manifest(tmp_path / "audio", 4)
    manifest.clips[0].path.write_bytes(b"something else")
    manifest.clips[1].path.unlink()
    good = make_manifest(tmp_path / "more", 1).clips[0]
    not_audio = tmp_path / "text.mp3"
    not_audio.write_text("no sound")
    text_hash = hashlib.sha256(b"no sound").hexdigest()
    clips = (*manifest.clips, Clip("text", not_audio, "train", np.ones(1), hash=text_hash))
    manifest = Manifest(("noise",), clips, "noises")
    cache = MelCache.build(manifest, CONFIG, tmp_path / "mels")
    assert set(cache.failed) == {"0", "1", "text"}
    assert "has changed since the manifest was made" in cache.failed["0"]
    assert "cannot read" in cache.failed["1"]
    assert all(f"passed over {name}:" in caplog.text for name in cache.failed)
    assert [clip.clip_id for clip in cache.available(manifest).clips] == ["2", "3"]
    with pytest.raises(DatasetError, match="3 clips have no mel in the cache, the first is 0"):
        cache.rows(manifest.clips)
    assert good in MelCache.build(make_manifest(tmp_path / "more", 1), CONFIG, tmp_path / "mels")


def test_two_manifests_with_equal_files_share_rows(tmp_path: Path) -> None:
    first, second = make_manifest(tmp_path / "here", 2), make_manifest(tmp_path / "there", 2)
    MelCache.build(first, CONFIG, tmp_path / "mels")
    assert len(MelCache.build(second, CONFIG, tmp_path / "mels")) == 2


def test_a_second_builder_waits_for_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = make_manifest(tmp_path / "audio", 2)
    MelCache.build(manifest.select(lambda clip: clip.clip_id == "0"), CONFIG, tmp_path / "mels")
    home = next((tmp_path / "mels").iterdir())
    second = threading.Thread(target=MelCache.build, args=(manifest, CONFIG, tmp_path / "mels"), daemon=True)
    with files.locked_folder(home):
        second.start()
        while "another process is at work" not in caplog.text:
            assert second.is_alive()
            time.sleep(0.002)
        assert len(MelCache.open(tmp_path / "mels", CONFIG)) == 1, "it may be read meanwhile"
    second.join(timeout=60)
    assert len(MelCache.open(tmp_path / "mels", CONFIG)) == 2


def test_a_full_disk_is_told_before_and_while_it_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = make_manifest(tmp_path / "audio", 3)
    usage = type("Usage", (), {"free": 10_000})
    with monkeypatch.context() as patch:
        patch.setattr(files.shutil, "disk_usage", lambda _: usage)
        with pytest.raises(DatasetError, match=r"the mels need 0\.0 GB more"):
            MelCache.build(manifest, CONFIG, tmp_path / "mels")
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:  # the kernel stops the second row half-way, as a full disk does
        resource.setrlimit(resource.RLIMIT_FSIZE, (18_000, hard))
        with pytest.raises(DatasetError, match="what is finished stays"):
            MelCache.build(manifest, CONFIG, tmp_path / "mels", jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert len(MelCache.open(tmp_path / "mels", CONFIG)) == 1
    cache = MelCache.build(manifest, CONFIG, tmp_path / "mels")
    for clip, mel in zip(manifest.clips, cache.batch(cache.rows(manifest.clips)), strict=True):
        assert (mel - expected_mel(clip, CONFIG)[0]).abs().max() < 0.032


def test_killed_at_any_moment_it_keeps_what_is_finished(tmp_path: Path) -> None:
    n_clips = 400
    manifest = make_manifest(tmp_path / "audio", n_clips)
    path = manifest.write(tmp_path)
    program = (
        "import sys; from msecnn.data.manifest import Manifest; from msecnn.data.mel_cache import MelCache;"
        "from msecnn.frontend import MelConfig;"
        "MelCache.build(Manifest.read(sys.argv[1]), MelConfig(n_frames=64), sys.argv[2], jobs=2)"
    )
    finished = 0
    for more in (1, 40):
        builder = subprocess.Popen(
            [sys.executable, "-c", program, path, tmp_path / "mels"], stderr=subprocess.DEVNULL, cwd=PROJECT
        )
        while (
            len(rows := list((tmp_path / "mels").glob("*/rows.jsonl"))) == 0
            or len(read_json_lines(rows[0])) < finished + more
        ):
            assert builder.poll() is None, "it ended before it could be killed"
            time.sleep(0.002)
        os.kill(builder.pid, signal.SIGKILL)
        builder.wait()
        finished = len(MelCache.open(tmp_path / "mels", CONFIG))
    assert 40 < finished < n_clips
    cache = MelCache.build(manifest, CONFIG, tmp_path / "mels")
    np.testing.assert_array_equal(cache.rows(manifest.clips), range(n_clips))
    for number in range(0, n_clips, 7):
        mel = expected_mel(manifest.clips[number], CONFIG)
        assert (cache.batch([number]) - mel).abs().max() < 0.032


def test_a_torn_last_line_of_a_journal_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with JsonLinesLog(path) as journal:
        journal.append({"row": 1})
        journal.append({"row": 2, "name": "Grüße"})
    content = path.read_bytes()
    for n_bytes in range(len(content) + 1):
        path.write_bytes(content[:n_bytes])
        rows = read_json_lines(path)
        with JsonLinesLog(path) as journal:
            journal.append({"row": 3})
        assert read_json_lines(path) == [*rows, {"row": 3}]
