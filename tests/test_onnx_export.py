"""The ONNX graph says what the networks say: run by ONNX Runtime beside the tagger, on every example and front end."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from msecnn import checkpoint
from msecnn.audio import read_recording
from msecnn.cli import main
from msecnn.explain.contributions import contributions
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry
from msecnn.models.layers import MultiScaleCNN
from msecnn.onnx_export import METADATA_KEY, OPSET, OUTPUTS, OnnxError, export_onnx
from msecnn.tagger import Tagger

NAMES = ("fcn5", "msecnn")
ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "assets" / "examples").glob("*.mp3"))
#: Rounding of float32 sums of thousands of terms, in logits and features; and of a mel near its floor, dB.
LOGITS, MEL_DB = 1e-5, 1e-3
SMALL = MelConfig(n_mels=96, n_frames=1280, top_db=80.0, doubled_db=True)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both bundled networks in one graph, with their maps."""
    path = tmp_path_factory.mktemp("onnx") / "both.onnx"
    assert main(["export", *NAMES, "--out", str(path), "--maps"]) == 0
    return path


@pytest.fixture(scope="module")
def session(both: Path) -> Any:
    return onnxruntime.InferenceSession(both, providers=["CPUExecutionProvider"])


def outputs(session: Any, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def window_of(path: Path) -> np.ndarray:
    config = MelConfig()
    waveform = read_recording(path, sample_rate=config.sample_rate, duration_s=config.window_s).waveform
    return np.resize(waveform, config.window_samples)[None]


def toy(folder: Path, architecture: str, config: MelConfig) -> checkpoint.Checkpoint:
    """A network with random weights and statistics, by that front end."""
    torch.manual_seed(3)
    model = registry.create(architecture, n_mels=config.n_mels, n_frames=config.n_frames).eval()
    for norm in (module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        torch.nn.init.normal_(norm.running_mean, std=0.3)
        torch.nn.init.uniform_(norm.running_var, 0.5, 2.0)
    tags = tuple(f"tag {k}" for k in range(50))
    checkpoint.save(folder, model, mel_config=config, tags=tags, card={"untrained": True})
    return checkpoint.load(folder)


def test_both_networks_are_small_and_name_what_they_take_and_give(both: Path, session: Any) -> None:
    assert both.stat().st_size <= 5e6
    model = onnx.load(both)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [OPSET]
    assert {node.domain for node in model.graph.node} <= {""}  # no operator that a runtime may lack
    assert [(given.name, given.shape[1:]) for given in session.get_inputs()] == [("waveform", [349_440])]
    told = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    for name in NAMES:
        loaded = checkpoint.load(name)
        assert told["models"][name]["tags"] == list(loaded.tags)
        assert told["models"][name]["sha256"] == loaded.card["sha256"]
        wanted = [f"{name}.{output}" for output in (*OUTPUTS, *loaded.model.maps)]
        assert [output.name for output in session.get_outputs() if output.name.startswith(f"{name}.")] == wanted


def test_no_trace_of_the_machine_that_exported(both: Path) -> None:
    content = both.read_bytes()
    assert str(Path(torch.__file__).parent).encode() not in content
    assert b".py" not in content


def test_weights_are_the_checkpoints_own_under_its_names(both: Path) -> None:
    weights = {weight.name: onnx.numpy_helper.to_array(weight) for weight in onnx.load(both).graph.initializer}
    for name in NAMES:
        for key, tensor in checkpoint.load(name).model.state_dict().items():
            if key.endswith("num_batches_tracked"):
                continue
            assert np.array_equal(weights[f"{name}/{key}"], tensor.numpy()), key


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_graph_says_what_the_tagger_says_of_every_example(session: Any, path: Path) -> None:
    window = window_of(path)
    said = outputs(session, waveform=window)
    for name in NAMES:
        prediction = Tagger.from_checkpoint(name, device="cpu").tag((window[0], 12_000))
        assert np.abs(said[f"{name}.logits"] - prediction.window_logits).max() < LOGITS
        assert prediction.mel is not None
        assert np.abs(said["mel"][:, 0] - prediction.mel).max() < MEL_DB
        features = np.concatenate([*prediction.features.values()], axis=1)
        assert np.abs(said[f"{name}.features"] - features).max() < LOGITS


def test_terms_add_up_and_are_the_exact_contributions(session: Any) -> None:
    said = outputs(session, waveform=window_of(EXAMPLES[0]))
    told = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])["models"]
    for name in NAMES:
        loaded, terms = checkpoint.load(name), said[f"{name}.terms"]
        bias, mean_terms = np.array(told[name]["bias"]), np.array(told[name]["mean_terms"])
        assert np.allclose(terms.sum(1) + bias, said[f"{name}.logits"], rtol=0, atol=LOGITS)
        ends = np.cumsum([scale["features"] for scale in told[name]["scales"].values()])[:-1]
        features = dict(zip(loaded.model.scales, np.split(said[f"{name}.features"], ends, axis=1), strict=True))
        split = contributions(loaded.model, features, mean_features=loaded.mean_features)
        assert np.allclose(terms - mean_terms, split.relative, rtol=0, atol=LOGITS)


def test_cells_are_where_the_maps_have_their_features(session: Any) -> None:
    said = outputs(session, waveform=window_of(EXAMPLES[1]))
    told = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])["models"]
    for name in NAMES:
        first = 0
        for scale, facts in told[name]["scales"].items():
            rows, columns = facts["rows_columns"]
            part = slice(first, first := first + facts["features"])
            cells, values = said[f"{name}.cells"][0, part], said[f"{name}.features"][0, part]
            level_map = said[f"{name}.{scale}"][0]
            assert (cells < rows * columns).all()
            found = level_map[np.arange(len(level_map)), cells // columns, cells % columns]
            assert np.array_equal(found, values)


@pytest.mark.parametrize("architecture", registry.names())
def test_every_model_with_scales_can_be_exported_and_others_say_why(architecture: str, tmp_path: Path) -> None:
    model = registry.create(architecture).eval()
    if not isinstance(model, MultiScaleCNN):
        tags = tuple(f"tag {k}" for k in range(50))
        loaded = checkpoint.Checkpoint(architecture, tmp_path, model, MelConfig(), tags, {"sha256": ""}, None)
        with pytest.raises(OnnxError, match="only networks with scales"):
            export_onnx([loaded], tmp_path / "graph.onnx")
        return
    loaded = toy(tmp_path / "toy", architecture, SMALL)
    export_onnx([loaded], tmp_path / "graph.onnx")
    waveform = 0.1 * torch.randn(2, SMALL.window_samples, generator=torch.Generator().manual_seed(1))
    waveform[1, SMALL.window_samples // 2 :] = 0  # silence, where the floor counts
    said = outputs(onnxruntime.InferenceSession(tmp_path / "graph.onnx"), waveform=waveform.numpy())
    with torch.no_grad():
        mel = LogMelSpectrogram(SMALL)(waveform)
        logits = loaded.model(torch.from_numpy(said["mel"]))
    assert np.abs(said["mel"] - mel.numpy()).max() < 2 * MEL_DB  # doubled
    assert np.allclose(said["toy.logits"], logits, rtol=1e-5, atol=LOGITS)


def test_a_graph_may_take_a_mel_of_ones_own(tmp_path: Path, session: Any) -> None:
    export_onnx([checkpoint.load("fcn5")], tmp_path / "mel.onnx", from_input="mel")
    said = outputs(session, waveform=window_of(EXAMPLES[2]))
    again = outputs(onnxruntime.InferenceSession(tmp_path / "mel.onnx"), mel=said["mel"])
    assert list(again) == [f"fcn5.{output}" for output in OUTPUTS]
    assert np.allclose(again["fcn5.logits"], said["fcn5.logits"], rtol=0, atol=LOGITS)


def test_what_does_not_go_together_is_said(tmp_path: Path) -> None:
    loaded = checkpoint.load("fcn5")
    with pytest.raises(OnnxError, match="the same name"):
        export_onnx([loaded, loaded], tmp_path / "graph.onnx")
    with pytest.raises(OnnxError, match="do not share their front end"):
        export_onnx([loaded, toy(tmp_path / "toy", "fcn5", SMALL)], tmp_path / "graph.onnx")
    assert not (tmp_path / "graph.onnx").exists()


# ---- the programs in docs/onnx.md


def example(language: str) -> str:
    text = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)[-1]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A graph, samples and names of tags, as the examples take them."""
    folder = tmp_path_factory.mktemp("examples")
    export_onnx([checkpoint.load("msecnn")], folder / "msecnn.onnx")
    window_of(EXAMPLES[0])[0].astype("<f4").tofile(folder / "sound.f32")
    (folder / "tags.json").write_text(json.dumps(checkpoint.load("msecnn").tags))
    return folder / "msecnn.onnx", folder / "sound.f32", folder / "tags.json"


def likeliest() -> list[str]:
    prediction = Tagger.from_checkpoint("msecnn", device="cpu").tag((window_of(EXAMPLES[0])[0], 12_000))
    return [f"{probability:.2f} {tag}" for tag, probability in prediction.top(5)]


def lines(command: list[str], cwd: Path) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_example_in_python_tags(given: tuple[Path, Path, Path]) -> None:
    graph, sound, _ = given
    printed = lines([sys.executable, "-c", example("python"), str(graph), str(sound)], ROOT)
    assert [line.split(" input ")[0] for line in printed] == likeliest()
    assert all("level5" in line for line in printed)


def in_node(program: str, *words: object) -> list[str]:
    """What a program with ONNX Runtime for browsers prints."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "onnxruntime-web").is_dir():
        pytest.skip("no Node or no onnxruntime-web here")
    return lines([node, "--input-type=module", "-e", program, "--", "program.mjs", *map(str, words)], ROOT)


def test_the_example_in_javascript_tags(given: tuple[Path, Path, Path]) -> None:
    assert in_node(example("js"), *given) == likeliest()


#: Tags silence, and prints every value of its spectrogram once.
SILENCE = """
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web/wasm";
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(await readFile(process.argv[2]));
const sound = new Float32Array(Number(process.argv[3]));
const { mel } = await session.run({ waveform: new ort.Tensor("float32", sound, [1, sound.length]) }, ["mel"]);
console.log([...new Set(mel.data)].join());
"""


def test_silence_is_the_floor_itself_in_a_browser(given: tuple[Path, Path, Path]) -> None:
    """Not near it: what is as in the baseline has no part in a map, so that its colours end where the server's do."""
    config = MelConfig()
    assert in_node(SILENCE, given[0], config.window_samples) == [f"{config.floor_db:g}"]


def test_the_example_in_cpp_tags_beside_a_stand_in(given: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """All of it but ONNX Runtime: what the network is given, the order of the tags, what is printed."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler here")
    graph, sound, _ = given
    (tmp_path / "tags.cpp").write_text(example("cpp"))
    headers = ROOT / "tests" / "onnxruntime_stand_in"
    command = [compiler, "-std=c++17", "-Wall", "-Werror", "-I", str(headers), "tags.cpp", "-o", "tags"]
    assert lines(command, tmp_path) == []
    short = np.fromfile(sound, "<f4")[:100_000]  # less than a window, so that it is repeated
    short.tofile(tmp_path / "short.f32")
    window = np.resize(short, 349_440)
    (logits,) = onnxruntime.InferenceSession(graph).run(["msecnn.logits"], {"waveform": window[None]})
    logits.tofile(tmp_path / "logits")
    places = {"STAND_IN_LOGITS": str(tmp_path / "logits"), "STAND_IN_WINDOW": str(tmp_path / "window")}
    program = [str(tmp_path / "tags"), str(graph), "short.f32"]
    done = subprocess.run(program, env={**os.environ, **places}, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    likeliest_first = np.argsort(-logits[0])[:5]
    assert done.stdout.splitlines() == [f"{1 / (1 + np.exp(-logits[0, k])):.2f} {k}" for k in likeliest_first]
    np.testing.assert_array_equal(np.fromfile(tmp_path / "window", "<f4"), window)


def test_the_example_in_cpp_compiles(tmp_path: Path) -> None:
    compiler = shutil.which("g++")
    has_headers = compiler and subprocess.run(
        [compiler, "-E", "-x", "c++", "-"], input="#include <onnxruntime_cxx_api.h>", capture_output=True, text=True
    )
    if not has_headers or has_headers.returncode:
        pytest.skip("no C++ compiler or no headers of ONNX Runtime here")
    (tmp_path / "tags.cpp").write_text(example("cpp"))
    lines([str(compiler), "-std=c++17", "-fsyntax-only", "tags.cpp"], tmp_path)
