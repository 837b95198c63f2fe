"""The continuum under policy tables that nobody solved for: what prices they induce, and what they forgo there.

Learners, rules of thumb and cohorts side by side are all sequences of policy tables. Each is followed for ever by its
share of every household type; use of electricity is part of a table, as planned with, and not chosen anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.best_response import Response, respond
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import mean_reward_usd, slot_outcome
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.certificates import policy_value_usd
from meanwatt.model.mean_field.population.flow import Flow, household_flow
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import decision_problem, induced_wholesale
from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """Cohorts that follow their tables for ever.

    Attributes
    ----------
    net_load_kw : (c, h)
        Mean net load. [kW]
    wholesale_usd_per_kwh : (c, h)
        The price it induces. [USD/kWh]
    exploitability_usd_per_household_day
        Mean gain of the hard best response over the tables, both unregularised, at the prices induced, the adder held;
        as ``Equilibrium.exploitability_usd_per_household_day``, with the use of electricity free to change too.
    forgone_usd_per_day : (cohort,)
        The same of the mean household of each cohort. [USD/day]
    flows, best : tuple
        By cohort and type the law under the table, and by type the best response; a nearby call starts from them.
    """

    net_load_kw: Floats
    wholesale_usd_per_kwh: Floats
    exploitability_usd_per_household_day: float
    forgone_usd_per_day: Floats
    flows: tuple[tuple[Flow, ...], ...]
    best: tuple[Response, ...]


def follow(
    economy: Economy,
    tariff: Tariff,
    adder_usd_per_kwh: float,
    cohorts: Sequence[Sequence[PolicyTable]],
    share: Floats,
    *,
    start: Followed | None = None,
    laws: Sequence[Floats] | None = None,
) -> Followed:
    """Let every cohort follow its tables, and certify them.

    Parameters
    ----------
    adder_usd_per_kwh
        Held. [USD/kWh]
    cohorts
        Policy of each household type, by cohort.
    share : (cohort,)
        Shares of every type; they sum to one.
    start
        The answer to similar tables.
    laws
        Law (c, e, z) of each type at midnight from which laws flow where there is no ``start``; it matters for tables
        under which a battery never leaves some levels. By default every level alike.

    Raises
    ------
    ValueError
        If there is no cohort, or a game of one day, which these tables are not for.
    """
    if not len(cohorts):
        raise ValueError("there is no cohort; give at least one sequence of policies")
    if economy.one_day is not None or economy.held is not None:
        raise ValueError(f"scenario {economy.scenario.name} is a game of one_day; leave out one_day")
    view = decision_problem(economy)
    net_load = np.zeros_like(economy.rest_load_kw)
    flows: list[tuple[Flow, ...]] = []
    for number, (policies, part) in enumerate(zip(cohorts, share, strict=True)):
        own = []
        for type_index, (household, policy) in enumerate(zip(economy.types, policies, strict=True)):
            midnight = start.flows[number][type_index].law[:, 0] if start else laws[type_index] if laws else None
            flow = household_flow(policy, view, economy.common.backward, midnight)
            net_load += part * household.share * (flow.frequency * policy.net_load_kw).sum(axis=(2, 3))
            own.append(flow)
        flows.append(tuple(own))
    wholesale = induced_wholesale(economy, net_load)
    game = Game(economy, tariff)
    posted = game.posted_rates(wholesale, adder_usd_per_kwh)
    hard = decision_problem(economy, temperature_usd=0.0)
    forgone = np.zeros(len(cohorts))
    best = []
    for type_index, household in enumerate(economy.types):
        charged = game.own_rates(posted, type_index)
        brought = slot_outcome(household, charged, economy.shock_levels, economy.slot_hours)
        top = respond(brought, household.levels, hard, start=start.best[type_index] if start else None)
        best.append(top)
        for number, policies in enumerate(cohorts):
            reward = table_reward_usd(economy, household, policies[type_index], charged)
            forgone[number] += household.share * _forgone(
                economy, policies[type_index], flows[number][type_index], reward, top, hard
            )
    return Followed(
        net_load_kw=net_load,
        wholesale_usd_per_kwh=wholesale,
        exploitability_usd_per_household_day=float(np.asarray(share) @ forgone),
        forgone_usd_per_day=forgone,
        flows=tuple(flows),
        best=tuple(best),
    )


def table_reward_usd(economy: Economy, household: HouseholdType, policy: PolicyTable, charged: Rates) -> Floats:
    """Reward of a slot when a table's use and net load are charged at given rates, (c, h, z, j). [USD]"""
    return mean_reward_usd(household, charged, policy, economy.shock_levels, economy.slot_hours)


def _forgone(
    economy: Economy, policy: PolicyTable, flow: Flow, reward: Floats, best: Response, hard: DecisionProblem
) -> float:
    """What a household forgoes by a table, per day. [USD/day]"""
    chance = economy.common.probability
    if hard.discount_per_day == 1.0:
        weight = flow.frequency * chance[:, None, None, None]
        return best.gain_usd_per_day - float((weight * reward).sum())
    own = policy_value_usd(reward, policy.probability, policy.moves, hard)
    lead = best.value_usd[:, 0].transpose(0, 2, 1) - own
    return (1 - hard.discount_per_day) * float((chance[:, None, None] * flow.law[:, 0] * lead).sum())
