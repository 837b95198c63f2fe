"""The settings of a page in its address: written with only what differs from the defaults, read with care."""

from dataclasses import replace
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import HOUSEHOLDS, SEEDS, Settings
from meanwatt.model.scenario.nearest import unknown

NAMES = ("scenario", "tariff", "households", "seed")
"""Settings with a name of their own in the address; all others are keys of the scenario."""


def query(settings: Settings, *, whole: bool = False) -> str:
    """Write the settings as the query of an address: what differs from the defaults, or the whole, for a file."""
    plain = Settings()
    pairs = [(name, getattr(settings, name)) for name in NAMES]
    written = [(name, value) for name, value in pairs if whole or value != getattr(plain, name)]
    written += [(key, f"{value:.10g}" if isinstance(value, float) else value) for key, value in settings.changes]
    return urlencode(written, safe=".:")


def from_query(text: str) -> tuple[Settings, tuple[str, ...]]:
    """Read settings from an address and list, in words, what could not be used.

    Parameters
    ----------
    text
        Query with or without the question mark.

    Returns
    -------
    Settings, tuple of str
        What could be read, defaults for the rest; one sentence for every part that was left out.
    """
    return read_parts(text, Settings(), _changed, first=NAMES)


def _changed(settings: Settings, key: str, text: str) -> Settings:
    """Settings with one key of the address set, if the page has a control for it and the value lies in its range."""
    if key in NAMES:
        read: object = _whole(key, text) if key in ("households", "seed") else text
        candidate = replace(settings, **{key: read})  # type: ignore[arg-type]
        candidate.preset()
        return candidate
    known = {knob.key: knob for knob in knobs(settings.preset())}
    if key not in known:
        raise ValueError(unknown("parameter", key, [*known, *NAMES]))
    knob = known[key]
    return settings.with_change(key, knob.read(text), knob.default)


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        low, high = HOUSEHOLDS if name == "households" else SEEDS
        raise ValueError(f"{name} is {text!r}; give a whole number from {low} to {high}") from None
