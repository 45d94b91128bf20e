"""What runs the networks: torch, or ONNX Runtime, which is smaller and starts sooner, behind one interface."""

import ctypes
import importlib.util
import sys
from typing import Any, Protocol

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.errors import MissingPackage, MsecnnError
from msecnn.frontend import InputSpec

#: NVIDIA's driver, by its names on Linux and Windows.
_GPU_DRIVERS = ("libcuda.so.1", "nvcuda.dll")


class Runtime(Protocol):
    """One network, ready to run; safe to call from several threads.

    Attributes:
        name: of the runtime.
        input_spec: what the network takes.
        batch_size: windows that go through it together.
        on_gpu: whether it computes on one.
    """

    name: str
    input_spec: InputSpec
    batch_size: int
    on_gpu: bool

    def prepare(self, windows: np.ndarray) -> Any:
        """What the network takes of windows (B, T), as the runtime keeps it: mels (B, 1, F, L), or the windows."""
        ...

    def run(self, inputs: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Logits (B, K) and for each scale its features (B, C), of what `prepare` gave, or of the same as an array."""
        ...

    def band_power(self, inputs: Any) -> np.ndarray:
        """(F,) mean power of each mel band."""
        ...

    def as_array(self, inputs: Any) -> np.ndarray:
        """What `prepare` gave, as float32."""
        ...


def make_runtime(
    checkpoint: Checkpoint,
    name: str | None = None,
    *,
    device: Any = None,
    dtype: str = "float32",
    n_threads: int | None = None,
) -> Runtime:
    """A checkpoint's network on a runtime.

    Args:
        name: "onnx" or "torch"; torch if None and it is installed.
        device: "cpu" or "cuda"; a GPU if None and there is one.
        dtype: "float32", or "bfloat16" for processors and GPUs with instructions for it.
        n_threads: on a CPU; as many as there are cores if None.

    Raises:
        MsecnnError: it cannot run there.
    """
    if name is None:
        name = "torch" if is_installed("torch") else "onnx"
    if name == "onnx" and (str(device or "cpu") != "cpu" or dtype != "float32"):
        raise MsecnnError("The runtime onnx computes on the CPU in float32 only; the runtime torch can do other.")
    try:
        if name == "torch":
            from msecnn.runtimes.torch_runtime import TorchRuntime

            return TorchRuntime(checkpoint, device=device, dtype=dtype, n_threads=n_threads)
        from msecnn.runtimes.onnx_runtime import OnnxRuntime

        return OnnxRuntime(checkpoint, n_threads=n_threads)
    except ModuleNotFoundError as error:
        raise MissingPackage(error, extra="torch") from error


def fastest(checkpoints: list[Checkpoint], *, device: str | None = None, dtype: str = "float32") -> str:
    """The runtime that tags files soonest, of those that are installed and can run all of these networks.

    ONNX Runtime, unless a GPU or bfloat16 is asked for, or a GPU is there: it starts sooner, and how the two compare
    from then on is measured by `benchmarks/runtimes.py`.
    """
    can_onnx = (
        device in (None, "cpu")
        and dtype == "float32"
        and is_installed("onnxruntime")
        and all(checkpoint.structure is not None for checkpoint in checkpoints)
    )
    if not is_installed("torch"):
        return "onnx"
    return "torch" if not can_onnx or (device is None and has_gpu_driver()) else "onnx"


def is_installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return package in sys.modules or importlib.util.find_spec(package) is not None


def has_gpu_driver() -> bool:
    """Whether this machine has NVIDIA's driver, which is known sooner than torch is loaded."""
    for driver in _GPU_DRIVERS:
        try:
            ctypes.CDLL(driver)
        except OSError:
            continue
        return True
    return False
