"""The settings of a page in its address: written with only what differs from the defaults, read with care."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.shared.own_tariff import packed, unpacked
from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import HOUSEHOLDS, SEEDS, Settings, opening_tariff
from meanwatt.model.scenario.nearest import unknown

NAMES = ("scenario", "tariff", "households", "seed")
"""Settings with a name of their own in the address; all others are keys of the scenario."""
FILE = "file"
"""A whole tariff that is none of the scenario's, as another page hands it over; see `own_tariff`."""
LOOK = ("bus", "home")
"""What is looked at: the number of a bus, from 0, and of a home of it, from 1 as the page calls it."""
MOST_LOOK = 10**6
Look = tuple[int | None, int | None]
"""Number of a bus and of a household of the market, both from 0; None if none is chosen."""
NOWHERE: Look = (None, None)


def query(settings: Settings, *, whole: bool = False, look: Look = NOWHERE) -> str:
    """Write the settings as the query of an address: what differs from the defaults, or the whole, for a file.

    Parameters
    ----------
    look
        The bus and the home that are looked at, if any.
    """
    plain = Settings()
    if opening_tariff(settings.scenario) != plain.tariff:
        plain = replace(plain, tariff="")
    pairs = [(name, getattr(settings, name)) for name in NAMES]
    written = [(name, value) for name, value in pairs if whole or value != getattr(plain, name)]
    if settings.own:
        written.append((FILE, packed(settings.own)))
    written += [(key, f"{value:.10g}" if isinstance(value, float) else value) for key, value in settings.changes]
    bus, home = look
    if bus is not None:
        written.append((LOOK[0], bus))
    if bus is not None and home is not None:
        written.append((LOOK[1], home + 1))
    return urlencode(written, safe=".:")


def link_to(settings: Settings) -> str:
    """Where this page shows a tariff; empty if an address cannot hold it."""
    try:
        return f"/?{query(settings)}"
    except ValueError:
        return ""


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
    return read_parts(text, Settings(), _changed, first=(*NAMES, FILE))


def look_of(text: str) -> Look:
    """The bus and the home that an address looks at; what cannot be read is told by `from_query`."""
    given = dict(parse_qsl(text.lstrip("?")))
    found: list[int | None] = []
    for key in LOOK:
        try:
            found.append(_place(key, given[key]) if key in given else None)
        except ValueError:
            found.append(None)
    bus, home = found
    return bus, home if bus is not None else None


def _changed(settings: Settings, key: str, text: str) -> Settings:
    """Settings with one key of the address set, if the page has a control for it and the value lies in its range."""
    if key in NAMES:
        if key == "scenario":
            return replace(settings, scenario=text, tariff=opening_tariff(text))
        read: object = _whole(key, text) if key in ("households", "seed") else text
        candidate = replace(settings, **{key: read})  # type: ignore[arg-type]
        candidate.preset()
        return candidate
    if key == FILE:
        candidate = replace(settings, own=unpacked(text))
        candidate.preset()
        return candidate
    if key in LOOK:
        _place(key, text)
        return settings
    known = {knob.key: knob for knob in knobs(settings.preset())}
    if key not in known:
        raise ValueError(unknown("parameter", key, [*known, *NAMES, FILE, *LOOK]))
    knob = known[key]
    return settings.with_change(key, knob.read(text), knob.default)


def _place(name: str, text: str) -> int:
    """Number of a bus or of a home as an address writes it, from 0."""
    least = LOOK.index(name)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_LOOK)) and least <= int(text) <= MOST_LOOK):
        raise ValueError(f"{name} is {text[:40]!r}; give a whole number from {least} to {MOST_LOOK}")
    return int(text) - least


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        low, high = HOUSEHOLDS if name == "households" else SEEDS
        raise ValueError(f"{name} is {text!r}; give a whole number from {low} to {high}") from None
