"""The networks by ONNX Runtime, the front end by NumPy: a CPU, float32, no torch."""

import os

import numpy as np
import onnxruntime

from msecnn.checkpoint import Checkpoint
from msecnn.errors import MsecnnError
from msecnn.frontend.mel_config import InputSpec
from msecnn.frontend.numpy_log_mel import log_mel
from msecnn.onnx_export import onnx_graph

_ERRORS_ONLY = 3  # of ONNX Runtime's log


class OnnxRuntime:
    """A checkpoint on the CPU.

    Args: see `make_runtime`.
    """

    name = "onnx"
    batch_size = 1  # what stays in the cache is fastest
    on_gpu = False

    def __init__(self, checkpoint: Checkpoint, *, n_threads: int | None = None) -> None:
        structure = checkpoint.structure
        if structure is None:
            raise MsecnnError(f"{checkpoint.name} runs by PyTorch only: --runtime torch.")
        self._outputs = [f"{checkpoint.name}.{output}" for output in ("logits", "features")]
        self._session = _session(checkpoint, ("logits", "features"), n_threads)
        self._scales = structure.scales
        self._ends = np.cumsum([structure.n_features[scale] for scale in structure.scales])[:-1]
        self._config = checkpoint.mel_config
        self.input_spec = InputSpec.of_mel(checkpoint.mel_config)

    def prepare(self, windows: np.ndarray) -> np.ndarray:
        return log_mel(windows, self._config)

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        logits, features = self._session.run(self._outputs, {"mel": inputs})
        return logits, dict(zip(self._scales, np.split(features, self._ends, axis=1), strict=True))

    def band_power(self, inputs: np.ndarray) -> np.ndarray:
        power: np.ndarray = np.exp(inputs * np.float32(np.log(10) / 10)).mean((0, 1, 3))
        return power

    def as_array(self, inputs: np.ndarray) -> np.ndarray:
        return inputs


def winning_cell_numbers(checkpoint: Checkpoint, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Of mels (B, 1, F, L) for each scale (B, C): which cell each feature is the value of, row × columns + column.

    The columns are those of `structure.receptive_crop`.
    """
    structure = checkpoint.structure
    assert structure is not None
    (cells,) = _session(checkpoint, ("cells",), None).run(None, {"mel": inputs})
    ends = np.cumsum([structure.n_features[scale] for scale in structure.scales])[:-1]
    return dict(zip(structure.scales, np.split(cells, ends, axis=1), strict=True))


def _session(checkpoint: Checkpoint, outputs: tuple[str, ...], n_threads: int | None) -> "onnxruntime.InferenceSession":
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads or _n_cores()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait leave the cores
    options.enable_cpu_mem_arena = False  # it would keep the largest map that there was
    options.log_severity_level = _ERRORS_ONLY
    graph = onnx_graph([checkpoint], from_input="mel", outputs=outputs)
    return onnxruntime.InferenceSession(graph.model(), options, ["CPUExecutionProvider"])


def _n_cores() -> int:
    """Threads as torch has them: what OMP_NUM_THREADS says, or a thread a core."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
