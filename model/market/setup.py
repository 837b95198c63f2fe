"""From what a user passes to a market to checked objects: scenario, tariff, equilibrium, behaviour."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from meanwatt.agents.behaviour.belief import BeliefSettings
from meanwatt.agents.behaviour.cohorts import Cohort
from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import Behaviour, BeliefBehaviour, Stagger, Strategy
from meanwatt.agents.behaviour.q_learning import QSettings
from meanwatt.agents.behaviour.rules import RULES, rule_policies
from meanwatt.agents.behaviour.tariff_follower import TariffFollower
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.tariff.rate_classes import require_plain
from meanwatt.agents.tariff.tariff import Recovery, Tariff, rates
from meanwatt.model.market.behaviour_spec import BehaviourSpec, needs_equilibrium
from meanwatt.model.market.day_kernel import QUANTUM_KWH
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.population import Population
from meanwatt.model.market.posted_terms import Terms, make_offer
from meanwatt.model.market.q_learners import QLearners
from meanwatt.model.market.visits import CHUNK
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.progress.heartbeat import Heartbeat
from meanwatt.model.progress.machine import require_room
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy, build_rate_classes
from meanwatt.model.scenario.envelopes import limits_load
from meanwatt.model.scenario.loading import Scenario, load_scenario
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.values import show

WITHIN_ENVELOPES: Final = ("equilibrium", "belief")
"""Behaviours that plan, and so keep within operating envelopes."""
_ABOUT_TARIFFS = {"default_tariff", "tariffs", "rate_classes", "rate_classes_in_force"}


def whole_number(name: str, value: Any, allowed: Range, example: int) -> int:
    """Read a count; ``ValueError`` in one line if it is none, or outside its range."""
    try:
        count = operator.index(value)
    except TypeError:
        count = -1
    if isinstance(value, bool) or not allowed.holds(count):
        raise ValueError(f"{name} is {show(value)}; give {allowed.wanted()}, e.g. {example}")
    return count


def require_population(economy: Economy, households: int, parts: int = 1) -> None:
    """Raise ``ValueError`` unless the machine holds so many households and whole numbers count their energy."""
    reach_kw = max(float(home.reference_kw.max()) for home in economy.types) * float(economy.shock_levels.max())
    sun_kw = max(float(home.pv_kw.max()) for home in economy.types)
    power_kw = max(home.battery.power_limit_kw if home.battery else 0.0 for home in economy.types)
    most_kwh = max(reach_kw * (1 + economy.scenario.flexibility), sun_kw) * economy.slot_hours
    most_kwh += power_kw * economy.slot_hours
    together = max(households, min(households, CHUNK) * economy.slots)
    countable_kwh = 2.0**62 * QUANTUM_KWH
    if together * most_kwh > countable_kwh:
        most = int(min(households, countable_kwh / most_kwh / economy.slots))
        raise ValueError(
            f"households is {households}, of up to {most_kwh:.3g} kWh in a slot, which is more energy than can be"
            f" counted; give at most {most}, or a smaller load.use_kwh_per_day or pv_kw"
        )
    each = 4 * economy.slots + 40  # meter readings, and the other columns
    require_room(households / parts * each, f"{counted(households, 'household')}", "fewer of them")


def find_economy(
    scenario: str | Path | Scenario | Economy,
    tariff: str | Path | Tariff | None,
    policies: Equilibrium | None,
    overrides: Mapping[str, Any] | None = None,
) -> tuple[Economy, Tariff]:
    """Find the economy and the tariff that a market is to have.

    Parameters
    ----------
    overrides
        Of scenario keys; those under ``tariff`` act on the tariff that is asked for.

    Raises
    ------
    ValueError
        If scenario or tariff cannot be read, the tariff does not fit, the policies were solved for another scenario or
        tariff, or there are overrides for what is no file any more: an ``Economy``, or a ``Tariff``.
    """
    if overrides:
        scenario = _overridden(scenario, tariff, overrides)
    if policies is not None and not isinstance(policies, Equilibrium):
        raise ValueError(
            f"policies is a {type(policies).__name__}; give an Equilibrium of solve_equilibrium,"
            " or behaviour=FixedBehaviour(policy tables)"
        )
    file_or_name = tariff if isinstance(tariff, str | Path) else None
    if isinstance(scenario, Economy) and (file_or_name is None or _has_everybody(scenario.scenario, file_or_name)):
        economy = scenario
    else:
        known = scenario.scenario if isinstance(scenario, Economy) else scenario
        economy = build_located_economy(load_scenario(known, tariff=file_or_name))
    if economy.one_day is not None or (policies is not None and policies.economy.one_day is not None):
        raise ValueError(f"scenario {economy.scenario.name} is a game of one_day, a market goes on; leave out one_day")
    if policies is not None:
        return policies.economy, _tariff_of_policies(economy, tariff, policies)
    posted = tariff if isinstance(tariff, Tariff) else build_rate_classes(economy.scenario)
    require_plain(posted, "this market")
    day_types = len(economy.scenario.day_types)
    if posted.energy_usd_per_kwh.shape != (day_types, economy.slots) or len(posted.discount) != len(economy.groups):
        raise ValueError(
            f"tariff {posted.name} has {posted.energy_usd_per_kwh.shape[0]} day types, "
            f"{posted.energy_usd_per_kwh.shape[1]} slots and {len(posted.discount)} income groups;"
            f" scenario {economy.scenario.name} has {day_types}, {economy.slots} and {len(economy.groups)}"
        )
    return economy, posted


def _overridden(
    scenario: str | Path | Scenario | Economy, tariff: str | Path | Tariff | None, overrides: Mapping[str, Any]
) -> Scenario:
    """The scenario at the tariff asked for, with keys replaced."""
    if isinstance(scenario, Economy):
        raise ValueError(
            f"overrides are {', '.join(overrides)} but the scenario is an Economy, which is built already; override the"
            " Scenario before build_economy"
        )
    of_tariff = [key for key in overrides if key.split(".")[0] == "tariff"]
    if isinstance(tariff, Tariff) and of_tariff:
        raise ValueError(
            f"overrides are {', '.join(of_tariff)} but tariff {tariff.name} is a Tariff, which is built already; give"
            " its name or file, or change the Tariff"
        )
    return load_scenario(scenario, overrides=dict(overrides), tariff=None if isinstance(tariff, Tariff) else tariff)


def _tariff_of_policies(economy: Economy, tariff: str | Path | Tariff | None, policies: Equilibrium) -> Tariff:
    """Check that policies belong to the scenario, and to the tariff if one is asked for; return theirs."""
    theirs = policies.economy.scenario
    same = theirs is economy.scenario  # most are, and reading two scenarios key by key takes a day of a market
    if not same and theirs.model_dump(exclude=_ABOUT_TARIFFS) != economy.scenario.model_dump(exclude=_ABOUT_TARIFFS):
        raise ValueError(
            f"policies were solved for another scenario ({theirs.name}) than the market's ({economy.scenario.name});"
            " pass scenario=policies.economy"
        )
    if tariff is not None:
        wanted = tariff if isinstance(tariff, Tariff) else build_rate_classes(economy.scenario)
        asked, solved = _in_words(wanted), _in_words(policies.tariff)
        if asked != solved:
            raise ValueError(
                f"tariff is {asked} but the policies were solved for {solved}; leave tariff out, or solve again"
            )
    return policies.tariff


def _has_everybody(scenario: Scenario, tariff: str | Path) -> bool:
    """Whether a scenario's households all have the tariff of this name."""
    return tariff == scenario.selected_tariff and not scenario.has_rate_classes


def _in_words(tariff: Tariff) -> str:
    """Name of a tariff, or of that of every rate class."""
    classes = [f"{one.name}={one.tariff.name}" for one in tariff.classes]
    return ", ".join(classes) or tariff.name


def find_equilibrium(
    economy: Economy,
    tariff: Tariff,
    policies: Equilibrium | None,
    ways: Sequence[BehaviourSpec],
    progress: Callable[[Progress], None] | None = None,
) -> Equilibrium | None:
    """The equilibrium given, or one solved for its policies, adder and fixed charges; None where nothing asks for one.

    Parameters
    ----------
    progress
        Told where a solve stands; by default a line on standard error every ten seconds.

    Raises
    ------
    ValueError
        In one line, if somebody is to follow an equilibrium that was not found.
    """
    follow = needs_equilibrium(ways)
    if policies is not None or not (follow or tariff.recovery is not Recovery.POSTED):
        return policies
    with Heartbeat() as beat:
        found = solve_equilibrium(economy, tariff, certify=False, watch=Watch(progress=progress or beat.progress))
    if follow and found.outcome is not Outcome.CONVERGED:
        raise ValueError(
            f"scenario {economy.scenario.name}, tariff {tariff.name}: {found.message.rstrip('.')}; give"
            " behaviour='belief' for households that need no equilibrium, or policies=solve_equilibrium(...)"
        )
    return found


def unreached_messages(equilibrium: Equilibrium | None) -> Messages:
    """What is held of an equilibrium that was not found."""
    if equilibrium is None or equilibrium.outcome is Outcome.CONVERGED:
        return ()
    return (f"{equilibrium.message.rstrip('.')}: adder and fixed charges are held at what was reached.",)


def make_cohorts(
    ways: Sequence[BehaviourSpec],
    economy: Economy,
    tariff: Tariff,
    equilibrium: Equilibrium | None,
    key: int,
    terms: Terms | None = None,
) -> tuple[Cohort, ...]:
    """Make the cohorts of every behaviour.

    Rules of thumb expect the rates at the prices of reference demand, where beliefs begin too. Households that decide
    for themselves plan as the equilibrium does where one is known, and else let their batteries stand still. All follow
    the tariff where it may change, by ``terms``.

    Raises
    ------
    ValueError
        If an object of the user's own has not one policy for each household type.
    """
    if limits_load(economy.types):
        for way in ways:
            if way.behaviour is None and way.kind not in WITHIN_ENVELOPES:
                raise ValueError(
                    f"behaviour {way.name} knows nothing of feeder.envelopes; give {' or '.join(WITHIN_ENVELOPES)}, who"
                    " plan within them, or leave out the envelopes"
                )
    found: list[Cohort] = []
    offer = terms.of(tariff) if terms else make_offer(tariff, equilibrium)
    for number, way in enumerate(ways):
        behaviours = _behaviours(way, economy, offer, key, number)
        share = way.share / len(behaviours)
        found += [Cohort(share=share, behaviour=behaviour, strategy=way.strategy) for behaviour in behaviours]
    return tuple(found)


def cohort_shares(ways: Sequence[BehaviourSpec]) -> tuple[tuple[str, float], ...]:
    """Name and share of each cohort that ``make_cohorts`` makes of behaviours known by name."""
    counts = [way.settings.cohorts if isinstance(way.settings, BeliefSettings) else 1 for way in ways]
    return tuple((way.name, way.share / count) for way, count in zip(ways, counts, strict=True) for _ in range(count))


def _behaviours(way: BehaviourSpec, economy: Economy, offer: Offer, key: int, number: int) -> list[Behaviour]:
    """The behaviour of each cohort of one way."""
    if way.behaviour is not None:
        if len(way.behaviour.policies) != len(economy.types):
            raise ValueError(
                f"behaviour {way.behaviour.name} has {len(way.behaviour.policies)} policies; give"
                f" {len(economy.types)}, one for each household type"
            )
        return [way.behaviour]
    if isinstance(way.settings, BeliefSettings):
        return [
            BeliefBehaviour(
                types=economy.types,
                offer=offer,
                today=economy.common.today,
                problem=decision_problem(economy),
                belief_usd_per_kwh=belief,
                first_step=step,
                stagger=Stagger(way.settings.stagger, cohort),
                name=way.name,
            )
            for cohort, (belief, step) in enumerate(way.settings.starts(first_guess(economy), key, number))
        ]
    if isinstance(way.settings, QSettings):
        return [
            QLearners(
                types=economy.types,
                tariff=offer.tariff,
                adder_usd_per_kwh=offer.adder_usd_per_kwh,
                today=economy.common.today,
                problem=decision_problem(economy),
                first_guess_usd_per_kwh=first_guess(economy),
                settings=way.settings,
                name=way.name,
            )
        ]

    policies_of = _PoliciesOf(rule=way.kind if way.kind in RULES else None, economy=economy)
    return [TariffFollower(policies_of, offer, name=way.name)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _PoliciesOf:
    """What households do under an offer: a rule of thumb, or else the equilibrium's policies where they are known."""

    rule: str | None
    economy: Economy

    def __call__(self, offer: Offer) -> Sequence[PolicyTable]:
        if offer.policies is not None and self.rule is None:
            return offer.policies
        return _by_rule(self.rule or "passive", self.economy, offer)


def _by_rule(rule: str, economy: Economy, offer: Offer) -> tuple[PolicyTable, ...]:
    """Policies of a rule of thumb under an offer, at the prices of reference demand."""
    tariff = offer.tariff
    posted = rates(tariff, economy.common.today, first_guess(economy), offer.adder_usd_per_kwh)
    expected = own_rates(posted, tariff, economy.types)
    return rule_policies(rule, economy.types, expected, decision_problem(economy))


def make_terms(
    economy: Economy, tariff: Tariff, equilibrium: Equilibrium | None, ways: Sequence[BehaviourSpec]
) -> Terms:
    """The terms of the tariffs that a leader may post, after the one in force."""
    return Terms(economy, make_offer(tariff, equilibrium), equilibrium, policies=needs_equilibrium(ways))


def make_strategies(cohorts: Sequence[Cohort], population: Population) -> dict[int, Strategy]:
    """A strategy for each household, by id, whose cohort decides one by one."""
    return {
        household: cohort.strategy()
        for type_index in range(population.types)
        for number, cohort in enumerate(cohorts)
        if cohort.strategy
        for household in range(population.households)[population.of_class(type_index, number)]
    }
