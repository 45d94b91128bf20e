"""The networks by torch: on a CPU in their fast form, or on a GPU."""

import functools
import math

import numpy as np
import torch
from torch import Tensor

from msecnn.checkpoint import Checkpoint
from msecnn.errors import MsecnnError
from msecnn.frontend import InputSpec, LogMelSpectrogram, MelConfig
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.lock import MODEL_LOCK

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
#: Windows that go through a GPU together; a CPU is fastest with one at a time, which stays in its cache.
GPU_BATCH = 32


class TorchRuntime:
    """A checkpoint on a device.

    Args: see `make_runtime`.

    Attributes:
        model: the network as the paper draws it, for gradients and maps.
    """

    name = "torch"

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str | torch.device | None = None,
        dtype: str = "float32",
        n_threads: int | None = None,
    ) -> None:
        if n_threads is not None:
            torch.set_num_threads(n_threads)
        self.device = pick_device(device)
        self.on_gpu = self.device.type != "cpu"
        self.batch_size = GPU_BATCH if self.on_gpu else 1
        self.model = checkpoint.model.to(self.device)
        self.input_spec: InputSpec = self.model.input_spec
        self._fast = FoldedNetwork(self.model, _DTYPES[dtype]) if isinstance(self.model, MultiScaleCNN) else None
        if self._fast is None and dtype != "float32":
            raise MsecnnError(f"{checkpoint.name} runs in float32 only.")

    def prepare(self, windows: np.ndarray) -> Tensor:
        inputs = torch.from_numpy(windows).to(self.device)  # (B, T)
        config = self.input_spec.front_end
        if config is None:
            return inputs
        with torch.inference_mode():
            mel: Tensor = _frontend(config, self.device)(inputs)
        return mel

    def run(self, inputs: Tensor | np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        logits, features = self.run_tensors(torch.as_tensor(inputs))
        # Copies: torch's own small aligned blocks, kept, would pin 4 MB of freed heap for each window.
        arrays = {scale: value.cpu().numpy().copy() for scale, value in features.items()}
        return logits.float().cpu().numpy().copy(), arrays

    def run_tensors(self, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits and features, left on the device."""
        with MODEL_LOCK, torch.inference_mode():
            inputs = inputs.to(self.device)
            if self._fast is not None:
                features = self._fast.features(inputs)
                return self._fast.classify(features), features
            return self.model(inputs), self.model.features(inputs)

    def band_power(self, inputs: Tensor) -> np.ndarray:
        with torch.inference_mode():
            power: np.ndarray = torch.exp(inputs * (math.log(10) / 10)).mean((0, 1, 3)).cpu().numpy()
        return power

    def as_array(self, inputs: Tensor) -> np.ndarray:
        array: np.ndarray = inputs.cpu().numpy()
        return array


def pick_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for, or a GPU if there is one, or the CPU.

    Raises:
        MsecnnError: there is no such device.
    """
    try:
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise MsecnnError(f"{device!r} is no device; there are 'cpu' and 'cuda'.") from error
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if chosen.type not in ("cpu", "cuda") or (chosen.type == "cuda" and (chosen.index or 0) >= n_gpus):
        raise MsecnnError(f"This machine has no device {str(chosen)!r}; 'cpu' is always there.")
    return chosen


@functools.lru_cache(maxsize=8)
def _frontend(config: MelConfig, device: torch.device) -> LogMelSpectrogram:
    return LogMelSpectrogram(config).to(device)
