"""What a visitor's choices and edits make of the settings in force and of the draft."""

from dataclasses import dataclass, replace
from typing import Any

from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.market.view import Stage
from meanwatt.analysis.dashboard.shared.notices import Notice, sentence
from meanwatt.analysis.dashboard.shared.own_tariff import OWN_TARIFF, packed, read_tariff, toml_of
from meanwatt.analysis.dashboard.shared.settings import Settings, landing_tariff, opening_tariff

UNDO_STEPS = 30
FILE = "file"
"""What is chosen where a visitor opens a tariff's file."""

Left = tuple[Settings, Settings]
"""What was in force and the draft beside it, when something else was put in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be put in force.

    Attributes
    ----------
    settings
        What to solve.
    draft
        The draft beside it; the same by default.
    left
        The draft to come back to if this is undone; none by default.
    past
        What can be undone once this is in force; by default all before, and what is in force now.
    against
        What the change is told against; what is in force now by default.
    since
        A solution that it is told against, where that is solved already.
    """

    settings: Settings
    draft: Settings | None = None
    left: Settings | None = None
    past: tuple[Left, ...] | None = None
    against: Settings | None = None
    since: Any | None = None

    def past_after(self, past: tuple[Left, ...], applied: Settings | None) -> tuple[Left, ...]:
        """What can be undone once this is in force, given the same of what is in force now."""
        if self.past is not None:
            return self.past
        if applied is None or applied == self.settings:
            return past
        left = self.left
        beside = left is not None and (left.scenario, left.tariff) == (applied.scenario, applied.tariff)
        return (*past, (applied, left if left is not None and beside else applied))[-UNDO_STEPS:]


def chosen(stage: Stage, key: str, name: str) -> tuple[Settings, Settings]:
    """Settings with another scenario or tariff, and the draft beside them: edits that still have a place are kept.

    Parameters
    ----------
    key, name
        ``scenario`` or ``tariff`` and its name, or `FILE` and the text of a tariff's file.

    Raises
    ------
    ValueError
        In one line, if there is no such scenario or tariff.
    """
    base, draft = stage.base, stage.draft
    if key == "scenario":
        wanted = Settings(scenario=name, tariff=opening_tariff(name), households=base.households, seed=base.seed)
        kept = replace(wanted, households=draft.households, seed=draft.seed)
    elif key == FILE:
        own = _opened(name)
        plain = landing_tariff(base.scenario) if base.preset().has_rate_classes and not base.own else base.tariff
        wanted, kept = (replace(one, tariff=plain, own=own, changes=one.town.changes) for one in (base, draft))
    else:
        tariff, own = (base.tariff, base.own) if base.own and name == OWN_TARIFF else (name, "")
        wanted = replace(base, tariff=tariff, own=own, changes=base.town.changes)
        kept = replace(draft, tariff=tariff, own=own, changes=draft.town.changes)
    wanted.preset()
    return wanted, kept


def _opened(text: str) -> str:
    """The tariff in a file's text, as settings carry it; ValueError in one line: it is none, or no link can hold it."""
    own = toml_of(read_tariff(text))
    packed(own)
    return own


def put_away(before: Settings, kept: Settings) -> Notice | None:
    """Say it, if changes have no place in what was chosen."""
    if not set(before.changes) - set(kept.changes):
        return None
    text = "They belong to what you left; Undo brings them back."
    return Notice(about="left", kind="good", title="Your changes are put away.", text=text)


def edited(stage: Stage, key: str, text: str) -> Stage:
    """Stage with one more field edited; a value that is not allowed stays out of the draft and is said at its field."""
    draft, refused = stage.draft, tuple(entry for entry in stage.refused if entry[0] != key)
    try:
        if key in ("households", "seed"):
            draft = replace(draft, **{key: _whole(key, text)})  # type: ignore[arg-type]
        else:
            knob = {knob.key: knob for knob in knobs(draft.preset())}[key]
            draft = draft.with_change(key, knob.read(text), knob.default)
    except ValueError as error:
        refused = (*refused, (key, text, sentence(error)))
    return replace(stage, draft=draft, refused=refused)


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}; give a whole number") from None
