"""A Hugging Face Space: CUDA is left alone until a GPU is there, and a bare machine without a home is enough."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_page import RunningPage, Visitor

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "assets" / "examples" / "piano.mp3"

#: ZeroGPU's manners without its GPU. A decorated function gets copies and gives copies, as from a process of its own,
#: and of its errors only Gradio's own keep their words. Outside of such a call CUDA and the networks may not be used.
ZERO_GPU = '''
"""A stand-in for Hugging Face's package."""

import functools, inspect, pickle, sys

early = sorted({"torch", "gradio", "msecnn"} & sys.modules.keys())
print("LOADED BEFORE SPACES", early, flush=True)
import threading
import torch

inside = 0

def refuse(*_, **__):
    raise RuntimeError("CUDA was touched outside a GPU call")

torch.cuda._lazy_init = torch._C._cuda_init = refuse


class GuardedLock:
    def __init__(self):
        self._lock = threading.RLock()

    def __enter__(self):
        if not inside:
            raise RuntimeError("a network ran outside a GPU call")
        return self._lock.__enter__()

    def __exit__(self, *error):
        return self._lock.__exit__(*error)


import msecnn.models.lock
msecnn.models.lock.MODEL_LOCK = GuardedLock()


def copied(value):
    return pickle.loads(pickle.dumps(value))


def failed(error):
    import gradio
    return error if isinstance(error, gradio.Error) else gradio.Error("ZeroGPU worker error: " + type(error).__name__)


def GPU(function=None, *, duration=None):
    if function is None:
        return functools.partial(GPU, duration=duration)
    print("GPU FOR", function.__qualname__, duration, flush=True)

    def enter():
        global inside
        inside += 1

    def leave():
        global inside
        inside -= 1

    @functools.wraps(function)
    def once(*args, **kwargs):
        enter()
        try:
            return copied(function(*copied(args), **copied(kwargs)))
        except Exception as error:
            raise failed(error) from None
        finally:
            leave()

    @functools.wraps(function)
    def many(*args, **kwargs):
        enter()
        try:
            for value in function(*copied(args), **copied(kwargs)):
                yield copied(value)
        except Exception as error:
            raise failed(error) from None
        finally:
            leave()

    return many if inspect.isgeneratorfunction(function) else once


def gradio_auto_wrap(function):
    return function
'''


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space")
    (folder / "spaces.py").write_text(ZERO_GPU)
    return folder


@pytest.fixture(scope="module")
def space(stand_in: Path) -> Iterator[RunningPage]:
    """As a Space starts it: no options, the address from the environment, no home that could be written to."""
    environment = {
        "PYTHONPATH": os.pathsep.join([str(stand_in), str(ROOT)]),
        "GRADIO_SERVER_NAME": "127.0.0.2",
        "HOME": "/nonexistent",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "TORCH_HOME"):
        environment[name] = "/nonexistent"
    with RunningPage(environment=environment, host="127.0.0.2") as page:
        yield page


@pytest.fixture(scope="module")
def visitor(space: RunningPage) -> Visitor:
    visitor = Visitor(space.address)
    assert "error" not in visitor.ask("open", example="piano")
    return visitor


@pytest.mark.parametrize("early", ["torch.cuda.init()", "torch.zeros(1, device='cuda')"])
def test_the_stand_in_notices_cuda(stand_in: Path, early: str) -> None:
    import torch

    if not torch.backends.cuda.is_built():
        pytest.skip("this torch knows no CUDA that could be touched")
    path = os.pathsep.join([str(stand_in), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", f"import spaces, torch; {early}"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert "CUDA was touched outside a GPU call" in done.stderr


def test_spaces_is_imported_before_what_could_touch_cuda(space: RunningPage) -> None:
    assert "LOADED BEFORE SPACES []\n" in space.log


def test_a_folder_called_spaces_is_not_zerogpu(tmp_path: Path) -> None:
    """Nor is the real package, where it is installed, outside of ZeroGPU."""
    (tmp_path / "spaces").mkdir()
    program = "from msecnn.ui.server.zero_gpu import on_gpu; assert on_gpu(len) is len"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_gpu_is_asked_for_with_a_duration(space: RunningPage) -> None:
    asked = [
        match for line in space.log if (match := re.fullmatch(r"GPU FOR (\S+) (\d+|<function of_\S+ at .*>)\n", line))
    ]
    assert len(asked) == sum(line.startswith("GPU FOR") for line in space.log) > 0
    assert {int(match[2]) for match in asked if match[2].isdigit()} == {5, 10}


def test_programs_are_answered(space: RunningPage) -> None:
    from gradio_client import Client, handle_file

    client = Client(space.address, verbose=False)
    answer = client.predict(handle_file(EXAMPLE), ["fcn5", "msecnn"], api_name="/tag")
    assert set(answer["models"]) == {"fcn5", "msecnn"}
    why = client.predict(handle_file(EXAMPLE), "piano", "msecnn", 0, api_name="/explain")
    assert why["base_value"] + sum(scale["relative"] for scale in why["scales"]) == pytest.approx(
        why["logit"], abs=1e-4
    )


def test_a_sentence_survives_the_other_process(space: RunningPage, visitor: Visitor, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    text = tmp_path / "notes.mp3"
    text.write_text("la la la")
    with pytest.raises(Exception, match=r"notes\.mp3.* not a recording"):
        Client(space.address, verbose=False).predict(handle_file(text), ["msecnn"], api_name="/tag")
    assert "knows no tag 'kazoo'" in visitor.ask("why", model="msecnn", tag="kazoo", window=0)["error"]


QUESTIONS = {
    "window": {"window": 0},
    "example-pictures": {},
    "sound": {},
    "why": {},
    "winning-cells": {},
    "maps": {"method": "gradient", "token": "t"},
    "sonify": {"what": "evidence"},
    "stop": {"token": "nothing"},
    "export": {"model": "fcn5"},  # one scale, so fewer pictures and sounds
}


@pytest.mark.parametrize("endpoint", QUESTIONS)
def test_every_question_finds_its_gpu(visitor: Visitor, space: RunningPage, endpoint: str) -> None:
    """A handler that runs a network without having asked for a GPU fails here."""
    n_lines = len(space.log)
    answer = visitor.ask(endpoint, **{"model": "msecnn", "tag": "piano", "window": 0, **QUESTIONS[endpoint]})
    assert "error" not in answer, "".join(space.log[n_lines:])
