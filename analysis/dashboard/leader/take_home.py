"""Files of a leader's search that a visitor takes home."""

from dataclasses import replace

from meanwatt.analysis.dashboard.compare.choice import Choice as Pair
from meanwatt.analysis.dashboard.compare.choice import query as pair_query
from meanwatt.analysis.dashboard.compare.edits import Edits
from meanwatt.analysis.dashboard.leader import words
from meanwatt.analysis.dashboard.leader.choice import Choice, query
from meanwatt.analysis.dashboard.leader.numbers import key_numbers
from meanwatt.analysis.dashboard.leader.sighted import Picked, Posted, Sighted, shown
from meanwatt.analysis.dashboard.market.address import link_to
from meanwatt.analysis.dashboard.shared.csv_text import csv_text
from meanwatt.analysis.dashboard.shared.own_tariff import read_tariff
from meanwatt.analysis.dashboard.shared.own_tariff import toml_of as written
from meanwatt.analysis.dashboard.shared.solution import Benchmark
from meanwatt.analysis.design.design import tariff_table
from meanwatt.model.scenario.toml_text import toml_text


def toml_of(seen: Sighted) -> str:
    """The best tariff so far as a file for ``meanwatt solve SCENARIO --tariff FILE``; empty while there is none."""
    if seen.best is None:
        return ""
    equilibrium = seen.best.equilibrium
    return toml_text(tariff_table(equilibrium.tariff, equilibrium.economy))


def compare_link(choice: Choice, seen: Sighted, posted: Posted) -> str:
    """Where the page Compare shows a tariff beside the one in force; empty if an address cannot hold it."""
    before = seen.in_force.tariff.name
    try:
        own = _own(posted)
        return f"/compare?{pair_query(Pair(scenario=choice.scenario, a=before, b=before, edits_b=Edits(own=own)))}"
    except ValueError:
        return ""


def market_link(choice: Choice, posted: Posted) -> str:
    """Where the page Market lets homes live under a tariff; empty if an address cannot hold it."""
    try:
        return link_to(replace(choice.settings, own=_own(posted)))
    except ValueError:
        return ""


def _own(posted: Posted) -> str:
    """A tariff in the form in which pages hand it over."""
    found = posted.equilibrium
    table = tariff_table(found.tariff, found.economy) | {"title": words.FOUND_BY_LEADER}
    return written(read_tariff(toml_text(table)))


def csv_of(choice: Choice, seen: Sighted, benchmark: Benchmark | None, picked: Picked | None = None) -> str:
    """The key numbers of the tariff found, or of one picked from the surface, with what was searched for."""
    looked_at = shown(seen, picked)
    head = {
        "scenario": choice.scenario,
        "leader": choice.leader,
        "concept": choice.concept,
        **dict(seen.aims.weights),
        "price_cap_usd_per_kwh": seen.aims.price_cap_usd_per_kwh,
        "link": f"?{query(choice)}",
        "tariffs_tried": len(seen.steps),
        "message": words.verdict(seen, choice).replace("−", "-"),
        "shown": "the tariff found" if picked is None else "a tariff picked from the Pareto surface",
        **({} if looked_at.best is None else looked_at.best.parameters),
    }
    rows = [
        (row.figure.key, row.figure.unit, *(_plain(row.written(units)) for units in (row.a, row.b, row.difference)))
        for row in key_numbers(looked_at, benchmark)
    ]
    return csv_text(head, ("number", "unit", "in_force", "shown", "change"), rows)


def _plain(text: str) -> str:
    """A number that programs read; empty where it is undefined."""
    return "" if text == "–" else text.replace("−", "-")
