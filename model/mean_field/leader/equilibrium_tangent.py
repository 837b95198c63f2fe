"""The equilibrium to first order in a change of the tariff: implicit differentiation of the solved fixed point.

With y = (λ, α) the equilibrium solves λ = s(L(y, a) + rest) and, under volumetric recovery, surplus(y, a) = 0, where a
are parameters of the tariff. Differentiating along a,

    dλ = s' (∂L/∂λ dλ + ∂L/∂α dα + ∂L/∂a),      0 = d surplus,

is one linear system in as many unknowns as there are prices, with the sensitivities of `price_slope`. Everything a
leader can value (loads, bills, utility, wear, rates, charges) follows by the chain rule, so the gradient of any
objective costs one derivative and no further equilibrium.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.derivatives.household_sensitivity import Directions, Sensitivity
from meanwatt.model.mean_field.derivatives.nearby_slope import ACCURACY, solve_load_nearby
from meanwatt.model.mean_field.derivatives.population_sensitivity import (
    ByClass,
    LinearPopulation,
    adder_direction,
    followed,
    joined,
    population_sensitivity,
    price_directions,
)
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy

STEP = 1e-6
"""Difference of a parameter, as a share of its range, by which rates and charges at given prices are differentiated;
both are at most bilinear in the parameters of a family, so nothing is lost but at kinks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tangent:
    """Derivatives of an equilibrium, one row per parameter. Axes (parameter, …), units those of the field over it.

    Attributes
    ----------
    wholesale_usd_per_kwh, net_load_kw : (p, c, h)
    rates : import and export rate of every rate class, (p, c, h) each
    type_net_load_kw : (p, θ, c, h)
    payment_usd_per_day, utility_usd_per_day, wear_usd_per_day : (p, θ)
    adder_usd_per_kwh, billed_kwh_per_day, surplus_usd_per_day : (p,)
    fixed_charge_usd_per_day : (p, payer)
    net_load_slope : (c·h, c·h)
        About ∂L/∂λ at the equilibrium: exact where no derivative nearby was given, or as far as it was looked at.
    """

    wholesale_usd_per_kwh: Floats
    net_load_kw: Floats
    rates: ByClass
    type_net_load_kw: Floats
    payment_usd_per_day: Floats
    utility_usd_per_day: Floats
    wear_usd_per_day: Floats
    adder_usd_per_kwh: Floats
    billed_kwh_per_day: Floats
    surplus_usd_per_day: Floats
    fixed_charge_usd_per_day: Floats
    net_load_slope: Floats


def equilibrium_tangent(
    found: Equilibrium,
    tariff_at: Callable[[Floats], Tariff],
    unit: Floats,
    *,
    slope_nearby: Floats | None = None,
    accuracy: float = ACCURACY,
) -> Tangent:
    """Differentiate an equilibrium in the parameters of its tariff.

    Parameters
    ----------
    found
        The equilibrium at ``tariff_at(unit)``, at a temperature above 0.
    tariff_at
        The tariff at parameters (p,); differentiated one-sidedly at the ends of [0, 1].
    unit : (p,)
        Where, in the unit cube.
    slope_nearby : (c·h, c·h), optional
        About ∂L/∂λ, as at a similar tariff: the prices' equation is then solved by products with few directions, and
        by the whole matrix only where that does not settle.
    accuracy
        Error of that solution, as a share of what the parameters change at given prices.

    Raises
    ------
    ValueError
        At temperature 0, where answers jump.
    """
    economy, tariff, answer = found.economy, found.tariff, found.answer
    shape, size = answer.net_load_kw.shape, answer.net_load_kw.size
    change = _Change(found, tariff_at, unit)
    alone = joined(change.directions, adder_direction(tariff, found.rates))
    linear = LinearPopulation(economy, tariff, answer, often=True)
    steepness = economy.supply.slope(answer.net_load_kw + economy.rest_load_kw).ravel()[:, None]

    def by_price(price: Floats) -> Floats:
        moved = np.reshape(price.T, (-1, *shape))
        return linear.net_load(followed(tariff, found.rates, _nothing(tariff, moved), moved))

    nearby = None
    if slope_nearby is not None:
        nearby = solve_load_nearby(by_price, steepness, linear.net_load(alone), slope_nearby, accuracy=accuracy)
    if nearby is None:
        load = linear.net_load(joined(price_directions(tariff, found.rates), alone))
        slope = load[:, :size]
        price = np.linalg.solve(np.eye(size) - steepness * slope, steepness * load[:, size:])
    else:
        price, slope = steepness * nearby.load_kw, nearby.slope
    along: Floats = np.asarray(price.T.reshape((-1, *shape)))  # (parameters and adder, c, h)
    total = followed(tariff, found.rates, alone, along)
    return _assemble(found, change, along, total, linear.along(total), slope)


def load_response(found: Equilibrium, tariff_at: Callable[[Floats], Tariff], unit: Floats) -> Floats:
    """Derivative ∂L/∂a of the mean net load in the parameters at given prices and adder. (p, c, h) [kW]

    Parameters
    ----------
    found, tariff_at, unit
        As for `equilibrium_tangent`.
    """
    change = _Change(found, tariff_at, unit)
    slopes = population_sensitivity(found.economy, found.tariff, found.answer, change.directions, only_net_load=True)
    load = sum(w * s.net_load_kw for w, s in zip(found.economy.type_share, slopes, strict=True))
    return np.moveaxis(np.asarray(load), -1, 0)


def payer_share(economy: Economy, tariff: Tariff) -> Floats:
    """Share of the population that pays each fixed charge, by its household types. (payer,)"""
    payer = [tariff.payer(household) for household in economy.types]
    count = len(tariff.class_tariffs) * len(economy.groups)
    return np.asarray(np.bincount(payer, weights=economy.type_share, minlength=count), dtype=float)


class _Change:
    """What a change of the parameters does at given prices: to the rates, and to charges and their shape."""

    def __init__(self, found: Equilibrium, tariff_at: Callable[[Floats], Tariff], unit: Floats) -> None:
        imports, exports, charges, shapes = [], [], [], []
        for k in range(len(unit)):
            low, high = unit.copy(), unit.copy()
            low[k], high[k] = max(unit[k] - STEP, 0.0), min(unit[k] + STEP, 1.0)
            before, after = tariff_at(low), tariff_at(high)
            width = high[k] - low[k]
            pairs = list(zip(self._rates(found, before), self._rates(found, after), strict=True))
            imports.append([(other.import_usd_per_kwh - one.import_usd_per_kwh) / width for one, other in pairs])
            exports.append([(other.export_usd_per_kwh - one.export_usd_per_kwh) / width for one, other in pairs])
            charges.append((after.held_charge_usd_per_day - before.held_charge_usd_per_day) / width)
            shapes.append((after.payer_shape - before.payer_shape) / width)
        self.directions = tuple(
            Directions(import_usd_per_kwh=np.array(bought), export_usd_per_kwh=np.array(sold))
            for bought, sold in zip(zip(*imports, strict=True), zip(*exports, strict=True), strict=True)
        )
        self.charges, self.shapes = np.array(charges), np.array(shapes)

    @staticmethod
    def _rates(found: Equilibrium, tariff: Tariff) -> tuple[Rates, ...]:
        game = Game(found.economy, tariff)
        return game.posted_rates(found.wholesale_usd_per_kwh, found.adder_usd_per_kwh).of_classes


def _nothing(tariff: Tariff, like: Floats) -> ByClass:
    """No change of any rate of any class, as many times as there are prices (d, c, h)."""
    zero = Directions(import_usd_per_kwh=np.zeros_like(like), export_usd_per_kwh=np.zeros_like(like))
    return (zero,) * len(tariff.class_tariffs)


def _assemble(
    found: Equilibrium, change: _Change, price: Floats, total: ByClass, slopes: list[Sensitivity], slope: Floats
) -> Tangent:
    """Everything along the parameters, from its derivatives at a given adder (rows but the last) and in the adder."""
    economy, tariff, answer = found.economy, found.tariff, found.answer
    chance = economy.common.probability
    weight = chance[:, None] * economy.slot_hours

    def per_day(field: str) -> Floats:
        return np.array([np.einsum("c,chd->d", chance, getattr(s, field)) for s in slopes]).T

    by_type = np.array([np.moveaxis(s.net_load_kw, -1, 0) for s in slopes]).swapaxes(0, 1)
    load = np.tensordot(by_type, economy.type_share, axes=(1, 0))
    cost = (weight * (price * answer.net_load_kw + load * answer.wholesale_usd_per_kwh)).sum(axis=(1, 2))
    payment = per_day("payment_usd")
    share = payer_share(economy, tariff)
    charges = change.charges
    surplus = payment @ economy.type_share - cost
    surplus[:-1] += charges @ share
    adder = np.zeros(len(charges))
    if tariff.recovery is Recovery.VOLUMETRIC and answer.adder_usd_per_kwh > 0:
        adder = -surplus[:-1] / surplus[-1]

    def along(rows: Floats) -> Floats:
        return np.asarray(rows[:-1] + np.multiply.outer(adder, rows[-1]))

    surplus = along(surplus)
    if tariff.recovery is Recovery.FIXED:
        charges = _balancing_charges(found, surplus, change, share)
        surplus = np.zeros_like(surplus)
    net_metered = [tariff.of(one).export_rule is ExportRule.NET_METERING for one in economy.types]
    kept = [
        one.share * tariff.kept_share(one) * float(tariff.bears_adder(tariff.class_index(one))) for one in economy.types
    ]
    billed = economy.slot_hours * np.where(net_metered, per_day("net_load_kw"), per_day("imported_kw")) @ np.array(kept)
    return Tangent(
        wholesale_usd_per_kwh=along(price),
        net_load_kw=along(load),
        rates=tuple(
            Directions(
                import_usd_per_kwh=along(one.import_usd_per_kwh), export_usd_per_kwh=along(one.export_usd_per_kwh)
            )
            for one in total
        ),
        type_net_load_kw=along(by_type),
        payment_usd_per_day=along(payment),
        utility_usd_per_day=along(per_day("utility_usd")),
        wear_usd_per_day=along(per_day("wear_usd")),
        adder_usd_per_kwh=adder,
        billed_kwh_per_day=along(billed),
        surplus_usd_per_day=surplus,
        fixed_charge_usd_per_day=charges,
        net_load_slope=slope,
    )


def _balancing_charges(found: Equilibrium, surplus: Floats, change: _Change, share: Floats) -> Floats:
    """Derivative (p, payer) of the fixed charges F = held + level · shape whose level closes the gap."""
    shape = found.tariff.payer_shape
    mean = float(share @ shape)
    level = float(share @ (found.fixed_charge_usd_per_day - found.tariff.held_charge_usd_per_day)) / mean
    level_slope = (-surplus - level * (change.shapes @ share)) / mean
    return np.asarray(change.charges + level_slope[:, None] * shape + level * change.shapes)


def predicted(found: Equilibrium, tangent: Tangent, change: Floats) -> Equilibrium:
    """The equilibrium after a small change (p,) of the parameters, to first order; policies and laws stay behind."""

    def moved(name: str) -> Floats:
        return np.tensordot(change, getattr(tangent, name), axes=1)

    def of_class(rates: Rates, slope: Directions) -> Rates:
        return Rates(
            import_usd_per_kwh=rates.import_usd_per_kwh + np.tensordot(change, slope.import_usd_per_kwh, axes=1),
            export_usd_per_kwh=rates.export_usd_per_kwh + np.tensordot(change, slope.export_usd_per_kwh, axes=1),
        )

    old: PopulationResponse = found.answer
    each = tuple(of_class(*pair) for pair in zip(old.rates.of_classes, tangent.rates, strict=True))
    answer = replace(
        old,
        wholesale_usd_per_kwh=old.wholesale_usd_per_kwh + moved("wholesale_usd_per_kwh"),
        adder_usd_per_kwh=old.adder_usd_per_kwh + float(moved("adder_usd_per_kwh")),
        rates=replace(each[0], by_class=each if old.rates.by_class else ()),
        type_net_load_kw=old.type_net_load_kw + moved("type_net_load_kw"),
        payment_usd_per_day=old.payment_usd_per_day + moved("payment_usd_per_day"),
        utility_usd_per_day=old.utility_usd_per_day + moved("utility_usd_per_day"),
        wear_usd_per_day=old.wear_usd_per_day + moved("wear_usd_per_day"),
        net_load_kw=old.net_load_kw + moved("net_load_kw"),
        billed_kwh_per_day=old.billed_kwh_per_day + float(moved("billed_kwh_per_day")),
    )
    return replace(
        found,
        answer=answer,
        fixed_charge_usd_per_day=found.fixed_charge_usd_per_day + moved("fixed_charge_usd_per_day"),
        surplus_usd_per_household_day=found.surplus_usd_per_household_day + float(moved("surplus_usd_per_day")),
    )
