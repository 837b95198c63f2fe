"""A scenario as arrays where its feeder has branches or operating envelopes: households there are types apart."""

from dataclasses import replace

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Ints
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.residents import NEGLIGIBLE, branch_of_bus, place_residents, places_of_buses
from meanwatt.model.scenario.branches import REST, branch_names
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.envelopes import scenario_envelopes
from meanwatt.model.scenario.loading import Scenario, ScenarioError


def build_located_economy(scenario: Scenario, *, opt_in: bool = False) -> Economy:
    """Turn a scenario into arrays, its household types divided by branch and envelope where its feeder has some.

    Parameters
    ----------
    opt_in
        As of `build_economy`: whether the caller can hold households of one type on a rate class that they chose.

    Returns
    -------
    Economy
        As of `build_economy`, but for types: each of them once on every branch and under every envelope where some of
        its households live, the rest of the feeder first. Shares of one type sum to its own.

    Raises
    ------
    ValueError
        In one line, if a branch begins at no bus of the feeder, has no customers, or nobody is left to the rest; or
        an envelope cannot be laid on the feeder.
    """
    economy = build_economy(scenario, on_branches=True, opt_in=opt_in)
    if not (scenario.feeder.branches or scenario.feeder.envelopes):
        return economy
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
    if scenario.feeder.branches:
        _require_customers(scenario, feeder, branch_of_bus(scenario, feeder))
    places, of_bus = places_of_buses(scenario, feeder)
    limits = scenario_envelopes(scenario, economy.common.today)
    share = place_residents(scenario, economy.types, feeder).share
    types: list[HouseholdType] = []
    for household, row in zip(economy.types, share, strict=True):
        part = np.bincount(of_bus, weights=row, minlength=len(places))
        part = np.where(part > NEGLIGIBLE, part, 0.0)
        types += [
            replace(
                household,
                branch=branch,
                envelope=limits.get(envelope),
                share=household.share * float(own / part.sum()),
            )
            for (branch, envelope), own in zip(places, part, strict=True)
            if own > 0
        ]
    return replace(economy, types=tuple(types))


def _require_customers(scenario: Scenario, feeder: Feeder, of_bus: Ints) -> None:
    """Raise ``ValueError`` if a branch, or the rest, has no customers."""
    homes = np.bincount(of_bus, weights=feeder.customers, minlength=len(branch_names(scenario)))
    for name, there in zip(branch_names(scenario), homes, strict=True):
        if there:
            continue
        if name == REST:
            raise ScenarioError(
                f"scenario {scenario.name}: feeder.branches hold every customer of {feeder.name}; leave one out, whose"
                f" customers are then branch {REST}"
            )
        raise ScenarioError(
            f"scenario {scenario.name}: feeder.branches.{name} has no customers on {feeder.name}; begin it nearer to"
            " the source, or leave it out"
        )
