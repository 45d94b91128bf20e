"""The page as ZeroGPU starts it, with Hugging Face's own `spaces` package, on a machine without a card.

Real: the decorator, what it asks ZeroGPU's host for, the process it forks for a function, the queues between the two.
Left out: the part that replaces torch's CUDA by promises and keeps them in the fork, for which it takes a card. So
networks stay on the CPU.
"""

import runpy
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]

no_card = ModuleType("spaces.zero.torch")
for name in ("patch", "unpatch", "init", "move", "enter_mode"):
    setattr(no_card, name, lambda *_, **__: None)
no_card.pack = no_card.size = lambda *_, **__: 0  # type: ignore[attr-defined]
no_card.is_in_bad_fork = lambda: False  # type: ignore[attr-defined]
sys.modules[no_card.__name__] = no_card

if __name__ == "__main__":
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
