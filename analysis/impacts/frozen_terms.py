"""The terms of a new tariff as a rate case sets them: its books balance at the loads and prices of the one in force."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.practice.filing import predict
from meanwatt.model.market.posted_terms import make_offer, with_adder
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.solvers.revenue_recovery import balancing_fixed_charge

ADDER_TOLERANCE: Final = 1e-12
"""Accuracy of a frozen adder. [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenTerms:
    """A tariff with its adder and fixed charges, nobody having answered it.

    Attributes
    ----------
    offer
        The tariff and what is held with it.
    surplus_usd_per_household_day
        Its revenue at frozen loads less the cost of energy and network; 0 where it balances the books.
    adequate
        False where no adder up to the tariff's cap balances them.
    """

    __repr__ = short_repr

    offer: Offer
    surplus_usd_per_household_day: float
    adequate: bool = True


def frozen_terms(in_force: Equilibrium, tariff: Tariff) -> FrozenTerms:
    """Balance a tariff's books by its own rule of recovery, at the loads and prices of the tariff in force.

    Under volumetric recovery it is the smallest adder ≥ 0, as in the equilibrium. The tariff in force itself keeps its
    terms to the last bit.
    """
    if tariff is in_force.tariff:
        return FrozenTerms(
            offer=make_offer(tariff, in_force), surplus_usd_per_household_day=in_force.surplus_usd_per_household_day
        )
    if tariff.recovery is Recovery.FIXED:
        without = replace(
            tariff,
            recovery=Recovery.POSTED,
            fixed_charge_usd_per_day=np.zeros_like(tariff.fixed_charge_usd_per_day),
        )
        gap = predict(in_force, without, elasticity=0.0).surplus_usd_per_household_day
        charge = balancing_fixed_charge(in_force.economy, tariff, gap)
        return FrozenTerms(
            offer=replace(_at(tariff, 0.0), fixed_charge_usd_per_day=charge), surplus_usd_per_household_day=0.0
        )

    def surplus(adder: float) -> float:
        posted = with_adder(_at(tariff, adder))
        return predict(in_force, posted, elasticity=0.0).surplus_usd_per_household_day

    short, cap = surplus(0.0), tariff.adder_cap_usd_per_kwh
    if tariff.recovery is Recovery.POSTED or short >= 0:
        return FrozenTerms(offer=_at(tariff, 0.0), surplus_usd_per_household_day=short)
    if surplus(cap) < 0:
        return FrozenTerms(offer=_at(tariff, cap), surplus_usd_per_household_day=surplus(cap), adequate=False)
    from scipy.optimize import brentq  # slow to import

    adder = float(brentq(surplus, 0.0, cap, xtol=ADDER_TOLERANCE))
    return FrozenTerms(offer=_at(tariff, adder), surplus_usd_per_household_day=surplus(adder))


def _at(tariff: Tariff, adder: float) -> Offer:
    return replace(make_offer(tariff, None), adder_usd_per_kwh=adder)
