"""The weights in PyPI's `musicnn` 0.1.0 wheel (Jordi Pons, ISC licence), as files of tensors for this program."""

import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from msecnn.distillation.convert.tensorflow_checkpoint import read_variables
from msecnn.distillation.teachers import TeacherError
from msecnn.files import write_atomically


def _numbered(scope: str, i: int) -> str:
    """TensorFlow numbers layers of a kind in the order of their making; the first has no number."""
    return f"{scope}_{i}" if i else scope


_NORM = "batch_normalization"
_MUSICNN_NORMS = (
    "input_norm", *(f"timbral.{i}.norm" for i in range(2)), *(f"temporal.{i}.norm" for i in range(3)),
    *(f"dense.{i}.norm" for i in range(3)), "pooled_norm", "hidden_norm",
)  # fmt: skip
_MUSICNN_CONVS = (
    *(f"timbral.{i}.conv" for i in range(2)), *(f"temporal.{i}.conv" for i in range(3)),
    *(f"dense.{i}.conv" for i in range(3)),
)  # fmt: skip
_MUSICNN = (
    "musicnn",
    {
        **{_numbered(_NORM, i): name for i, name in enumerate(_MUSICNN_NORMS)},
        **{_numbered("conv2d", i): name for i, name in enumerate(_MUSICNN_CONVS)},
        "dense": "hidden",
        "dense_1": "classifier",
    },
)
_VGG = (
    "musicnn_vgg",
    {
        _NORM: "input_norm",
        **{f"{_NORM}_{i + 1}": f"levels.{i}.norm" for i in range(5)},
        **{f"{i + 1}CNN": f"levels.{i}.conv" for i in range(5)},
        "dense": "classifier",
    },
)
#: Model's folder in the wheel: our architecture, and TensorFlow's scopes with our module of each.
MODELS = {"MTT_musicnn": _MUSICNN, "MTT_vgg": _VGG, "MSD_musicnn": _MUSICNN, "MSD_vgg": _VGG}
#: What a model learned from, by the beginning of its name; those of the second know other tags, so they are no teachers
#: but sources of `transferred_musicnn` and `transferred_vgg`.
LEARNED_FROM = {"MTT": "MagnaTagATune", "MSD": "Million Song Dataset"}
_NORM_PARTS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def convert_wheel(wheel: str | Path, folder: str | Path) -> tuple[Path, ...]:
    """Writes each model of the wheel as `MODEL.safetensors`, and the wheel's licence beside them.

    Returns:
        The tensor files.

    Raises:
        TeacherError: the file is not that wheel, or damaged.
    """
    folder = Path(folder)
    try:
        with zipfile.ZipFile(wheel) as archive:
            licence = next((name for name in archive.namelist() if name.endswith("dist-info/LICENSE.md")), None)
            tensors = {name: _converted(archive, name) for name in MODELS}
            terms = archive.read(licence) if licence else b""
    except FileNotFoundError as error:
        raise TeacherError(
            f"there is no wheel at {wheel}; `pip download --no-deps musicnn==0.1.0` fetches it"
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise TeacherError(f"{wheel} is not the wheel of musicnn 0.1.0, or it is damaged: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    if terms:
        write_atomically(folder / "LICENSE.musicnn.md", terms)
    paths = []
    for name, content in tensors.items():
        metadata = {"architecture": MODELS[name][0], "source": "PyPI musicnn 0.1.0", "licence": "ISC"}
        metadata["learned_from"] = LEARNED_FROM[name[:3]]
        paths.append(folder / f"{name}.safetensors")
        write_atomically(paths[-1], safetensors.torch.save(content, metadata))
    return tuple(paths)


def _converted(archive: zipfile.ZipFile, name: str) -> dict[str, Tensor]:
    """One model's tensors under our names."""
    read = (archive.read(f"musicnn/{name}/{part}") for part in (".index", ".data-00000-of-00001"))
    variables = read_variables(*read)
    tensors = {}
    for scope, module in MODELS[name][1].items():
        if scope.startswith(_NORM):
            for theirs, ours in _NORM_PARTS.items():
                tensors[f"{module}.{ours}"] = _tensor(variables[f"{scope}/{theirs}"])
        else:
            tensors[f"{module}.weight"] = _tensor(_kernel(variables[f"{scope}/kernel"], module))
            tensors[f"{module}.bias"] = _tensor(variables[f"{scope}/bias"])
    return tensors


def _kernel(kernel: np.ndarray, module: str) -> np.ndarray:
    """TensorFlow's (time, frequency, in, out) or (in, out) as ours: output first, frequency before time."""
    if module.startswith("dense."):  # musicnn's dense layers lie over (time, channels), with one input channel
        return kernel[:, :, 0].T  # (out, channels, time)
    return kernel.T


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, order="C"))  # a copy, since the file's bytes are read-only
