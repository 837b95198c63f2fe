"""An equilibrium under components as plain tariffs know it: with the rates and charges that are posted to everybody."""

from dataclasses import replace

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rate_classes import with_classes
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.components.solving import Composed
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.game import Game


def base_equilibrium(composed: Composed) -> Equilibrium:
    """The equilibrium with the tariff's rates and standing charges alone, class by class.

    Policies, laws and prices are those of the equilibrium; payments are still those perceived.
    """
    found, base = composed.equilibrium, composed.base_tariff
    answer, economy = found.answer, composed.economy
    rates = Game(economy, base).posted_rates(answer.wholesale_usd_per_kwh, answer.adder_usd_per_kwh)
    return replace(
        found,
        economy=economy,
        tariff=base,
        fixed_charge_usd_per_day=base_charges_usd_per_day(composed),
        net_load_slope=None,
        recovery_slope=None,
        answer=replace(answer, rates=rates, envelopes=found.envelopes),
    )


def billed_equilibrium(composed: Composed) -> Equilibrium:
    """The equilibrium under the tariff as it is posted, its components in the payments that depend on use.

    So bills, metrics, rates and charges are read as those of a plain tariff are. What households decide by is not in
    it: nothing that asks their decision again may be asked of it.
    """
    base = base_equilibrium(composed)
    standing = base.tariff.standing_usd_per_day(base.fixed_charge_usd_per_day, composed.economy.types)
    payment = composed.equilibrium.bill_usd_per_day - standing
    return replace(base, tariff=composed.posted, answer=replace(base.answer, payment_usd_per_day=payment))


def base_charges_usd_per_day(composed: Composed) -> Floats:
    """Fixed charges of every class and income group of the tariff as posted. (payer,) [USD/day]"""
    found, base = composed.equilibrium, composed.base_tariff
    if base.recovery is not Recovery.FIXED:
        return base.payer_charge_usd_per_day
    shapes, charges = found.tariff.payer_shape, found.fixed_charge_usd_per_day
    levelled = [found.tariff.payer(household) for household in composed.economy.types]
    payer = max(levelled, key=lambda place: float(shapes[place]))
    level = float(charges[payer]) / float(shapes[payer])
    return np.asarray(level * base.payer_shape + (base.held_charge_usd_per_day if base.classes else 0.0))


def market_equilibrium(composed: Composed) -> Equilibrium:
    """The equilibrium that a market lives by: its policies, and the tariff with adder and charges held.

    The components' parts are billed by the month, beside (`meanwatt.model.market.component_bills`).
    """
    found = base_equilibrium(composed)
    adder, groups = found.adder_usd_per_kwh, len(found.economy.groups)
    base = found.tariff

    def held(own: Tariff, place: int) -> Tariff:
        raised = own.energy_usd_per_kwh + (adder if base.bears_adder(place) else 0.0)
        charges = found.fixed_charge_usd_per_day[place * groups : (place + 1) * groups]
        return replace(
            own, energy_usd_per_kwh=raised, recovery=Recovery.POSTED, fixed_charge_usd_per_day=charges, classes=()
        )

    if base.classes:
        tariff = with_classes([replace(one, tariff=held(one.tariff, place)) for place, one in enumerate(base.classes)])
    else:
        tariff = held(base, 0)
    return replace(found, tariff=tariff, answer=replace(found.answer, adder_usd_per_kwh=0.0))
