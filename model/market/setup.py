"""From what a user passes to a market to checked objects: scenario, tariff, equilibrium, behaviour."""

import operator
from pathlib import Path
from typing import Any, Final

from agents.behaviour import Behaviour, BeliefBehaviour, FixedBehaviour
from agents.rules import RULES, rule_policies
from agents.tariff import Recovery, Tariff, rates
from model.economy import Economy, build_economy, build_tariff
from model.mean_field.answer import outlook
from model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from model.mean_field.prices import first_guess
from model.nearest import unknown
from model.scenario import Scenario, load_scenario

BEHAVIOURS: Final = ("equilibrium", "belief", *RULES)
"""Behaviours known by name."""

_ABOUT_TARIFFS = {"default_tariff", "tariffs"}


def whole_number(name: str, value: Any, example: int) -> int:
    """Read a count of at least one; ``ValueError`` in one line otherwise."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; give a whole number of at least 1, e.g. {example}")
    return count


def check_behaviour(behaviour: str | Behaviour | None) -> None:
    """Raise ``ValueError`` for an unknown name, or an object that is not a behaviour."""
    if isinstance(behaviour, str) and behaviour not in BEHAVIOURS:
        raise ValueError(unknown("behaviour", behaviour, BEHAVIOURS))
    if behaviour is not None and not isinstance(behaviour, str | Behaviour):
        raise ValueError(
            f"behaviour is {behaviour!r}; give one of {', '.join(BEHAVIOURS)}, or an object with"
            " name, policies and learn(seen)"
        )


def find_economy(
    scenario: str | Path | Scenario | Economy, tariff: str | Path | Tariff | None, policies: Equilibrium | None
) -> tuple[Economy, Tariff]:
    """Find the economy and the tariff that a market is to have.

    Raises
    ------
    ValueError
        If scenario or tariff cannot be read, the tariff does not fit, or the policies were solved for another
        scenario or tariff.
    """
    if policies is not None and not isinstance(policies, Equilibrium):
        raise ValueError(
            f"policies is a {type(policies).__name__}; give an Equilibrium of solve_equilibrium,"
            " or behaviour=FixedBehaviour(policy tables)"
        )
    file_or_name = tariff if isinstance(tariff, str | Path) else None
    if isinstance(scenario, Economy) and (file_or_name is None or file_or_name == scenario.scenario.selected_tariff):
        economy = scenario
    else:
        known = scenario.scenario if isinstance(scenario, Economy) else scenario
        economy = build_economy(load_scenario(known, tariff=file_or_name))
    if economy.one_day is not None or (policies is not None and policies.economy.one_day is not None):
        raise ValueError(f"scenario {economy.scenario.name} is a game of one_day, a market goes on; leave out one_day")
    if policies is not None:
        return policies.economy, _tariff_of_policies(economy, tariff, policies)
    posted = tariff if isinstance(tariff, Tariff) else build_tariff(economy.scenario)
    day_types = len(economy.scenario.day_types)
    if posted.energy_usd_per_kwh.shape != (day_types, economy.slots) or len(posted.discount) != len(economy.groups):
        raise ValueError(
            f"tariff {posted.name} has {posted.energy_usd_per_kwh.shape[0]} day types, "
            f"{posted.energy_usd_per_kwh.shape[1]} slots and {len(posted.discount)} income groups;"
            f" scenario {economy.scenario.name} has {day_types}, {economy.slots} and {len(economy.groups)}"
        )
    return economy, posted


def _tariff_of_policies(economy: Economy, tariff: str | Path | Tariff | None, policies: Equilibrium) -> Tariff:
    """Check that policies belong to the scenario, and to the tariff if one is asked for; return theirs."""
    theirs = policies.economy.scenario
    if theirs.model_dump(exclude=_ABOUT_TARIFFS) != economy.scenario.model_dump(exclude=_ABOUT_TARIFFS):
        raise ValueError(
            f"policies were solved for another scenario ({theirs.name}) than the market's ({economy.scenario.name});"
            " pass scenario=policies.economy"
        )
    if tariff is not None:
        name = tariff.name if isinstance(tariff, Tariff) else economy.scenario.selected_tariff
        if name != policies.tariff.name:
            raise ValueError(
                f"tariff is {name} but the policies were solved for {policies.tariff.name};"
                " leave tariff out, or solve again"
            )
    return policies.tariff


def find_equilibrium(
    economy: Economy, tariff: Tariff, policies: Equilibrium | None, behaviour: str | Behaviour | None
) -> Equilibrium | None:
    """The equilibrium given, or one solved for its adder and fixed charges; None where nothing asks for one."""
    if policies is None and (behaviour == "equilibrium" or tariff.recovery is not Recovery.POSTED):
        return solve_equilibrium(economy, tariff, certify=False)
    return policies


def make_behaviour(
    behaviour: str | Behaviour | None,
    economy: Economy,
    tariff: Tariff,
    policies: Equilibrium | None,
    equilibrium: Equilibrium | None,
) -> Behaviour:
    """Make the behaviour named, by default the equilibrium's where policies were given, and belief learning else.

    Rules of thumb expect the rates at the prices of reference demand.
    """
    if behaviour is None:
        behaviour = "equilibrium" if policies else "belief"
    if not isinstance(behaviour, str):
        if len(behaviour.policies) != len(economy.types):
            raise ValueError(
                f"behaviour {behaviour.name} has {len(behaviour.policies)} policies; give {len(economy.types)},"
                " one for each household type"
            )
        return behaviour
    if behaviour == "equilibrium":
        assert equilibrium is not None
        return FixedBehaviour(equilibrium.policies)
    adder = equilibrium.adder_usd_per_kwh if equilibrium else 0.0
    if behaviour in RULES:
        posted = rates(tariff, economy.common.today, first_guess(economy), adder)
        expected = [posted.for_discount(float(tariff.discount[household.group])) for household in economy.types]
        return FixedBehaviour(rule_policies(behaviour, economy.types, expected, outlook(economy)), name=behaviour)
    return BeliefBehaviour(
        types=economy.types,
        tariff=tariff,
        adder_usd_per_kwh=adder,
        today=economy.common.today,
        outlook=outlook(economy),
        belief_usd_per_kwh=first_guess(economy),
    )
