"""From what a user types to an economy and a tariff."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.cli import quick_start
from meanwatt.model.scenario.branches import require_no_adders
from meanwatt.model.scenario.economy import (
    Economy,
    build_economy,
    build_rate_classes,
    build_tariff,
    require_unbranched,
    require_unlimited,
)
from meanwatt.model.scenario.loading import load_scenario


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """A scenario as typed and as arrays.

    Attributes
    ----------
    given
        SCENARIO, ``--tariff`` and every ``--set``, for the record.
    """

    economy: Economy
    tariff: Tariff
    given: dict[str, Any]


def read_in_year(
    scenario: str,
    tariff: str | None,
    overrides: Sequence[str] | None,
    year: int | None,
    *,
    classes: bool = False,
    components: bool = False,
    branches: bool = False,
    envelopes: bool = False,
    adders: bool = True,
) -> Inputs:
    """`read`, with a calendar year that a market lives; ``ValueError`` also if the scenario has no calendar."""
    can_hold = {"classes": classes, "components": components, "branches": branches}
    can_hold |= {"envelopes": envelopes, "adders": adders}
    if year is None:
        return read(scenario, tariff, overrides, **can_hold)
    quick_start.over()
    if load_scenario(scenario, overrides=list(overrides or ()), tariff=tariff).calendar is None:
        raise ValueError(
            f"--year {year}: scenario {scenario} has no calendar; write one into its file, see docs/how_to/calendar.md"
        )
    lived = read(scenario, tariff, [*(overrides or ()), f"calendar.year={year}"], **can_hold)
    return replace(lived, given={**lived.given, "set": list(overrides or ())})


def read(
    scenario: str,
    tariff: str | None,
    overrides: Sequence[str] | None,
    *,
    classes: bool = False,
    components: bool = False,
    branches: bool = False,
    envelopes: bool = False,
    opt_in: bool = False,
    adders: bool = True,
) -> Inputs:
    """Load a scenario, make the changes asked for and turn it into arrays; ``ValueError`` in one line.

    Parameters
    ----------
    classes
        Whether the command can hold rate classes; else a scenario that has some is refused.
    components
        The same of tiers, demand charges and other components of a tariff.
    branches
        The same of branches of the feeder, on which households of one type are types apart.
    envelopes
        The same of operating envelopes.
    opt_in
        The same of rate classes that households choose.
    adders
        The same of prices by branch, where it can hold branches.
    """
    quick_start.over()
    loaded = load_scenario(scenario, overrides=list(overrides or ()), tariff=tariff)
    if not envelopes:
        require_unlimited(loaded)
    if not branches:
        require_unbranched(loaded)
    if loaded.feeder.branches or loaded.feeder.envelopes:
        from meanwatt.model.network.located_economy import build_located_economy  # loads graphs

        economy = build_located_economy(loaded, opt_in=opt_in)
    else:
        economy = build_economy(loaded, opt_in=opt_in)
    in_force = (build_rate_classes if classes else build_tariff)(loaded, components=components)
    if not adders:
        require_no_adders(in_force)
    return Inputs(
        economy=economy,
        tariff=in_force,
        given={"scenario": scenario, "tariff": tariff, "set": list(overrides or ())},
    )
