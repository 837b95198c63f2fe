"""How a mixture of behaviours is written: parts in an address, shares in the words of a command."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Final

from meanwatt.agents.behaviour.belief import BeliefSettings
from meanwatt.agents.behaviour.q_learning import QSettings
from meanwatt.model.market.behaviour_spec import BEHAVIOURS
from meanwatt.model.scenario.nearest import unknown

PARTS: Final = (0, 100)
"""Fewest and most parts of a behaviour; its share is its parts over the sum of all."""

Mixture = tuple[tuple[str, int], ...]
"""Name and parts of each behaviour that has any, in the order of ``BEHAVIOURS``."""


def mixture(parts: Mapping[str, int]) -> Mixture:
    """Check a mixture and put it in order.

    Raises
    ------
    ValueError
        In one line, if a name or a number is not allowed, or nobody is left.
    """
    for name, count in parts.items():
        if name not in BEHAVIOURS:
            raise ValueError(unknown("behaviour", name, BEHAVIOURS))
        if not PARTS[0] <= count <= PARTS[1]:
            raise ValueError(f"parts of {name} are {count}; give a whole number from {PARTS[0]} to {PARTS[1]}")
    found = tuple((name, parts[name]) for name in BEHAVIOURS if parts.get(name))
    if not found:
        raise ValueError("no behaviour has a part; give one of them some, e.g. belief:100")
    return found


def read_mixture(text: str) -> Mixture:
    """Read ``belief:50,equilibrium:50``; ValueError in one line."""
    parts: dict[str, int] = {}
    for piece in text.split(","):
        name, _, count = piece.strip().partition(":")
        if name in parts:
            raise ValueError(f"mix names {name} twice; give each behaviour once")
        if not (count.isascii() and count.isdigit() and len(count) <= len(str(PARTS[1]))):
            raise ValueError(f"mix has {piece.strip()[:40]!r}; give NAME:PARTS, e.g. belief:50,equilibrium:50")
        parts[name] = int(count)
    return mixture(parts)


def written(mix: Mixture) -> str:
    """What `read_mixture` reads."""
    return ",".join(f"{name}:{count}" for name, count in mix)


def shares(mix: Mixture) -> dict[str, float]:
    """Share of each behaviour: parts over their sum."""
    total = sum(count for _, count in mix)
    return {name: count / total for name, count in mix}


def behaviour_text(
    mix: Mixture, belief: BeliefSettings, q: QSettings | None = None, *, memory_gb: float | None = None
) -> str:
    """Write a mixture as ``--behaviour`` reads it.

    Parameters
    ----------
    belief, q
        Settings of belief learners and of Q-learners; what differs from the defaults is written.
    memory_gb
        Largest size of the tables of Q-learners, which changes no day; by default the command's.
    """
    tables = q or QSettings()
    if memory_gb is not None:
        tables = replace(tables, memory_gb=memory_gb)
    settings = {"belief": _differing(belief, BeliefSettings()), "qlearning": _differing(tables, QSettings())}
    alone = len(mix) == 1
    return ",".join(
        "".join([name, "" if alone else f"={share:.9g}", *settings.get(name, [])])
        for name, share in shares(mix).items()
    )


def _differing(settings: BeliefSettings | QSettings, plain: BeliefSettings | QSettings) -> list[str]:
    """What differs from the defaults, each as ``:name=value``."""
    found = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value != getattr(plain, field.name):
            word = ("yes" if value else "no") if isinstance(value, bool) else value
            found.append(f":{field.name}={word if isinstance(word, str) else f'{word:.10g}'}")
    return found
