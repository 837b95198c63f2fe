"""Rate classes in the results of a search for tariffs: a row each, and files that solve to the same numbers."""

from collections.abc import Collection
from typing import Any

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.design.design import tariff_table
from meanwatt.analysis.output.rate_classes import class_bills_usd_per_year, class_names, class_of_type, rate_class_rows
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.branches import by_rate_class
from meanwatt.model.scenario.calendar_file import DERIVED
from meanwatt.model.scenario.calendar_file import NAME as CALENDAR
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.rate_classes import DEFAULT
from meanwatt.model.scenario.toml_text import toml_text


def design_class_rows(found: Equilibrium, in_force: Equilibrium) -> list[dict[str, Any]]:
    """A row of ``solve --json`` for every rate class, with its tariff as a file writes it and its mean bills.

    ``bill_usd_per_year`` is the mean of its own households, ``bill_in_force_usd_per_year`` what these pay in force.
    """
    places = class_of_type(found)
    paid, before = (class_bills_usd_per_year(one, places).tolist() for one in (found, in_force))
    tariffs = found.tariff.class_tariffs
    return [
        {
            **row,
            "tariff_table": tariff_table(tariff, found.economy),
            "bill_usd_per_year": bill,
            "bill_in_force_usd_per_year": once,
        }
        for row, tariff, bill, once in zip(rate_class_rows(found), tariffs, paid, before, strict=True)
    ]


def bills_by_class_in_force(in_force: Equilibrium, found: Equilibrium) -> list[dict[str, Any]]:
    """Share and mean bill, in force and as found, of the households in each rate class in force."""
    places, share = class_of_type(in_force), in_force.economy.type_share
    before, after = (class_bills_usd_per_year(one, places).tolist() for one in (in_force, found))
    return [
        {
            "name": name,
            "share": float(share[places == place].sum()),
            "bill_usd_per_year": after[place],
            "bill_in_force_usd_per_year": before[place],
        }
        for place, name in enumerate(class_names(in_force))
    ]


def tariff_files(tariff: Tariff, economy: Economy, name: str = "tariff", title: str = "") -> dict[str, str]:
    """A tariff as ``NAME.toml``; rate classes as a file each, and as a whole scenario that has them in force.

    That is ``scenario.toml`` for the tariff of a search, ``NAME_scenario.toml`` else.
    """
    titled = {"title": title} if title else {}
    each = {one: tariff_table(own, economy) | titled for one, own in by_rate_class(tariff).items()}
    if len(each) == 1:
        return {f"{name}.toml": toml_text(next(iter(each.values())))}
    whole = "scenario.toml" if name == "tariff" else f"{name}_scenario.toml"
    return {
        **{f"{name}_{one}.toml": toml_text(table) for one, table in each.items()},
        whole: toml_text(classes_table(each, economy, "designed" if name == "tariff" else name)),
    }


def classes_table(each: dict[str, dict[str, Any]], economy: Economy, stem: str) -> dict[str, Any]:
    """A scenario whose rate classes have tariffs given as tables, named ``STEM_CLASS``, whole, as a file writes it."""
    scenario = economy.scenario
    whole = scenario.model_dump(exclude_defaults=True)
    if CALENDAR in whole:
        whole = {key: value for key, value in whole.items() if key not in DERIVED}
    names = {name: free_name(f"{stem}_{name}", scenario.tariffs) for name in each}
    return whole | {
        "default_tariff": names[DEFAULT],
        "rate_classes": {name: {**table, "tariff": names[name]} for name, table in whole["rate_classes"].items()},
        "tariffs": {**whole["tariffs"], **{names[name]: table for name, table in each.items()}},
    }


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name wanted, or one that is not taken and begins so."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name
