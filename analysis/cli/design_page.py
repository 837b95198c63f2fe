"""What ``meanwatt design`` prints for people."""

from typing import TYPE_CHECKING, Any

from meanwatt.analysis.cli.leader_options import books_sentence
from meanwatt.analysis.leader.registry import find
from meanwatt.model.scenario.counted import counted

if TYPE_CHECKING:
    from meanwatt.analysis.leader.objective import Objective


def print_design(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import figure, percent, say, table

    say(f"{result['scenario']}, {result['leader']}: {result['message']} ({result['seconds']:.1f} s)\n")
    if result["tariff"] is None:
        return
    if result["learning"] is not None:
        _learning_line(result["learning"], result["books"], find(result["leader"]))
    table(
        "The tariff",
        ("parameter", "value"),
        [(name, figure(value, 4)) for name, value in result["parameters"].items()]
        + [(f"fixed charge, {group}, USD/day", figure(v)) for group, v in result["fixed_charge_usd_per_day"].items()],
    )
    before, after = result["baseline"]["metrics"], result["metrics"]
    objective = find(result["leader"])
    digits = 3 if objective.is_money else 5
    table(
        "Against the tariff in force",
        ("", result["baseline"]["tariff"], "designed", "unit"),
        [
            (
                "objective",
                *(figure(value, digits) for value in (result["baseline"]["objective"], result["objective"])),
                objective.unit.replace(" per ", "/"),
            ),
            *(
                (label, figure(before[key], digits), figure(after[key], digits), unit)
                for label, key, digits, unit in (
                    ("welfare", "welfare_usd_per_household_day", 3, "USD/household-day"),
                    ("gap to first best", "efficiency_gap_usd_per_household_day", 4, "USD/household-day"),
                    ("utility's surplus", "surplus_usd_per_household_day", 3, "USD/household-day"),
                    ("price volatility (IMV)", "imv", 4, "USD/kWh per slot"),
                    ("Suits index", "suits", 3, ""),
                )
            ),
            ("burden gap", percent(before["burden_gap"]), percent(after["burden_gap"]), "of income"),
        ],
    )
    _cold_table(result["cold"], objective)


def _cold_table(cold: dict[str, Any] | None, objective: "Objective") -> None:
    """Print the objective of every tariff at the scenario's temperature and cold."""
    from meanwatt.analysis.cli.show import figure, table

    if cold is None:
        return
    digits = 4 if objective.is_money else 5
    table(
        f"Objective, {objective.unit}, at temperature {cold['temperature_usd']:g} USD and among cold households",
        ("tariff", "at its own", "cold", "cold at, USD", "found"),
        [
            (
                row["tariff"] if row["same_as"] is None else f"{row['tariff']} (as {row['same_as']})",
                figure(row["objective"], digits),
                figure(row["cold_objective"], digits),
                "–" if row["cold_temperature_usd"] is None else f"{row['cold_temperature_usd']:.3g}",
                str(row["cold_way"]),
            )
            for row in cold["tariffs"]
        ],
    )


def _learning_line(learning: dict[str, Any], books: dict[str, Any], objective: "Objective") -> None:
    from meanwatt.analysis.cli.show import figure, say
    from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR

    where = "the mean field"
    if learning["environment"] == "market":
        where = f"markets of {counted(learning['households'], 'household')} and {counted(learning['days'], 'day')}"
    lost = learning[f"regret_{objective.key}"]
    days = learning["metered_days"]
    say(
        f"Learned from the meters of {where}, seed {learning['seed']}: {days:,} metered days"
        f" ({days / DAYS_PER_YEAR:.1f} years)."
    )
    if lost is not None:
        say(f"Regret against the commitment: {figure(lost, 4)} {objective.unit.replace(' per ', '/')}.")
    if books["shortfall_usd_per_household_day"] is not None:
        say(books_sentence(books))
    say("")
