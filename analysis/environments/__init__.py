"""The market for learners: prosumers' batteries as a PettingZoo environment.

``ProsumersEnv`` needs the packages gymnasium and pettingzoo; it is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from analysis.environments.prosumers import ProsumersEnv

__all__ = ["ProsumersEnv"]

EXTRA: Final = "environments"
"""What to install: ``meanwatt[environments]``."""

_PLACE: Final = {"ProsumersEnv": ("prosumers", "pettingzoo")}


def __getattr__(name: str) -> Any:
    if name not in _PLACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, package = _PLACE[name]
    _package(package, name)
    return getattr(import_module(f"{__name__}.{module}"), name)


def _package(name: str, what: str) -> Any:
    """Import an optional package, or say in one line how to install it."""
    try:
        return import_module(name)
    except ImportError:
        raise ImportError(
            f'{what} needs the package {name}, which is not installed; pip install "meanwatt[{EXTRA}]" brings it'
        ) from None
