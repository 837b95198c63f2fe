"""What batteries do, and what it costs, where all that they answer is one price path that buys and sells alike."""

from dataclasses import replace

import numpy as np

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.best_response import Response, respond
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.household.storage import StorageDay, storage_day
from meanwatt.agents.numerics.arrays import Floats, read_only
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy


def battery_makes(economy: Economy) -> dict[Battery, float]:
    """Every make of battery, and the share of households that own one."""
    makes: dict[Battery, float] = {}
    for household in economy.types:
        if household.battery is not None:
            makes[household.battery] = makes.get(household.battery, 0.0) + household.share
    return makes


def planner_horizon(economy: Economy) -> DecisionProblem:
    """The days without end as a planner sees them: temperature 0, δ = 1, no household's own shocks."""
    return replace(
        decision_problem(economy, temperature_usd=0.0),
        shock_levels=np.ones(1),
        shock_kernel=read_only([[1.0]]),
        shock_probability=np.ones(1),
        discount_per_day=1.0,
    )


def idle_cost_usd(economy: Economy, battery: Battery) -> float:
    """What it costs a day to leave a battery empty and never charge: nothing at home, the trip of a vehicle. [USD]"""
    day = storage_day(battery, economy.slots, economy.slot_hours)
    return float(day.cost_by_slot_usd()[:, day.still].sum())


def best_battery_plan(
    economy: Economy, battery: Battery, horizon: DecisionProblem, price: Floats, start: Response | None, watch: Watch
) -> tuple[Floats, float, Response]:
    """Mean power (c·h) and daily wear of a battery that answers the price alone, at temperature 0."""
    day = storage_day(battery, economy.slots, economy.slot_hours)
    power = day.power_kw[:, None]
    shape = (*economy.rest_load_kw.shape, 1, day.moves.size)
    prices = price.reshape(economy.rest_load_kw.shape)[:, :, None, None]
    brought = SlotOutcome(
        moves=day.moves,
        use_kw=np.zeros(shape),
        net_load_kw=np.broadcast_to(power, shape),
        utility_usd=np.zeros(shape),
        payment_usd=economy.slot_hours * prices * power,
        wear_usd=day.cost_usd,
        choice=day.choice,
    )
    response = respond(brought, battery.levels, horizon, start=start, check=watch.check)
    flow = stationary_flow(
        response.policy, horizon.shock_kernel, np.ones(1), economy.common.backward, check=watch.check
    )
    frequency = flow.frequency[:, :, 0]
    power, cost = (_by_slot(frequency, day, of_move) for of_move in (day.power_kw, day.cost_by_slot_usd()))
    return power.ravel(), float(economy.common.probability @ cost.sum(axis=1)), response


def _by_slot(frequency: Floats, day: StorageDay, of_move: Floats) -> Floats:
    """Mean (c, h) of what every move (h, j) brings, under frequencies (c, h, j)."""
    if not day.choice.given.size:  # the same in every slot
        return np.asarray(frequency @ of_move[0])
    return np.asarray((frequency * of_move).sum(axis=2))
