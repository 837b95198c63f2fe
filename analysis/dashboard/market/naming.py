"""Short names of settings, made of what differs from the preset."""

import functools

from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.shared.class_tariffs import class_names
from meanwatt.analysis.dashboard.shared.settings import Settings

NAMED_CHANGES = 2
"""Changes that a short name spells out; more are counted."""


@functools.lru_cache(maxsize=256)
def tariff_title(settings: Settings) -> str:
    """Title of the tariff, as its preset has it, or names of the rate classes."""
    preset = settings.preset()
    if preset.has_rate_classes:
        return class_names(preset)
    return preset.tariffs[preset.selected_tariff].title or settings.tariff


@functools.lru_cache(maxsize=256)
def changes_in_words(settings: Settings) -> tuple[str, ...]:
    """Everything that differs from the preset, in the order of the page."""
    changed = dict(settings.changes)
    offered = [knob for knob in knobs(settings.preset()) if knob.key in changed]
    return tuple(f"{_lower(knob.full_label)} {knob.show(changed[knob.key])}" for knob in offered)


def short_name(settings: Settings) -> str:
    """The tariff and the first changes: ``One price all day, fixed charge 0.500 $/day``."""
    changes = changes_in_words(settings)
    more = len(changes) - NAMED_CHANGES
    named = changes if more <= 1 else (*changes[:NAMED_CHANGES], f"{more} more changes")
    return ", ".join((tariff_title(settings), *named))


def full_name(settings: Settings) -> str:
    """The tariff and everything that differs from the preset."""
    return ", ".join((tariff_title(settings), *changes_in_words(settings)))


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]
