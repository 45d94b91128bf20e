"""What stops a run, as a sentence with what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from msecnn.training.run_folder import TrainingError
from msecnn.training.settings import TrainConfig


@contextmanager
def told_as_sentences(config: TrainConfig) -> Iterator[None]:
    """Memory that does not suffice and files that cannot be written become a `TrainingError`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error):
            raise TrainingError(
                f"not enough memory for batches of {config.batch_size}; the last epoch's state is kept; "
                f"try a smaller --batch-size"
            ) from error
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise TrainingError(f"the run stopped at {where}{error.strerror or error}; --resume goes on from it") from error
