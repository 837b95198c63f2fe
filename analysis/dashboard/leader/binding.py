"""What holds the tariff found where it is: bounds of the family, the price cap, cost recovery, the capped credit."""

from dataclasses import dataclass
from typing import Final, Literal

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.dashboard.leader.sighted import Posted, Sighted

AT_BOUND: Final = 1e-3
"""Distance from a bound that counts as none, as a share of the parameter's range: what is seen on a page."""
AT_CAP_USD_PER_KWH: Final = 1e-5
"""Room below a price that counts as none. [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One free parameter of the tariff.

    Attributes
    ----------
    name
        As in `meanwatt.model.mean_field.leader.tariff_family.TariffFamily`.
    value, low, high
        Where it is, and its bounds.
    at
        The bound that it is held at, if any.
    """

    name: str
    value: float
    low: float
    high: float
    at: Literal["low", "high", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What binds beside bounds.

    Attributes
    ----------
    recovers_cost
        Whether the fixed charge is what makes revenue cover cost.
    hours_at_cap
        Hours of an expected day in which the import rate is at the leader's cap; None without a cap.
    capped_hours
        Hours in which the export credit is at the import rate, where the tariff caps it there.
    """

    recovers_cost: bool
    hours_at_cap: float | None
    capped_hours: float


def parameters(seen: Sighted, posted: Posted) -> tuple[Parameter, ...]:
    """Free parameters of a tariff of the family."""
    family = seen.family
    return tuple(
        Parameter(
            name=name,
            value=posted.parameters[name],
            low=float(low),
            high=float(high),
            at=_bound(posted.parameters[name], float(low), float(high)),
        )
        for name, low, high in zip(family.free, family.low, family.high, strict=True)
    )


def _bound(value: float, low: float, high: float) -> Literal["low", "high", ""]:
    room = AT_BOUND * (high - low)
    return "low" if value <= low + room else "high" if value >= high - room else ""


def held(seen: Sighted, posted: Posted) -> Held:
    """What else holds the tariff, over the expected day."""
    found = posted.equilibrium
    hours = found.economy.common.probability[:, None] * found.economy.slot_hours
    rates = found.rates
    cap = seen.aims.price_cap_usd_per_kwh
    at_cap = None
    if cap is not None:
        at_cap = float((hours * (rates.import_usd_per_kwh >= cap - AT_CAP_USD_PER_KWH)).sum())
    tariff = found.tariff
    at_import = rates.export_usd_per_kwh >= rates.import_usd_per_kwh - AT_CAP_USD_PER_KWH
    return Held(
        recovers_cost=tariff.recovery is Recovery.FIXED,
        hours_at_cap=at_cap,
        capped_hours=float((hours * at_import).sum()) if tariff.capped_at_import else 0.0,
    )
