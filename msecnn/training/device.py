"""What a device can do: where the mels lie, and in which precision it convolves."""

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

log = logging.getLogger(__name__)

#: Share of a GPU's free memory that the mels may take to be kept there.
DEVICE_SHARE = 0.6


def on_device(mels: NDArray[np.float16] | Tensor, device: torch.device) -> NDArray[np.float16] | Tensor:
    """All mels on the GPU if they leave enough memory there: then no batch ever travels."""
    if device.type != "cuda" or isinstance(mels, Tensor):
        return mels
    free, _ = torch.cuda.mem_get_info(device)
    return torch.from_numpy(np.asarray(mels)).to(device) if mels.nbytes < DEVICE_SHARE * free else mels


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device convolves in bfloat16: cuDNN has no such convolution below compute capability 8.0."""
    if device.type == "cpu" or torch.cuda.get_device_capability(device) >= (8, 0):
        return True
    log.warning("this GPU has no bfloat16 convolutions: training in float32")
    return False
