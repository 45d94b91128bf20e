"""What a device can do: where the mels lie, and in which precision it convolves."""

import functools
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


@functools.lru_cache
def has_bfloat16(device: torch.device) -> bool:
    """Whether a device convolves in bfloat16 faster than in float32; said once where it does not.

    cuDNN has no such convolution below compute capability 8.0. A processor without AVX-512 (or Arm's BF16) convolves
    in bfloat16 by PyTorch's plain loops, 12 to 15 times slower than in float32.
    """
    if device.type == "cpu":
        one_dnn = torch.backends.mkldnn.is_available()
        has, what = one_dnn and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()), "processor"
    else:
        has, what = torch.cuda.get_device_capability(device) >= (8, 0), "GPU"
    if not has:
        log.warning("this %s has no bfloat16 convolutions: computing in float32", what)
    return has
