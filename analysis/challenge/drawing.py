"""A tariff that a person draws: rates by the hour, what exports earn, and who carries the fixed charge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.tariff.components.standing_charge import StandingCharge
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff, rates
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario

HOURS: Final = 24
RATE_OVER_REFERENCE: Final = 3
"""Highest rate that can be drawn, as a multiple of the scenario's reference price, rounded up to 10 cents."""
MOST_PARTS: Final = 10.0
"""Most parts of the fixed charge that an income group can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What can be drawn in a scenario: rates from 0 to this one, and parts for each of these income groups."""

    rate_usd_per_kwh: float
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawn tariff. Its fixed charge is what the rates leave of the cost, or a refund if they bring more than that.

    Attributes
    ----------
    rates_usd_per_kwh
        Import rate of each hour of the day, the same on all days. [USD/kWh]
    export_share
        Share of the import rate of the hour that an exported kWh earns, in [0, 1].
    net_metering
        Whether an exported kWh earns the whole import rate, whatever the share says.
    parts
        Of the fixed charge that a home of each income group carries: 1, 1 and 2 make the last pay double.
    """

    rates_usd_per_kwh: tuple[float, ...]
    export_share: float
    net_metering: bool
    parts: tuple[float, ...]


def limits(scenario: Scenario) -> Limits:
    """What can be drawn in a scenario."""
    reference = scenario.reference_price_usd_per_kwh
    return Limits(
        rate_usd_per_kwh=max(1, math.ceil(round(10 * RATE_OVER_REFERENCE * reference, 6))) / 10,
        groups=tuple(scenario.income_groups),
    )


def require(drawing: Drawing, allowed: Limits) -> None:
    """Raise ``ValueError`` in one sentence, in the units of the page, if a drawing lies outside the limits."""
    top = allowed.rate_usd_per_kwh
    _require_row(("rate", "hours", 100, " ¢/kWh"), drawing.rates_usd_per_kwh, HOURS, top)
    _require_row(("export credit", "numbers", 100, " % of the rate"), (drawing.export_share,), 1, 1.0)
    _require_row(("part of the fixed charge", "income groups", 1, ""), drawing.parts, len(allowed.groups), MOST_PARTS)
    if not any(drawing.parts):
        raise ValueError("no income group carries a part of the fixed charge; give at least one of them a part above 0")


def _require_row(said: tuple[str, str, float, str], values: Sequence[float], count: int, high: float) -> None:
    """Check the number of some values and their range; ``said`` is what they are, where, and in what unit."""
    what, places, factor, unit = said
    if len(values) != count:
        raise ValueError(f"the {what} is given for {len(values)} {places}; give it for {count}")
    for value in values:
        if not 0 <= value <= high:  # also of nan
            raise ValueError(f"the {what} is {factor * value:g}{unit}; give 0 to {factor * high:g}")


def drawn_tariff(drawing: Drawing, economy: Economy, standing_charges: tuple[StandingCharge, ...] = ()) -> Tariff:
    """The tariff of a drawing. Nobody has a discount, no part follows the wholesale price, fixed charges cover cost.

    Parameters
    ----------
    standing_charges
        Charges beside the fixed one that stay as they are.

    Raises
    ------
    ValueError
        In one sentence, if the drawing lies outside the limits.
    """
    require(drawing, limits(economy.scenario))
    hour = np.arange(economy.slots) * HOURS // economy.slots
    days = len(economy.common.day_types)
    energy = np.tile(np.asarray(drawing.rates_usd_per_kwh)[hour], (days, 1))
    return Tariff(
        name="drawn",
        energy_usd_per_kwh=energy,
        export_usd_per_kwh=drawing.export_share * energy,
        pass_through=0.0,
        export_pass_through=0.0,
        export_rule=ExportRule.NET_METERING if drawing.net_metering else ExportRule.NET_BILLING,
        recovery=Recovery.FIXED,
        fixed_charge_usd_per_day=np.zeros(len(economy.groups)),
        fixed_charge_shape=np.asarray(drawing.parts),
        discount=np.zeros(len(economy.groups)),
        standing_charges=standing_charges,
    )


def posted_drawing(economy: Economy, tariff: Tariff) -> Drawing:
    """The drawing that comes nearest to a posted tariff: its mean day in tenths of a cent, one share for all exports.

    Discounts, differences between days and a pass-through of the wholesale price cannot be drawn and are left out.
    """
    common, allowed = economy.common, limits(economy.scenario)
    posted = rates(tariff, common.today, np.zeros((len(common.today), economy.slots)), 0.0)
    slot = np.arange(HOURS) * economy.slots // HOURS
    bought, sold = (
        np.asarray(common.probability @ rate)[slot] for rate in (posted.import_usd_per_kwh, posted.export_usd_per_kwh)
    )
    charges = tariff.fixed_charge_usd_per_day if tariff.recovery is not Recovery.FIXED else tariff.fixed_charge_shape
    least = float(np.min(charges, initial=np.inf, where=charges > 0))
    parts = np.ones(len(charges)) if np.isinf(least) else np.clip(charges / least, 0.0, MOST_PARTS)
    return Drawing(
        rates_usd_per_kwh=tuple(round(rate, 3) for rate in np.clip(bought, 0.0, allowed.rate_usd_per_kwh).tolist()),
        export_share=round(float(np.clip(sold.sum() / max(float(bought.sum()), 1e-9), 0.0, 1.0)), 2),
        net_metering=tariff.export_rule is ExportRule.NET_METERING,
        parts=tuple(round(part, 1) for part in parts.tolist()),
    )
