"""Teachers: networks that others trained on MagnaTagATune, read from the files in which their weights are found.

A teacher is a waveform model of the registry with its weights. Three kinds of tensor files are understood and told
apart by the names in them: our own, the usual PyTorch conversion of the musicnn package, and Won et al.'s.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from msecnn.errors import MsecnnError
from msecnn.models import registry
from msecnn.models.published.waveform import WaveformTagger
from msecnn.tags import MAGNATAGATUNE_TAGS

#: What a teacher has learned from.
MAGNATAGATUNE = "MagnaTagATune"


class TeacherError(MsecnnError):
    """A teacher's file is missing, damaged or of no known kind."""


@dataclass(frozen=True)
class Credit:
    """Whose work a teacher is.

    Attributes:
        source: authors and where the weights come from.
        licence: of the weights, an SPDX identifier.
        notice: the copyright line that the licence asks to keep.
    """

    source: str
    licence: str
    notice: str


_PONS = Credit(
    "J. Pons and X. Serra, musicnn 0.1.0 (PyPI)",
    "ISC",
    "Copyright (c) Music Technology Group, Universitat Pompeu Fabra 2019. Code developed by Jordi Pons.",
)
_WON = Credit(
    "M. Won et al., github.com/minzwon/sota-music-tagging-models",
    "MIT",
    "Copyright (c) 2020 Music Technology Group, Universitat Pompeu Fabra. Code developed by Minz Won.",
)
#: By our name of the architecture.
CREDITS = {"musicnn": _PONS, "musicnn_vgg": _PONS, "won_fcn": _WON, "won_crnn": _WON, "won_musicnn": _WON}


@dataclass(frozen=True)
class Teacher:
    """A network that says which tags a recording has.

    Attributes:
        name: what its labels are filed under, by default the file's stem.
        model: in evaluation mode.
        tags: (K,) names of its outputs.
    """

    name: str
    model: WaveformTagger
    tags: tuple[str, ...] = MAGNATAGATUNE_TAGS


@dataclass(frozen=True)
class _Layout:
    """How another project names the tensors of one of our architectures.

    Attributes:
        architecture: our name of the network.
        signature: a tensor that only this layout has.
        renames: patterns of their names and ours; the first that matches the whole name is taken.
        swapped: pattern of our names of convolutions whose kernels lie (time, frequency) there.
    """

    architecture: str
    signature: str
    renames: tuple[tuple[str, str], ...]
    swapped: str = r"(?!)"


_PONS_NORM = (r"bn0\.(.*)", r"input_norm.\1")
_WON_NORM = (r"spec_bn\.(.*)", r"input_norm.\1")
_WON_LEVELS = tuple((rf"layer{i + 1}\.(.*)", rf"levels.{i}.\1") for i in range(5))
#: What we build ourselves (front ends) or have no use for.
_UNUSED = re.compile(r"mel\..*|.*num_batches_tracked")

LAYOUTS = (
    _Layout(
        "musicnn",
        "timbral.0.weight",
        (
            _PONS_NORM,
            (r"timbral\.(\d)\.(.*)", r"timbral.\1.conv.\2"),
            (r"temporal\.(\d)\.(.*)", r"temporal.\1.conv.\2"),
            (r"fbn\.([01])\.(.*)", r"timbral.\1.norm.\2"),
            *((rf"fbn\.{i + 2}\.(.*)", rf"temporal.{i}.norm.\1") for i in range(3)),
            (r"mid\.(\d)\.(.*)", r"dense.\1.conv.\2"),
            (r"mbn\.(\d)\.(.*)", r"dense.\1.norm.\2"),
            (r"bn_pool\.(.*)", r"pooled_norm.\1"),
            (r"d1\.(.*)", r"hidden.\1"),
            (r"bn_d\.(.*)", r"hidden_norm.\1"),
            (r"d2\.(.*)", r"classifier.\1"),
        ),
        swapped=r"(timbral|temporal)\.\d\.conv\.weight",
    ),
    _Layout(
        "musicnn_vgg",
        "conv.0.weight",
        (
            _PONS_NORM,
            (r"conv\.(\d)\.(.*)", r"levels.\1.conv.\2"),
            (r"bn\.(\d)\.(.*)", r"levels.\1.norm.\2"),
            (r"out\.(.*)", r"classifier.\1"),
        ),
        swapped=r"levels\.\d\.conv\.weight",
    ),
    _Layout(
        "won_musicnn",
        "layers.0.conv.weight",
        (
            _WON_NORM,
            (r"layers\.([01])\.(.*)", r"timbral.\1.\2"),
            *((rf"layers\.{i + 2}\.(.*)", rf"temporal.{i}.\1") for i in range(3)),
            *((rf"layer{i + 1}\.(.*)", rf"dense.{i}.\1") for i in range(3)),
            (r"dense1\.(.*)", r"hidden.\1"),
            (r"bn\.(.*)", r"hidden_norm.\1"),
            (r"dense2\.(.*)", r"classifier.\1"),
        ),
    ),
    _Layout(
        "won_crnn",
        "layer5.weight_ih_l0",
        (
            _WON_NORM,
            (r"layer5\.(\w+)", r"recurrent.\1"),
            *_WON_LEVELS,
            (r"dense\.(.*)", r"classifier.\1"),
        ),
    ),
    _Layout(
        "won_fcn",
        "layer5.conv.weight",
        (_WON_NORM, *_WON_LEVELS, (r"dense\.(.*)", r"classifier.\1")),
    ),
)


def load_teacher(path: str | Path, *, name: str | None = None) -> Teacher:
    """Reads a teacher's weights (safetensors), whichever of the known layouts they have.

    Raises:
        TeacherError: no such file, not a tensor file, or no teacher that we know.
    """
    path = Path(path)
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
            metadata = file.metadata() or {}
    except FileNotFoundError as error:
        raise TeacherError(f"no teacher at {path}: the file does not exist") from error
    except (SafetensorError, OSError) as error:
        raise TeacherError(f"{path} is not a readable safetensors file: {error}") from error
    if metadata.get("learned_from", MAGNATAGATUNE) != MAGNATAGATUNE:
        raise TeacherError(f"{path} learned the tags of the {metadata['learned_from']}, not MagnaTagATune's")
    ours = metadata.get("architecture")
    architecture, weights = (ours, tensors) if ours else _translate(tensors, path)
    if architecture not in registry.names():
        raise TeacherError(f"{path} names its architecture {architecture!r}, which is not one of ours")
    model = registry.create(architecture)
    try:
        missing, unexpected = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise TeacherError(f"{path} has {architecture}'s tensors in other shapes") from error
    wrong = [*unexpected, *(key for key in missing if not _UNUSED.fullmatch(key))]
    if wrong:
        raise TeacherError(
            f"{path} looks like {architecture}, but these tensors do not fit: {', '.join(sorted(wrong))}"
        )
    if not isinstance(model, WaveformTagger):
        raise TeacherError(f"{path} holds a {architecture}, which does not take a waveform")
    return Teacher(name or path.stem, model.eval())


def _translate(tensors: Mapping[str, Tensor], path: Path) -> tuple[str, dict[str, Tensor]]:
    """Architecture and tensors under our names."""
    for layout in LAYOUTS:
        if layout.signature in tensors:
            kept = {key: tensor for key, tensor in tensors.items() if not _UNUSED.fullmatch(key)}
            return layout.architecture, {
                _rename(key, layout): tensor.swapaxes(-1, -2).contiguous()
                if re.fullmatch(layout.swapped, _rename(key, layout))
                else tensor
                for key, tensor in kept.items()
            }
    raise TeacherError(f"{path} holds no teacher that we know; its tensors begin with {', '.join(sorted(tensors)[:3])}")


def _rename(key: str, layout: _Layout) -> str:
    for pattern, replacement in layout.renames:
        if re.fullmatch(pattern, key):
            return re.sub(r"\.bn\.", ".norm.", re.sub(pattern, replacement, key))
    return key
