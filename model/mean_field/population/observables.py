"""What is measured of each move, and its slopes in the rates while the moves themselves stay as they are."""

import numpy as np

from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.demand import wanted_slope_kw
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import SlotOutcome, import_rate_seen, plan_reward_usd
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates, payment_usd


def observed(
    household: HouseholdType, rates: Rates, response: Response, horizon: DecisionProblem, only_net_load: bool
) -> tuple[Floats, Floats, Floats]:
    """What is measured of each move, and its slopes in the import and the export rate. (observable, c, h, z, j)"""
    brought, hours = response.outcome, horizon.slot_hours
    net_kw, imported_kw = brought.net_load_kw, brought.imported_kw
    bought, sold = import_rate_seen(household, rates), rates.export_usd_per_kwh[:, :, None, None]
    dn_import, dn_export = use_slopes(household, rates, brought, horizon)
    if only_net_load:
        parted = _parted(household, rates, brought, horizon, only_net_load)
        return net_kw[None], dn_import[None] + parted[0], dn_export[None] + parted[1]
    shape = net_kw.shape
    nothing = np.zeros(shape)
    seen = np.stack(
        [
            net_kw,
            brought.payment_usd,
            brought.utility_usd,
            np.broadcast_to(brought.wear_usd, shape),
            imported_kw,
        ]
    )
    money_import, money_export = hours * bought * dn_import, hours * sold * dn_export
    slope_import = np.stack([dn_import, hours * imported_kw + money_import, money_import, nothing, dn_import])
    slope_export = np.stack([dn_export, hours * (net_kw - imported_kw) + money_export, money_export, nothing, nothing])
    parted = _parted(household, rates, brought, horizon, only_net_load)
    return seen, slope_import + parted[0], slope_export + parted[1]


def _parted(
    household: HouseholdType, rates: Rates, brought: SlotOutcome, horizon: DecisionProblem, only_net_load: bool
) -> tuple[Floats | float, Floats | float]:
    """What households that change their plan add to the slopes in either rate. (observable, c, h, z, j)

    The covariance of what is measured with what plans are worth, over the temperature; 0 where nobody parts.
    """
    split = brought.split
    if split is None:
        return 0.0, 0.0
    net_kw, hours = split.net_load_kw, horizon.slot_hours
    imported_kw = np.maximum(net_kw, 0.0)
    seen = [net_kw]
    if not only_net_load:
        bought, sold = (r[:, :, None, None, None] for r in (rates.import_usd_per_kwh, rates.export_usd_per_kwh))
        paid = payment_usd(net_kw, bought, sold, hours)
        worth = plan_reward_usd(household, rates, split, horizon.shock_levels, hours)
        seen += [paid, worth + paid, np.zeros_like(net_kw), imported_kw]

    def moved(worth_slope: Floats) -> Floats:
        away = split.share * (worth_slope - split.mean(worth_slope)[..., None]) / split.temperature_usd
        return np.stack([(away * of_plan).sum(axis=-1) for of_plan in seen])

    return moved(-hours * imported_kw), moved(-hours * (net_kw - imported_kw))


def use_slopes(
    household: HouseholdType, rates: Rates, brought: SlotOutcome, horizon: DecisionProblem
) -> tuple[Floats, Floats]:
    """Slopes of a move's use in the import rate, where it buys, and in the export rate, where it sells. (c, h, z, j)

    0 beyond the flexibility and at exactly zero net load; where households part, as many as buy or sell.
    [kW per USD/kWh]
    """
    reference_kw = household.reference_kw[:, :, None, None] * horizon.shock_levels[:, None]

    def slope(acting: Floats, rate: Floats) -> Floats:
        steepest = wanted_slope_kw(
            reference_kw,
            rate,
            elasticity=household.elasticity,
            flexibility=household.flexibility,
            reference_price=household.reference_price_usd_per_kwh,
        )
        return np.where(acting > 0, steepest * acting, 0.0)

    split = brought.split
    net_kw = brought.net_load_kw if split is None else split.net_load_kw
    acting = (net_kw > 0).astype(float), (net_kw < 0).astype(float)
    if household.envelope is not None:  # at a limit use answers no rate
        limits = household.envelope.limits_kw.reshape(2, *reference_kw.shape[:2], *(1,) * (net_kw.ndim - 2))
        acting = acting[0] * (net_kw < limits[0]), acting[1] * (net_kw > -limits[1])
    buying, selling = acting if split is None else map(split.mean, acting)
    selling_at = rates.export_usd_per_kwh[:, :, None, None]
    return slope(buying, import_rate_seen(household, rates)), slope(selling, selling_at)
