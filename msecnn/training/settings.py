"""What a run depends on beside its data and first weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from msecnn.models.layers import ORDERS
from msecnn.training import schedule
from msecnn.training.augmentation import Augmentation
from msecnn.training.ranges import COUNT, NOT_NEGATIVE, POSITIVE, SEED, SHARE, Range, check_ranges
from msecnn.training.run_folder import TrainingError

#: What the numbers of a configuration may be.
RANGES = {
    **dict.fromkeys(("epochs", "batch_size", "patience", "plateau_epochs"), COUNT),
    "plateau_factor": Range(0, 1, above=True),
    **dict.fromkeys(("learning_rate", "clip_norm"), POSITIVE),
    "weight_decay": NOT_NEGATIVE,
    "warmup": SHARE,
    **dict.fromkeys(("dropout", "ema_decay"), Range(0, 1, below=True)),
    "seed": SEED,
}


@dataclass(frozen=True)
class TrainConfig:
    """Everything that a run depends on beside its data and first weights.

    Attributes:
        epochs: how often every training clip is seen.
        batch_size: clips in a step, over all processes.
        learning_rate: the largest.
        weight_decay: of filters and matrices, not of biases and normalisations.
        schedule: "one_cycle", "cosine", "constant", "plateau" or "won2020" (Adam, then SGD in three phases; a
            learning rate and weight decay of 1e-4, batches of 16, 140 epochs and dropout .5 are that paper's).
        optimizer: "adamw", "adam", "nesterov" (momentum .9), "sgd" (plain) or "adadelta"; "won2020" has its own.
        plateau_epochs: of "plateau", after so many epochs without a lower validation loss the learning rate falls.
        plateau_factor: by which it falls then.
        warmup: share of the run in which the learning rate rises.
        clip_norm: gradients longer than this are shortened to it.
        dropout: share of the features dropped before the classifier of a network with scales; others have their own.
        ema_decay: of the averaged weights; 0 for none.
        patience: stop after so many epochs without a better validation loss; None never stops early.
        precision: "bfloat16" (autocast) or "float32".
        order: "pool_first" (pooling before BatchNorm and ELU, the same function in evaluation, a faster step) or
            "literal" (as the papers draw it) in training.
        frozen: what the names of parameters that stay as they are begin with; their BatchNorm statistics stay too.
        seed: of everything drawn.
        augmentation: how the clips are changed.
    """

    epochs: int = 30
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    schedule: str = "one_cycle"
    warmup: float = 0.2
    clip_norm: float = 5.0
    dropout: float = 0.0
    ema_decay: float = 0.995
    patience: int | None = None
    precision: str = "bfloat16"
    order: str = "pool_first"
    frozen: tuple[str, ...] = ()
    seed: int = 0
    optimizer: str = "adamw"
    plateau_epochs: int = 5
    plateau_factor: float = 0.5
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        choices = {
            "schedule": schedule.SCHEDULES,
            "optimizer": schedule.OPTIMIZERS,
            "precision": ("bfloat16", "float32"),
            "order": ORDERS,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise TrainingError(f"{name} may be {', '.join(allowed)}, not {getattr(self, name)!r}")
        check_ranges(self, RANGES, TrainingError)

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self) | {"frozen": list(self.frozen)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainConfig":
        """The reverse of `to_json`."""
        values = {name: value for name, value in values.items() if name in {f.name for f in fields(cls)}}
        return cls(
            **values | {"frozen": tuple(values["frozen"]), "augmentation": Augmentation(**values["augmentation"])}
        )
