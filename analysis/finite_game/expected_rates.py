"""Rates that one of N households expects where the supply curve bends: an expectation over the other households.

The others' loads are N − 1 independent draws from the population's mean-field law in the common state (c, h), so their
mean X has a law that can be enumerated. With s(x) = P(x) + D(x), where P is the polynomial piece at the mean and D what
other pieces add,

    E s(X + n/N + rest) = P + ½ P'' Var X + ⅙ P''' E(X − E X)³ + E D,

the first three terms exactly. E D is summed over the law of X, and needed only where X reaches another piece. The same
law gives the export credit where the cap binds by chance.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.household.demand import utility_of_use
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.tariff.rates import payment_usd
from meanwatt.agents.tariff.tariff import ExportRule, export_credit
from meanwatt.analysis.finite_game.others import Others
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import Economy

NODES: Final = 65
"""Own net loads at which expectations are tabled; between them a cubic, exact where the curve is a cubic."""
NODES_FEW: Final = 1025
"""The same for fewer than ten households, whose expected price has kinks of its own."""
SCAN: Final = 12
GOLDEN_STEPS: Final = 48
GOLDEN: Final = 0.6180339887498949


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpectedRates:
    """Expected import and export rate over a household's own net load, after its group's discount.

    Attributes
    ----------
    first_kw, spacing_kw
        The net loads of the table are first + k · spacing. [kW]
    bought, sold : (c, h, node)
        Expected rates. [USD/kWh]
    """

    first_kw: float
    spacing_kw: float
    bought: Floats
    sold: Floats

    def payment_usd(self, net_load_kw: Floats, slot_hours: float) -> Floats:
        """Expected payment of a net load (c, h, z, j). [USD]"""
        paid = np.empty_like(net_load_kw)
        _pay(net_load_kw, self.first_kw, self.spacing_kw, self.bought, self.sold, paid)
        return np.asarray(slot_hours * paid)

    @property
    def _costs_less_with_more(self) -> Bools:
        """Where a larger net load may cost less, so that it may pay to curtail sun. (c, h)"""
        nodes = np.asarray(self.first_kw + self.spacing_kw * np.arange(self.bought.shape[-1]))
        paid = payment_usd(nodes, self.bought, self.sold, 1.0)
        wrong_sign = (np.where(nodes > 0, -paid, paid) > 0).any(axis=-1)
        return np.asarray((np.diff(paid, axis=-1) < 0).any(axis=-1) | wrong_sign)

    def best_outcome(self, economy: Economy, household: HouseholdType) -> SlotOutcome:
        """Consequences of every move for a household that knows these rates, all else being best (found by search)."""
        hours = economy.slot_hours
        day = household.storage_day(hours)
        shape = (*household.reference_kw.shape, economy.shock_levels.size, day.moves.size)
        use, net, utility = np.empty((3, *shape))
        _best(
            household.reference_kw,
            household.pv_kw,
            np.where(self._costs_less_with_more, household.pv_kw, 0.0) * household.curtailable,
            economy.shock_levels,
            day.power_kw,
            (float(household.elasticity), float(household.flexibility), float(household.reference_price_usd_per_kwh)),
            (self.first_kw, self.spacing_kw),
            self.bought,
            self.sold,
            use,
            net,
            utility,
        )
        return SlotOutcome(
            moves=day.moves,
            use_kw=use,
            net_load_kw=net,
            utility_usd=hours * utility,
            payment_usd=self.payment_usd(net, hours),
            wear_usd=day.cost_usd,
            choice=day.choice,
        )


def expected_rates(equilibrium: Equilibrium, discount: float, others: Others, place: int = 0) -> ExpectedRates:
    """Table the rates that a household expects by its own net load, after its group's discount.

    Parameters
    ----------
    place
        Of its rate class.
    """
    economy, tariff = equilibrium.economy, equilibrium.tariff.class_tariffs[place]
    today = economy.common.today
    first, last = _own_range_kw(economy)
    nodes = np.linspace(first, last, NODES_FEW if others.households < 10 else NODES)
    price = expected_price(equilibrium, others, nodes)
    keeps = 1.0 - discount
    energy = tariff.energy_usd_per_kwh[today][:, :, None] + equilibrium.class_adder_usd_per_kwh(place)
    bought = keeps * (energy + tariff.pass_through * price)
    if tariff.export_rule is ExportRule.NET_METERING:
        sold = bought
    else:
        credit, passed = export_credit(tariff, today)
        sold = credit[:, :, None] + passed * price
        if tariff.capped_at_import:
            base, slope = credit - keeps * energy[:, :, 0], passed - keeps * tariff.pass_through
            sold = sold - _expected_excess(equilibrium, others, nodes, price, base, slope)
    return ExpectedRates(
        first_kw=first, spacing_kw=float(nodes[1] - nodes[0]), bought=bought, sold=np.ascontiguousarray(sold)
    )


def expected_price(equilibrium: Equilibrium, others: Others, own_kw: Floats) -> Floats:
    """Expected wholesale price over own net loads, (c, h, node). [USD/kWh]"""
    supply = equilibrium.economy.supply
    edges = np.concatenate([[-np.inf], supply.breaks_kw, [np.inf]])
    center = others.mean_kw[:, :, None] + others.share * own_kw
    piece = np.searchsorted(supply.breaks_kw, others.mean_kw, side="right")
    a = supply.coefficients[piece][:, :, None, :]
    price = a[..., 0] + center * (a[..., 1] + center * (a[..., 2] + center * a[..., 3]))
    price = price + others.variance[:, :, None] * (a[..., 2] + 3 * a[..., 3] * center)
    price = price + others.third_moment[:, :, None] * a[..., 3]
    for c, h in np.ndindex(others.mean_kw.shape):
        low, high = edges[piece[c, h]], edges[piece[c, h] + 1]
        if np.isinf(low) and np.isinf(high):
            continue
        loads, chance = others.law(c, h)
        reached = loads[:, None] + others.share * own_kw
        outside = (reached < low) | (reached >= high)
        if outside.any():
            row = supply.coefficients[piece[c, h]]
            own = np.polynomial.polynomial.polyval(reached, row)
            price[c, h] += chance @ np.where(outside, supply.price(reached) - own, 0.0)
    return np.asarray(price)


def _expected_excess(
    equilibrium: Equilibrium, others: Others, own_kw: Floats, price: Floats, base: Floats, slope: float
) -> Floats:
    """Expected positive part of base + slope · λ, the credit above the import rate that the cap takes. (c, h, node)"""
    supply = equilibrium.economy.supply
    taken = np.maximum(base[:, :, None] + slope * price, 0.0)
    if slope == 0.0:
        return np.asarray(taken)
    for c, h in np.ndindex(base.shape):
        loads, chance = others.law(c, h)
        ends = loads[[0, -1]] if len(loads) == 1 else np.array([loads.min(), loads.max()])
        reached = ends + others.share * own_kw[[0, -1]]
        sign = base[c, h] + slope * supply.price(reached)
        if (sign > 0).any() and (sign < 0).any():
            excess = base[c, h] + slope * supply.price(loads[:, None] + others.share * own_kw)
            taken[c, h] = chance @ np.maximum(excess, 0.0)
    return np.asarray(taken)


def _own_range_kw(economy: Economy) -> tuple[float, float]:
    """Least and largest net load that any household can have. [kW]"""
    low, high = 0.0, 0.0
    for household in economy.types:
        battery_kw = household.storage_day(economy.slot_hours).power_kw
        reach = household.flexibility if household.elasticity else 0.0
        least = household.reference_kw * economy.shock_levels.min() * (1 - reach) - household.pv_kw
        spare = household.pv_kw if household.curtailable else 0.0
        most = household.reference_kw * economy.shock_levels.max() * (1 + reach) - household.pv_kw + spare
        low = min(low, float(least.min() + battery_kw.min()))
        high = max(high, float(most.max() + battery_kw.max()))
    return low, high


@compiled
def _rate(net: float, first: float, spacing: float, table: Floats) -> float:
    """Cubic through the four nodes around a net load."""
    x = (net - first) / spacing
    k = min(max(int(np.floor(x)) - 1, 0), table.size - 4)
    u = x - k
    a, b, c, d = u, u - 1.0, u - 2.0, u - 3.0
    rate: float = (
        -b * c * d / 6.0 * table[k]
        + a * c * d / 2.0 * table[k + 1]
        - a * b * d / 2.0 * table[k + 2]
        + a * b * c / 6.0 * table[k + 3]
    )
    return rate


@compiled
def _paid(net: float, first: float, spacing: float, bought: Floats, sold: Floats) -> float:
    """Expected payment per hour."""
    return net * _rate(net, first, spacing, bought if net > 0.0 else sold)


@compiled
def _pay(net: Floats, first: float, spacing: float, bought: Floats, sold: Floats, out: Floats) -> None:
    states, slots, shocks, count = net.shape
    for c in range(states):
        for h in range(slots):
            for z in range(shocks):
                for j in range(count):
                    out[c, h, z, j] = _paid(net[c, h, z, j], first, spacing, bought[c, h], sold[c, h])


@compiled
def _use(net: float, sunny: float, spare: float, least: float, most: float, enough: float) -> float:
    """Use enjoyed most at a net load, of whose sun ``spare`` may be curtailed. [kW]"""
    return min(max(enough, least, net + sunny - spare), most, net + sunny)


@compiled
def _value(
    net: float,
    home: tuple[float, float, float, float, float],
    demand: tuple[float, float, float],
    grid: tuple[float, float],
    bought: Floats,
    sold: Floats,
) -> float:
    """Utility of that use less the expected payment, per hour; ``home`` is as the arguments of `_use` that follow."""
    sunny, spare, least, most, enough = home
    reference, elasticity, reference_price = demand
    use = _use(net, sunny, spare, least, most, enough)
    return utility_of_use(use, reference, elasticity, reference_price) - _paid(net, grid[0], grid[1], bought, sold)


@compiled
def _best(  # noqa: PLR0913  # complexipy: ignore
    reference_kw: Floats,
    pv_kw: Floats,
    spare_kw: Floats,
    shock_levels: Floats,
    battery_kw: Floats,
    demand: tuple[float, float, float],
    grid: tuple[float, float],
    bought: Floats,
    sold: Floats,
    use_kw: Floats,
    net_kw: Floats,
    utility: Floats,
) -> None:
    """Best use and net load of every move, (c, h, z, j): a scan and a golden section on either side of zero."""
    elasticity, flexibility, reference_price = demand
    states, slots, shocks, count = use_kw.shape
    for c in range(states):
        for h in range(slots):
            spare = spare_kw[c, h]
            for z in range(shocks):
                reference = reference_kw[c, h] * shock_levels[z]
                reach = flexibility if elasticity > 0.0 else 0.0
                least, most = reference * (1.0 - reach), reference * (1.0 + reach)
                enough = min(reference * (1.0 + elasticity), most)
                person = (reference, elasticity, reference_price)
                for j in range(count):
                    sunny = pv_kw[c, h] - battery_kw[h, j]
                    home = (sunny, spare, least, most, enough)
                    best_value, best_net = -np.inf, least - sunny
                    for side in range(2):
                        low, high = least - sunny, most - sunny + spare
                        if side == 0:
                            high = min(high, 0.0)
                        else:
                            low = max(low, 0.0)
                        if low > high:
                            continue
                        top, value = low, -np.inf
                        step = (high - low) / SCAN
                        for k in range(SCAN + 1):
                            net = low + k * step
                            now = _value(net, home, person, grid, bought[c, h], sold[c, h])
                            if now > value:
                                top, value = net, now
                        if value > best_value:
                            best_value, best_net = value, top
                        left, right = max(low, top - step), min(high, top + step)
                        for _ in range(GOLDEN_STEPS):
                            a, b = right - GOLDEN * (right - left), left + GOLDEN * (right - left)
                            at_a = _value(a, home, person, grid, bought[c, h], sold[c, h])
                            at_b = _value(b, home, person, grid, bought[c, h], sold[c, h])
                            if at_a >= at_b:
                                right = b
                            else:
                                left = a
                            if max(at_a, at_b) > best_value:
                                best_value, best_net = max(at_a, at_b), (a if at_a >= at_b else b)
                    use = _use(best_net, sunny, spare, least, most, enough)
                    use_kw[c, h, z, j], net_kw[c, h, z, j] = use, best_net
                    utility[c, h, z, j] = utility_of_use(use, reference, elasticity, reference_price)
