"""Name to network: what a checkpoint's card and the command line call a model by."""

from collections.abc import Callable
from typing import Any, TypeVar

from msecnn.models.tagging_model import TaggingModule

Constructor = TypeVar("Constructor", bound=Callable[..., TaggingModule])
_CONSTRUCTORS: dict[str, Callable[..., TaggingModule]] = {}


def register(name: str) -> Callable[[Constructor], Constructor]:
    """Decorates a model's class, or a function that builds one, with the name by which `create` finds it."""

    def remember(constructor: Constructor) -> Constructor:
        _CONSTRUCTORS[name] = constructor
        return constructor

    return remember


def create(name: str, n_tags: int = 50, **parameters: Any) -> TaggingModule:
    """Builds a network with fresh weights.

    Raises:
        KeyError: no model of that name.
        TypeError: the model takes no such parameter.
    """
    _import_all()
    if name not in _CONSTRUCTORS:
        raise KeyError(f"no model is called {name!r}; there are {', '.join(names())}")
    return _CONSTRUCTORS[name](n_tags=n_tags, **parameters)


def names() -> tuple[str, ...]:
    """Every registered model's name, sorted."""
    _import_all()
    return tuple(sorted(_CONSTRUCTORS))


def _import_all() -> None:
    """Every network registers itself."""
    from msecnn.models import fcn, msecnn  # noqa: F401
    from msecnn.models.published import musicnn, vgg, won  # noqa: F401
