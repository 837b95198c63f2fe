"""The market for learners: the leader's tariff as a Gymnasium environment, prosumers' batteries as a PettingZoo one.

``LeaderEnv`` and ``ProsumersEnv`` need the packages gymnasium and pettingzoo; they are loaded when they are asked for.
``register()`` makes ``gymnasium.make("meanwatt/Leader-v0")`` work.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from meanwatt.analysis.environments.leader import LeaderEnv
    from meanwatt.analysis.environments.prosumers import ProsumersEnv

__all__ = ["LEADER_ID", "LeaderEnv", "ProsumersEnv", "register"]

EXTRA: Final = "environments"
"""What to install: ``meanwatt[environments]``."""
LEADER_ID: Final = "meanwatt/Leader-v0"
"""The leader's environment in Gymnasium's registry."""

_PLACE: Final = {"LeaderEnv": ("leader", "gymnasium"), "ProsumersEnv": ("prosumers", "pettingzoo")}


def register() -> None:
    """Add the leader's environment to Gymnasium's registry; once or often.

    Raises
    ------
    ImportError
        In one line, if gymnasium is not installed.
    """
    gymnasium = _package("gymnasium", "register()")
    if LEADER_ID not in gymnasium.registry:
        gymnasium.register(id=LEADER_ID, entry_point="meanwatt.analysis.environments.leader:LeaderEnv")


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
