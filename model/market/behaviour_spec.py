"""Reading which behaviours a market is to have: names with shares and settings, objects, or a mapping of them.

A text is ``NAME``, or ``NAME=SHARE`` between commas, each with settings after colons:
``equilibrium=.5,belief=.3:cohorts=8:stagger=7,passive=.2``. A class of one's own is ``package.module:ClassName`` or
``file.py:ClassName``.
"""

import copy
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from meanwatt.agents.behaviour.belief import BeliefSettings
from meanwatt.agents.behaviour.protocol import Behaviour, Strategy
from meanwatt.agents.behaviour.q_learning import QSettings
from meanwatt.agents.behaviour.rules import RULES
from meanwatt.model.market.own_code import Load, import_class, is_reference, pieces
from meanwatt.model.scenario.nearest import unknown

Settings = BeliefSettings | QSettings

SETTINGS: Final[dict[str, type[Settings]]] = {"belief": BeliefSettings, "qlearning": QSettings}
"""Behaviours that take settings."""

BEHAVIOURS: Final = ("equilibrium", *SETTINGS, *RULES)
"""Behaviours known by name."""

SHARE_TOLERANCE: Final = 1e-6

Given = str | Behaviour | Settings | Mapping[Any, float] | Sequence["BehaviourSpec"] | type[Strategy] | Strategy
"""What a user may pass as behaviour."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BehaviourSpec:
    """One behaviour that a market is to have.

    Attributes
    ----------
    kind
        One of ``BEHAVIOURS``, or ``own``.
    name
        What to call it: the kind, or the name of what the user made; a second one of a name is called ``name 2``.
    share
        Its share of the households, in (0, 1].
    settings
        Settings of a behaviour that takes some.
    behaviour
        An object of the user's own; None for a known name.
    strategy
        Makes a household's own strategy; None where policies decide.
    """

    kind: str
    name: str
    share: float
    settings: Settings | None = None
    behaviour: Behaviour | None = None
    strategy: Callable[[], Strategy] | None = None


def read_behaviour(given: Given, *, load: Load = import_class) -> tuple[BehaviourSpec, ...]:
    """Find out what was meant; the shares of the answer sum to one.

    Parameters
    ----------
    given
        A text as above; an object of ``meanwatt.agents.behaviour.protocol.Behaviour``, settings, a strategy (class,
        object, or a function without arguments that makes one); a mapping of such to shares; or what this function
        returned before.
    load
        Gives the class that a reference names. The one by default imports it, which runs its code.

    Raises
    ------
    ValueError
        In one line, if it is none of these, or the shares do not sum to one.
    """
    if isinstance(given, tuple) and given and all(isinstance(way, BehaviourSpec) for way in given):
        return given
    if isinstance(given, Mapping):
        pairs = [(key, _share(str(_label(key)), share)) for key, share in given.items()]
    elif isinstance(given, str):
        pairs = list(_parts(given, load))
    else:
        pairs = [(given, 1.0)]
    if not pairs:
        raise ValueError("behaviour names nothing; give e.g. equilibrium=0.5,belief=0.5")
    total = sum(share for _, share in pairs)
    if abs(total - 1) > SHARE_TOLERANCE:
        raise ValueError(
            f"shares of behaviour sum to {total:.6g}; give shares that sum to 1, e.g. equilibrium=0.5,belief=0.5"
        )
    ways: list[BehaviourSpec] = []
    for key, share in pairs:
        if share > 0:
            ways.append(_way(key, share / total, [way.name for way in ways], load))
    return tuple(ways)


def needs_equilibrium(ways: Sequence[BehaviourSpec]) -> bool:
    """Whether one of them follows the equilibrium."""
    return any(way.kind == "equilibrium" for way in ways)


def _way(key: Any, share: float, taken: Sequence[str], load: Load) -> BehaviourSpec:
    """One behaviour, beside others whose names are taken."""
    if isinstance(key, str):
        key = _read_name(key, load)
    name = _label(key)
    number = 1 + sum(other == name or other.startswith(f"{name} ") for other in taken)
    label = name if number == 1 else f"{name} {number}"
    if isinstance(key, str):
        return BehaviourSpec(kind=key, name=label, share=share, settings=SETTINGS[key]() if key in SETTINGS else None)
    if type(key) in SETTINGS.values():
        return BehaviourSpec(kind=name, name=label, share=share, settings=key)
    if isinstance(key, Behaviour) and not isinstance(key, type):
        return BehaviourSpec(kind="own", name=label, share=share, behaviour=key)
    return BehaviourSpec(kind="own", name=label, share=share, strategy=_maker(key, name))


def _label(key: Any) -> str:
    if isinstance(key, str):
        return key
    for name, kind in SETTINGS.items():
        if isinstance(key, kind):
            return name
    if isinstance(key, Behaviour) and not isinstance(key, type):
        return key.name
    return str(getattr(key, "__name__", type(key).__name__))


def _maker(key: Any, name: str) -> Callable[[], Strategy]:
    """What makes a strategy for each household: a class, a function, or copies of an object."""
    if not isinstance(key, type) and callable(getattr(key, "move", None)):
        return functools.partial(copy.deepcopy, key)
    if not callable(key) or (isinstance(key, type) and not callable(getattr(key, "move", None))):
        raise ValueError(
            f"behaviour is {key!r}; give one of {', '.join(BEHAVIOURS)}, an object with name, policies and"
            " learn(seen), or a class with move(situation)"
        )
    try:
        made = key()
    except TypeError as error:
        raise ValueError(
            f"strategy {name} cannot be made without arguments ({error}); give a function that makes one,"
            f" e.g. lambda: {name}(...)"
        ) from None
    if not callable(getattr(made, "move", None)):
        raise ValueError(f"strategy {name} makes a {type(made).__name__} without move(situation); write that method")
    return key  # type: ignore[no-any-return]


def _parts(text: str, load: Load) -> list[tuple[Any, float]]:
    """Ways and shares of a text; a lone name has all households."""
    parts = [part.strip() for part in text.split(",")]
    found = []
    for part in parts:
        head, *rest = pieces(part)
        if is_reference(head) and rest:
            name, equals, share = rest[0].partition("=")
            key, rest = f"{head}:{name}", rest[1:]
        else:
            key, equals, share = head.partition("=")
        if not equals and len(parts) > 1:
            raise ValueError(f"behaviour {key or text!r} has no share; give e.g. {key or 'belief'}=0.5")
        whole = ":".join([key.strip(), *rest])
        found.append((_read_name(whole, load), _share(key, share) if equals else 1.0))
    return found


def _share(name: str, share: Any) -> float:
    try:
        value = float(share)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 <= value <= 1 or isinstance(share, bool):
        raise ValueError(f"share of behaviour {name} is {share!r}; give a number from 0 to 1, e.g. 0.5")
    return value


def _read_name(text: str, load: Load) -> Any:
    """Turn ``belief:cohorts=8`` into settings, ``file.py:Mine`` into a class, and check a plain name."""
    name, *rest = (piece.strip() for piece in pieces(text))
    if is_reference(name):
        return load(name, rest)
    if name not in BEHAVIOURS:
        raise ValueError(unknown("behaviour", name, BEHAVIOURS))
    if rest and name not in SETTINGS:
        raise ValueError(f"behaviour {name} takes no settings, but got {rest[0]!r}; leave it out")
    if not rest:
        return name
    kind = SETTINGS[name]
    allowed = {field.name: type(field.default) for field in fields(kind)}
    settings: dict[str, Any] = {}
    for piece in rest:
        key, equals, value = (part.strip() for part in piece.partition("="))
        if key not in allowed:
            raise ValueError(unknown(f"setting of {name}", key, allowed))
        if not equals or key in settings:
            raise ValueError(f"{name}: {piece!r} is no setting; give each once, as {key}=VALUE")
        settings[key] = _value(f"{name}: {key}", value, allowed[key])
    return kind(**settings)


def _value(place: str, text: str, kind: type) -> Any:
    """Read a setting's text as whole number, number, yes or no, or word."""
    if kind is bool:
        if text not in ("yes", "no"):
            raise ValueError(f"{place} is {text!r}; give yes or no")
        return text == "yes"
    if kind is str:
        return text
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        raise ValueError(f"{place} is {text!r}; give a {'whole ' if kind is int else ''}number") from None
