"""Teachers: agreement with the original programs, weights read from every file they come in, labels that last."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.torch import load_file

from msecnn.audio import write_wav
from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation import soft_labels
from msecnn.distillation.convert.musicnn_wheel import MODELS, convert_wheel
from msecnn.distillation.convert.tensorflow_checkpoint import read_variables
from msecnn.distillation.soft_labels import SoftLabels, ensemble, label, tag_windows
from msecnn.distillation.teachers import CREDITS, Teacher, TeacherError, load_teacher
from msecnn.errors import DatasetError
from msecnn.models import registry
from msecnn.models.published.waveform import WaveformTagger
from msecnn.tags import MAGNATAGATUNE_TAGS

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "teachers"
NAMES = ("MTT_musicnn", "MTT_vgg", "mtat_fcn", "mtat_crnn", "mtat_musicnn")
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the teachers' weights are not here (../shared/teachers)")


def random_teacher(name: str = "random", architecture: str = "musicnn_vgg", seed: int = 0) -> Teacher:
    torch.manual_seed(seed)
    model = registry.create(architecture)
    assert isinstance(model, WaveformTagger)
    return Teacher(name, model.eval())


@needs_shared
@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_the_original_programs(name: str) -> None:
    with np.load(SHARED / "expected.npz") as expected:
        waveform, probabilities = expected["waveform_16k"].astype(np.float32), expected[name]
    found = tag_windows(load_teacher(SHARED / f"{name}.safetensors"), waveform).mean(0)
    np.testing.assert_allclose(found, probabilities, atol=1e-4)


@needs_shared
@pytest.mark.parametrize("name", NAMES)
def test_one_window_through_forward_is_the_first_of_many(name: str) -> None:
    teacher = load_teacher(SHARED / f"{name}.safetensors")
    with np.load(SHARED / "expected.npz") as expected:
        waveform = expected["waveform_16k"].astype(np.float32)
    with torch.inference_mode():
        first = teacher.model(torch.from_numpy(waveform)[None]).sigmoid()[0]
    np.testing.assert_allclose(first, tag_windows(teacher, waveform)[0], atol=1e-5)


@pytest.mark.parametrize("architecture", CREDITS)
def test_our_own_files_are_read_back(architecture: str, tmp_path: Path) -> None:
    model = random_teacher(architecture=architecture).model
    path = tmp_path / "mine.safetensors"
    safetensors.torch.save_file(model.state_dict(), path, {"architecture": architecture})
    found = load_teacher(path)
    assert (found.name, found.model.architecture) == ("mine", architecture)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, found.model.state_dict()[name]), name


def test_what_is_no_teacher_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(TeacherError, match="does not exist"):
        load_teacher(path)
    path.write_bytes(b"not tensors")
    with pytest.raises(TeacherError, match="not a readable safetensors file"):
        load_teacher(path)
    safetensors.torch.save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(TeacherError, match="holds no teacher that we know"):
        load_teacher(path)
    safetensors.torch.save_file({"conv.0.weight": torch.zeros(2, 1, 3, 3)}, path)
    with pytest.raises(TeacherError, match=r"musicnn_vgg"):
        load_teacher(path)
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {"architecture": "fcn5"})
    with pytest.raises(TeacherError, match="do not fit"):
        load_teacher(path)


def test_windows_lie_side_by_side_and_short_recordings_are_repeated() -> None:
    rng = np.random.default_rng(0)
    for architecture, n_frames, n_windows in (("musicnn_vgg", 187, 9), ("won_musicnn", 188, 9), ("won_fcn", 1813, 1)):
        model = random_teacher(architecture=architecture).model
        long = rng.normal(size=int(29.12 * 16_000)).astype(np.float32)
        assert model.windows(long).shape == (n_windows, 1, 96, n_frames)
        short = long[: model.window_samples // 2]
        repeated = model.windows(np.concatenate([short, short]))
        assert torch.equal(model.windows(short), repeated)


# -- TensorFlow's checkpoints, from a writer of our own after the formats' descriptions ------------------------------


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A table block with prefix-compressed keys, one restart point, and the trailer (no compression, no checksum)."""
    out, last = b"", b""
    for key, value in entries:
        shared = next((i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), min(len(key), len(last)))
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return out + (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(5)


def bundle(variables: dict[str, np.ndarray], per_block: int = 7) -> tuple[bytes, bytes]:
    """`.index` and `.data` of a checkpoint; integers get another type, as the step counter has."""
    data, entries = b"", [(b"", b"\x08\x01")]
    for name, values in sorted(variables.items()):
        shape = b"".join(b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(n) for n in values.shape))
        kind = 1 if values.dtype == np.float32 else 9
        entry = b"\x08" + varint(kind) + b"\x12" + varint(len(shape)) + shape
        entry += b"\x20" + varint(len(data)) + b"\x28" + varint(values.nbytes) + b"\x35" + bytes(4)
        entries.append((name.encode(), entry))
        data += values.tobytes()
    index, handles = b"", []
    for start in range(0, len(entries), per_block):
        part = block(entries[start : start + per_block])
        handles.append(
            (entries[min(start + per_block, len(entries)) - 1][0], varint(len(index)) + varint(len(part) - 5))
        )
        index += part
    top = block(handles)
    footer = varint(0) + varint(0) + varint(len(index)) + varint(len(top) - 5)
    return index + top + footer.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little"), data


def test_tensorflow_checkpoint_is_read() -> None:
    rng = np.random.default_rng(0)
    names = ["dense/kernel", "dense/bias", "dense_1/kernel", *(f"conv2d_{i}/kernel" for i in range(40)), "scalar"]
    variables = {name: rng.normal(size=rng.integers(1, 300, i % 4)).astype(np.float32) for i, name in enumerate(names)}
    found = read_variables(*bundle(variables | {"step": np.array(7, dtype=np.int64)}))
    assert found.keys() == variables.keys()
    for name, values in variables.items():
        np.testing.assert_array_equal(found[name], values)


def test_damaged_tensorflow_checkpoint_is_refused() -> None:
    index, data = bundle({"a": np.ones((2, 3), np.float32)})
    with pytest.raises(ValueError, match="not the index"):
        read_variables(index[:-1], data)
    with pytest.raises(ValueError, match="do not fit together"):
        read_variables(index, data[:-1])


def wheel_of(teachers: dict[str, Teacher], path: Path) -> None:
    """A wheel that holds these networks as the real one does: TensorFlow's names and orders of dimensions."""
    theirs = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("musicnn-0.1.0.dist-info/LICENSE.md", "some terms")
        for name, teacher in teachers.items():
            variables = {}
            state = teacher.model.state_dict()
            for scope, module in MODELS[name][1].items():
                if scope.startswith("batch_normalization"):
                    variables |= {f"{scope}/{theirs[p]}": state[f"{module}.{p}"].numpy() for p in theirs}
                    continue
                kernel = state[f"{module}.weight"].numpy()
                kernel = kernel.T[:, :, None] if module.startswith("dense.") else kernel.T
                variables[f"{scope}/kernel"] = np.ascontiguousarray(kernel)
                variables[f"{scope}/bias"] = state[f"{module}.bias"].numpy()
            index, data = bundle(variables)
            archive.writestr(f"musicnn/{name}/.index", index)
            archive.writestr(f"musicnn/{name}/.data-00000-of-00001", data)


def test_musicnn_wheel_is_converted(tmp_path: Path) -> None:
    originals = {name: random_teacher(name, architecture, seed=3) for name, (architecture, _) in MODELS.items()}
    wheel_of(originals, tmp_path / "musicnn.whl")
    paths = convert_wheel(tmp_path / "musicnn.whl", tmp_path / "out")
    assert (tmp_path / "out" / "LICENSE.musicnn.md").read_text() == "some terms"
    for path in paths:
        found = load_file(path)
        for key, tensor in originals[path.stem].model.state_dict().items():
            if "num_batches_tracked" not in key:
                assert torch.equal(tensor, found[key]), key
    teachers = {path.stem: path for path in paths}
    assert load_teacher(teachers["MTT_vgg"]).model.architecture == "musicnn_vgg"
    with pytest.raises(TeacherError, match="Million Song Dataset"):
        load_teacher(teachers["MSD_vgg"])
    registry.create("transferred_vgg").load_source(load_file(teachers["MSD_vgg"]))


def test_other_files_are_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="pip download"):
        convert_wheel(tmp_path / "none.whl", tmp_path)
    (tmp_path / "bad.whl").write_bytes(b"no zip")
    with pytest.raises(TeacherError, match="not the wheel"):
        convert_wheel(tmp_path / "bad.whl", tmp_path)


# -- labels -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    clips = []
    for number in range(3):
        path = tmp_path / "audio" / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(number).normal(size=4 * 16_000).astype(np.float32) * 0.1
        write_wav(path, noise, 16_000)
        labels = np.full(len(MAGNATAGATUNE_TAGS), np.nan)
        clips.append(Clip(f"clip {number}", path, "train", labels, duration_s=4.0, hash=f"content {number}"))
    return Manifest(MAGNATAGATUNE_TAGS, tuple(clips), "noise")


def test_labels_are_kept_by_content_and_teacher(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted: list[str] = []
    real = soft_labels.tag_windows

    def counting(teacher: Teacher, waveform: np.ndarray, *, precision: str) -> np.ndarray:
        predicted.append(teacher.name)
        return real(teacher, waveform, precision=precision)

    monkeypatch.setattr(soft_labels, "tag_windows", counting)
    teachers = [random_teacher("a"), random_teacher("b", seed=1)]
    first = label(manifest, teachers, tmp_path / "labels", precision="float32")
    assert sorted(predicted) == ["a"] * 3 + ["b"] * 3

    again = label(manifest, teachers, tmp_path / "labels", precision="float32")
    assert len(predicted) == 6, "what was labelled is not predicted again"
    renamed = [Clip(f"new {c.clip_id}", tmp_path / "elsewhere", "valid", c.labels, duration_s=4.0, hash=c.hash)
               for c in manifest.clips]  # fmt: skip
    for before, after in zip(first, again, strict=True):
        np.testing.assert_array_equal(before.probabilities(manifest.clips), after.probabilities(renamed))

    label(manifest, [random_teacher("a", seed=2)], tmp_path / "labels", precision="float32")
    assert len(predicted) == 9, "another network under the same name does not pass for the first"
    aside = tmp_path / "labels" / f"a.{first[0].fingerprint[:12]}.npz"
    np.testing.assert_array_equal(
        SoftLabels.read(aside).probabilities(manifest.clips), first[0].probabilities(manifest.clips)
    )


def test_interrupted_labelling_goes_on(manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soft_labels, "CLIPS_BETWEEN_WRITES", 1)
    teacher = random_teacher()
    label(manifest.select(lambda clip: clip.clip_id != "clip 1"), [teacher], tmp_path)
    whole = label(manifest, [teacher], tmp_path)[0]
    assert [entry.clip_id for entry in whole.clips.values()] == ["clip 0", "clip 2", "clip 1"]
    assert SoftLabels.read(tmp_path / "random.npz").probabilities(manifest.clips).shape == (3, 50)


def test_a_file_that_cannot_be_read_is_passed_over(manifest: Manifest, tmp_path: Path) -> None:
    manifest.clips[1].path.write_bytes(b"no sound")
    (found,) = label(manifest, [random_teacher()], tmp_path / "labels")
    assert [entry.clip_id for entry in found.clips.values()] == ["clip 0", "clip 2"]
    assert len(soft_labels.labelled([found], manifest)) == 2
    with pytest.raises(DatasetError, match="has not labelled clip clip 1"):
        found.probabilities(manifest.clips)


def test_ensemble_is_the_mean_and_needs_one_vocabulary(manifest: Manifest, tmp_path: Path) -> None:
    labels = label(manifest, [random_teacher("a"), random_teacher("b", seed=1)], tmp_path)
    mean = (labels[0].probabilities(manifest.clips) + labels[1].probabilities(manifest.clips)) / 2
    np.testing.assert_allclose(ensemble(labels, manifest.clips), mean, atol=1e-7)
    other = SoftLabels("c", "won_fcn", "", ("rock",), 3.0, {})
    with pytest.raises(DatasetError, match="different tags"):
        ensemble([labels[0], other], manifest.clips)
