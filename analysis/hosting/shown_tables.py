"""The tables of a sweep for people: first violations by tariff and kind, and what holds at each level."""

from collections.abc import Callable, Sequence
from typing import Any

from meanwatt.analysis.hosting.curves_report import curves_named
from meanwatt.analysis.hosting.stress import CURTAILED, LIMIT_CURTAILED, PRICE_CURTAILED
from meanwatt.analysis.output.written_numbers import figure
from meanwatt.analysis.report.page import Table


def hosting_tables_shown(result: dict[str, Any]) -> list[Table]:
    """The result for people: first violations by tariff and kind, and how often a limit is broken at each level."""
    rows = result["tariffs"]
    first = [
        (
            f"{row['tariff']}, {kind.replace('_', ' ')}",
            *(_level(found[name]) for name in ("p5", "p50", "p95")),
            str(row["placements_without_violation"][kind]),
        )
        for row in rows
        for kind, found in row["first_violation"].items()
        if kind == "any" or row["placements_without_violation"][kind] < result["placements"]
    ]
    names = ("adoption", *(row["tariff"] for row in rows))
    extreme, voltage = ("Highest", "max_voltage_pu") if result["swept"] == "solar" else ("Lowest", "min_voltage_pu")

    def by_level(values: Callable[[dict[str, Any], int], str]) -> list[tuple[str, ...]]:
        levels = enumerate(result["adoption"])
        return [(f"{100 * adoption:g} %", *(values(row, place) for row in rows)) for place, adoption in levels]

    return [
        Table(
            title="Adoption at the first violation: reached by 5, 50 and 95 % of placements; placements without one",
            heads=("tariff, kind", "5 %", "50 %", "95 %", "without"),
            rows=first,
        ),
        *_beside(rows),
        *_with_curves(result),
        *_by_phase(result),
        *_curtailed(result),
        Table(
            title="Placements with any violation, %",
            heads=names,
            rows=by_level(lambda row, place: figure(_percent(row["violation_share"]["any"][place]), 0)),
        ),
        Table(
            title=f"{extreme} voltage, median over placements, pu",
            heads=names,
            rows=by_level(lambda row, place: figure(row[voltage]["p50"][place], 4)),
        ),
    ]


def _beside(rows: Sequence[dict[str, Any]]) -> list[Table]:
    """The other tariffs beside the first one."""
    if len(rows) < 2:
        return []

    def gain(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:+g}"

    return [
        Table(
            title=f"First violation beside that under {rows[0]['tariff']}, in the same placements; median in points",
            heads=("tariff", "later", "same", "earlier", "median"),
            rows=[
                (row["tariff"], *(str(found[key]) for key in ("later", "same", "earlier")), gain(found["gain"]))
                for row in rows[1:]
                for found in [row["beside_first_tariff"]["any"]]
            ],
        )
    ]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _with_curves(result: dict[str, Any]) -> list[Table]:
    """First violations with inverters' curves beside those without, and what the curves hold back."""
    found = result["volt_watt"]
    if found is None:
        return []
    name, rows = curves_named(found), found["tariffs"]
    without = "first_violation_without"
    return [
        Table(
            title=f"Adoption at the first violation with {name}, and without, reached by 5, 50 and 95 % of placements",
            heads=("tariff, kind", "5 %", "50 %", "95 %", "5 %, without", "50 %, without", "95 %, without"),
            rows=[
                (
                    f"{row['tariff']}, {kind.replace('_', ' ')}",
                    *(_level(row[which][kind][p]) for which in ("first_violation", without) for p in first),
                )
                for row in rows
                for kind, first in row["first_violation"].items()
                if kind == "any" or not _never(kind, row, result)
            ],
        ),
        Table(
            title=f"Held back by {name}, median over placements, kWh per household-day",
            heads=("adoption", *(row["tariff"] for row in rows)),
            rows=[
                (f"{100 * adoption:g} %", *(figure(row[CURTAILED]["p50"][place], 4) for row in rows))
                for place, adoption in enumerate(result["adoption"])
            ],
        ),
    ]


def _by_phase(result: dict[str, Any]) -> list[Table]:
    """First violations by phase beside those of the balanced power flow, and the largest unbalance by level."""
    found = result["phases"]
    if found is None:
        return []
    rows, balanced = found["tariffs"], "first_violation_balanced"
    return [
        Table(
            title="Adoption at the first violation by phase, and balanced, reached by 5, 50 and 95 % of placements",
            heads=("tariff, kind", "5 %", "50 %", "95 %", "5 %, balanced", "50 %, balanced", "95 %, balanced"),
            rows=[
                (
                    f"{row['tariff']}, {kind.replace('_', ' ')}",
                    *(_level(row[which][kind][p]) for which in ("first_violation", balanced) for p in first),
                )
                for row in rows
                for kind, first in row["first_violation"].items()
                if kind == "any" or not _never(kind, row, result)
            ],
        ),
        Table(
            title="Largest unbalance of a bus, median over placements, %",
            heads=("adoption", *(row["tariff"] for row in rows)),
            rows=[
                (f"{100 * adoption:g} %", *(figure(row["unbalance_percent"]["p50"][place], 3) for row in rows))
                for place, adoption in enumerate(result["adoption"])
            ],
        ),
    ]


def _curtailed(result: dict[str, Any]) -> list[Table]:
    """What homes within operating envelopes curtail, at their limits and for prices below zero."""
    found = result["envelopes"]
    if found is None:
        return []
    rows, causes = found["tariffs"], {LIMIT_CURTAILED: "envelope", PRICE_CURTAILED: "price"}
    return [
        Table(
            title="Curtailed at an envelope's limit, and for prices below zero; median, kWh per household-day",
            heads=("adoption", *(f"{row['tariff']}, {cause}" for row in rows for cause in causes.values())),
            rows=[
                (
                    f"{100 * adoption:g} %",
                    *(figure(row[name]["p50"][place], 4) for row in rows for name in causes),
                )
                for place, adoption in enumerate(result["adoption"])
            ],
        )
    ]


def _level(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:g} %"


def _never(kind: str, row: dict[str, Any], result: dict[str, Any]) -> bool:
    """Whether no placement breaks a limit of this kind under a tariff, with the curves or without."""
    plain = next(one for one in result["tariffs"] if one["tariff"] == row["tariff"])
    return all(one["placements_without_violation"][kind] == result["placements"] for one in (row, plain))
