"""Lines of Python that give the numbers of a page with the public functions of ``meanwatt``."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from meanwatt.model.scenario.economy import DAYS_PER_MONTH

NUMBERS: Final = (
    ("burden gap, % of income", '100 * {side}.metrics["burden_gap"]'),
    ("price swing (IMV), USD/kWh", '{side}.metrics["imv"]'),
    ("peak to average", '{side}.metrics["peak_to_average"]'),
    ("utility's surplus, USD per home and day", '{side}.metrics["surplus_usd_per_household_day"]'),
)
"""Names of the key numbers, and where a solution has them."""
MONTHLY: Final = (
    *NUMBERS[:1],
    ("Suits index", '{side}.metrics["suits"]'),
    *NUMBERS[1:3],
    ("utility's surplus, USD a month", f'{DAYS_PER_MONTH:.12g} * {{side}}.metrics["surplus_usd_per_household_day"]'),
    (
        "solar curtailed, kWh a month",
        f"{DAYS_PER_MONTH:.12g} * {{side}}.equilibrium.curtailed_kwh_per_household_day",
    ),
)
"""The same of a comparison."""
WELFARE: Final = 'best.welfare_usd_per_household_day - {side}.metrics["welfare_usd_per_household_day"]'
SLOW: Final = "  # the planner's optimum takes longest"


def call(function: str, *arguments: Any, **named: Any) -> str:
    """A call as it is written; arguments that are None or empty changes are left out."""
    given = [repr(argument) for argument in arguments]
    given += [f"{name}={value!r}" for name, value in named.items() if value is not None and value != {}]
    return f"{function}({', '.join(given)})"


def solve_call(scenario: str, tariff: str, changes: Mapping[str, Any]) -> str:
    """The call that solves a tariff; without certificates, which no page shows."""
    return call("meanwatt.solve", scenario, tariff=tariff, overrides=dict(changes), certify="none")


def one_tariff(solve: str, simulate: str = "") -> str:
    """Key numbers of one tariff and, if there is a ``simulate``, the days of its market."""
    rows = [f'    "{name}": {code.format(side="solution")},' for name, code in NUMBERS]
    days = ["", f"market = {simulate}", "print(market.to_frame())"] if simulate else []
    return _joined(
        [
            "import meanwatt",
            "",
            f"solution = {solve}",
            "numbers = {",
            *rows,
            "}",
            "print(numbers)",
            "print(solution.groups)",
            "print(solution.to_frame())",
            *days,
            "",
            f"best = meanwatt.solve_first_best(solution.economy){SLOW}",
            f'numbers["efficiency gap, USD per home and day"] = {WELFARE.format(side="solution")}',
            "print(numbers)",
        ]
    )


def two_tariffs(solves: Sequence[str]) -> str:
    """Key numbers of A and B, as the page of comparisons has them."""
    rows = [f'    "{name}": [{code.format(side="side")} for side in sides],' for name, code in MONTHLY]
    gap = f"{DAYS_PER_MONTH:.12g} * ({WELFARE.format(side='side')})"
    return _joined(
        [
            "import meanwatt",
            "",
            "sides = [",
            *(f"    {solve}," for solve in solves),
            "]",
            "numbers = {",
            *rows,
            "}",
            "print(numbers)",
            "print(*(side.groups for side in sides))",
            "print(*(side.to_frame() for side in sides))",
            "",
            f"best = meanwatt.solve_first_best(sides[0].economy){SLOW}",
            f'numbers["efficiency gap, USD a month"] = [{gap} for side in sides]',
            "print(numbers)",
        ]
    )


def one_call(name: str, made: str, *shown: str) -> str:
    """A result of one call, and what is printed of it."""
    return _joined(["import meanwatt", "", f"{name} = {made}", *(f"print({part})" for part in shown)])


def _joined(rows: Sequence[str]) -> str:
    return "\n".join(rows) + "\n"
