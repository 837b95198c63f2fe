"""Key figures: their names, units and explanations, and how a number is written."""

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

FIGURES = {
    "efficiency": ("Efficiency gap", "$ per home a day", "Welfare lost against the planner's optimum."),
    "gap": ("Burden gap", "% of income", "Highest less lowest burden of the income groups."),
    "imv": ("Price swing (IMV)", "$/kWh", "Mean absolute change of the wholesale price from hour to hour."),
    "peak": ("Peak to average", "×", "Highest net load over its mean."),
    "surplus": (
        "Utility's surplus",
        "$ per home a day",
        "Bills less energy and network cost; negative is a loss.",
    ),
    "volts": ("Lowest voltage", "pu", "Lowest bus voltage of the mean field's days, all weathers."),
    "curtailed": (
        "Solar curtailed",
        "kWh per home a day",
        "Solar output that inverters hold back, because using or exporting it would cost; mean over all homes.",
    ),
}
"""Label, unit and explanation of each key figure."""
ANCHORS = {
    "efficiency": "efficiency-gap",
    "gap": "burden-gap",
    "suits": "suits",
    "imv": "imv",
    "peak": "peak-to-average",
    "surplus": "surplus",
    "volts": "pu",
    "curtailed": "curtailed",
}
"""Where the help page explains each key figure."""


def recovered(solution: Solution) -> str:
    """What the recovery of the cost added to the rates or to the fixed charge."""
    equilibrium = solution.equilibrium
    if equilibrium.tariff.recovery is Recovery.VOLUMETRIC:
        return f"adder {number(equilibrium.adder_usd_per_kwh, 3)} $/kWh"
    if equilibrium.tariff.recovery is Recovery.FIXED:
        charges = DAYS_PER_MONTH * equilibrium.fixed_charge_usd_per_day
        ends = dict.fromkeys(usd(float(end), 0) for end in (charges.min(), charges.max()))
        return f"fixed charge {' to '.join(ends)}/month"
    return "rates as posted"


def number(value: float | None, digits: int) -> str:
    """Number with a true minus sign; a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def usd(value: float, digits: int) -> str:
    """Dollars with the sign in front of the currency: ``−$8``; what is printed as nothing has no sign."""
    size = f"{abs(value):.{digits}f}"
    return f"{'−' if value < 0 and float(size) else ''}${size}"


def group_label(name: str) -> str:
    """Name of an income group in words."""
    return f"{name.replace('_', ' ').capitalize()} income"
