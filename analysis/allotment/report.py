"""Allotments as the object that ``allot --json`` prints, and as tables of a result directory."""

from collections.abc import Sequence
from typing import Any, Final

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.allotment.allot import Allotment, ClassRate
from meanwatt.analysis.allotment.customers import Customers
from meanwatt.analysis.allotment.moves import Entry
from meanwatt.analysis.allotment.names import classes_of, home_names
from meanwatt.analysis.metrics.residual_allotment import Allotter

WORDS: Final = (
    "income",
    "technology",
    "technology_after",
    "rate_class",
    "rate_class_after",
    "branch",
    "branch_after",
)
"""Keys of a home that say who it is."""


def allotment_json(done: Allotment) -> dict[str, Any]:
    """The object that ``allot --json`` prints; money is per household-day, and what cannot be allotted is None.

    ``homes`` has a row for every household type, or with a shift for every pair of types before and after it.
    """
    shifted = done.after
    names = home_names(done.entries, done.before, done.after)
    return {
        "scenario": done.before.economy.scenario.name,
        "tariff": called(done.before.tariff),
        "tariff_after": None if shifted is None else called(shifted.tariff),
        "outcome": done.outcome,
        "message": done.message,
        "messages": done.messages,
        "residual_usd_per_household_day": done.residual_usd_per_household_day,
        "cap_usd_per_kwh": done.cap_usd_per_kwh,
        "allotters": list(Allotter),
        "homes": [_home(done, place, entry, names[place]) for place, entry in enumerate(done.entries)],
        "default_rates": [_rate(one) for one in done.default_rates],
        "seconds": done.seconds,
        "compile_seconds": compile_seconds(),
    }


def allotment_tables(done: Allotment) -> dict[str, dict[str, Any]]:
    """Tables of a result directory: ``homes``, a row for each home and allotter, and ``default_rates``."""
    result = allotment_json(done)
    rows = [
        {name: home[name] for name in (*WORDS, "share") if name in home}
        | {"allotter": allotter}
        | {name: home["before"][name] for name in ("own_marginal_cost_usd_per_day", "imported_kwh_per_day")}
        | {"allotted_usd_per_day": home["before"]["allotted_usd_per_day"][allotter]}
        | _shift_columns(home, allotter)
        for home in result["homes"]
        for allotter in Allotter
    ]
    return {"homes": _columns(rows), "default_rates": _columns(result["default_rates"])}


def _home(done: Allotment, place: int, entry: Entry, name: str) -> dict[str, Any]:
    """Who it is, what its load costs, what it is allotted, and what a shift does to it."""
    assert done.customers is not None
    types = done.before.economy.types
    lived = done.before if done.after is None else done.after
    old, new = types[entry.before], lived.economy.types[entry.after]
    row: dict[str, Any] = {
        "name": name,
        "income": old.income_group,
        "technology": old.technology,
        "technology_after": new.technology,
        "rate_class": classes_of(done.before)[entry.before],
        "rate_class_after": classes_of(lived)[entry.after],
        **({"branch": old.branch, "branch_after": new.branch} if old.branch or new.branch else {}),
        "share": entry.share,
        "before": _side(done.customers, entry.before, done.allotted, place),
        "after": None,
        "shift": None,
    }
    if done.shift is not None and done.shifted is not None and done.allotted_after is not None:
        row["after"] = _side(done.shifted, entry.after, done.allotted_after, place)
        row["shift"] = {
            allotter: None
            if found is None
            else {
                "frozen_usd_per_day": float(found.frozen[place]),
                "adjusting_usd_per_day": float(found.adjusting[place]),
                "sign_differs": bool(found.sign_differs[place]),
            }
            for allotter, found in done.shift.items()
        }
    return row


def _side(customers: Customers, place: int, allotted: dict[Allotter, Floats | None], entry: int) -> dict[str, Any]:
    """A home at the loads before a shift, or after it; its bill is aligned where it exceeds neither cost nor part."""
    bill = float(customers.bill_usd_per_day[place])
    cost = float(customers.loads.own_marginal_cost_usd_per_day[place])
    parts = {one: None if found is None else float(found[entry]) for one, found in allotted.items()}
    return {
        "own_marginal_cost_usd_per_day": cost,
        "imported_kwh_per_day": float(customers.loads.imported_kwh_per_day[place]),
        "bill_usd_per_day": bill,
        "allotted_usd_per_day": parts,
        "bill_alignment_usd_per_day": {
            one: None if part is None else bill - cost - part for one, part in parts.items()
        },
    }


def _rate(one: ClassRate) -> dict[str, Any]:
    """A default rate, or why there is none."""
    found = one.rate
    return {
        "level": one.level,
        "name": one.name,
        "share": one.share,
        "allotter": one.allotter,
        "allotted_usd_per_day": one.allotted_usd_per_day,
        "usd_per_kwh": None if found is None else found.usd_per_kwh,
        "reason": None if found is None else found.reason,
        "missing_usd_per_day": None if found is None else found.missing_usd_per_day,
        "largest_margin_usd_per_day": None if found is None else found.largest_margin_usd_per_day,
    }


def _shift_columns(home: dict[str, Any], allotter: Allotter) -> dict[str, Any]:
    """What a shift does to a home, as columns; none without one."""
    if home["shift"] is None:
        return {}
    found = home["shift"][allotter] or {}
    return {
        "allotted_after_usd_per_day": home["after"]["allotted_usd_per_day"][allotter],
        **{name: found.get(name) for name in ("frozen_usd_per_day", "adjusting_usd_per_day")},
    }


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; an undefined number is nan, an undefined word empty."""
    words = {*WORDS, "allotter", "level", "name", "reason"}
    return {
        name: [("" if name in words else float("nan")) if row[name] is None else row[name] for row in rows]
        for name in rows[0]
    }
