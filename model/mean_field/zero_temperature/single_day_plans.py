"""Temperature 0: everybody's best plan for a single day, compiled for all household types at once.

One backward sweep gives the best values, and one forward sweep from the law at the start follows the best moves. A plan
is the moves taken, ties split equally, in every state that is met.
"""

import numpy as np

from meanwatt.agents.household.backward_induction import TIE_USD, given_moves, hard_values
from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.day_operator import mix_shocks
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.mean_field.population.flow import Flow
from meanwatt.model.mean_field.population.population_response import own_decision_problem
from meanwatt.model.mean_field.population.type_stack import TypeStack
from meanwatt.model.mean_field.zero_temperature.column_pool import (
    ROOM_PER_TYPE,
    Columns,
    add_column,
    empty_columns,
    enlarged,
    free_unused,
    next_free,
)
from meanwatt.model.mean_field.zero_temperature.market_clearing import Cleared, expected_gain, outcome_of
from meanwatt.model.scenario.economy import Economy


class SingleDayPlans:
    """Plans of a game of one day, or of a day that is held between others."""

    def __init__(self, economy: Economy, horizon: DecisionProblem, types: TypeStack) -> None:
        self.households, self.types = economy.types, types
        self.views = [own_decision_problem(economy, horizon, type_index) for type_index in range(len(economy.types))]
        states, slots = economy.rest_load_kw.shape
        shocks, most = types.shock_levels.size, int(types.levels.max())
        self.start_law = np.zeros((len(economy.types), states, shocks, most))
        self.tomorrow_usd = np.zeros((len(economy.types), states, shocks, most))
        known: dict[tuple[Battery | None, int], int] = {}
        for type_index, (household, view) in enumerate(zip(economy.types, self.views, strict=True)):
            day, levels = view.one_day, household.levels
            assert day is not None
            like = known.setdefault((household.battery, id(day)), type_index)
            if like < type_index:
                self.tomorrow_usd[type_index], self.start_law[type_index] = (
                    self.tomorrow_usd[like],
                    self.start_law[like],
                )
                continue
            level_kwh = household.storage_day(types.slot_hours).level_kwh
            worth = np.broadcast_to(day.midnight_usd(levels, level_kwh), (states, shocks, levels))
            self.tomorrow_usd[type_index, ..., :levels] = np.tensordot(horizon.common_kernel, worth, axes=1)
            self.start_law[type_index, ..., :levels] = np.swapaxes(day.start(levels, horizon.shock_probability), -1, -2)
        self.shock_kernel = np.array(horizon.shock_kernel)
        room = ROOM_PER_TYPE * len(economy.types)
        self.columns = empty_columns(room, (states, slots, shocks, types.moves.shape[1]))
        self.taken = np.empty((room, states, slots, shocks, most, types.moves.shape[1]), dtype=np.bool_)
        self.begun = False

    def answer(self, here: Cleared) -> float:
        """As promised by ``Plans``."""
        while free_unused(self.columns) < len(self.households):
            self.columns = enlarged(self.columns)
            self.taken = np.concatenate([self.taken, np.empty_like(self.taken)])
        gap = _plan_day(
            self.types, here, self.shock_kernel, self.tomorrow_usd, self.start_law, self.columns, self.taken, self.begun
        )
        self.begun = True
        return float(gap)

    def policies(self, here: Cleared) -> list[tuple[Response, Flow]]:
        """As promised by ``Plans``; what no plan meets is answered as best."""
        return [self._policy(type_index, here) for type_index in range(len(self.households))]

    def _policy(self, type_index: int, here: Cleared) -> tuple[Response, Flow]:
        household = self.households[type_index]
        outcome = outcome_of(household, type_index, here, self.types.slot_hours)
        choice, (states, slots, shocks, count) = outcome.choice, outcome.net_load_kw.shape
        assert choice is not None
        levels = household.levels
        value = np.empty((states, slots, shocks, levels))
        law = np.empty((states, slots, levels, shocks))
        probability = np.empty((states, slots, levels, shocks, count))
        tomorrow, start = (
            np.ascontiguousarray(a[type_index, ..., :levels]) for a in (self.tomorrow_usd, self.start_law)
        )
        _mix_days(
            *(self.columns, self.taken, type_index, outcome.reward_usd, outcome.moves),
            *(choice.bounds, choice.given),
            *(self.shock_kernel, tomorrow, start, value, law, probability),
        )
        gain = float(self.types.chance @ (value[:, 0] * start).sum(axis=(1, 2)))
        policy = outcome.followed(probability)
        response = Response(
            policy=policy,
            outcome=outcome,
            value_usd=value,
            gain_usd_per_day=gain,
            span_usd=0.0,
            days=1,
            converged=True,
        )
        return response, Flow(law=law, frequency=here.frequency[type_index, ..., :count], defect=0.0)


@compiled
def _plan_day(
    types: TypeStack,
    here: Cleared,
    shock_kernel: Floats,
    tomorrow_usd: Floats,
    start_law: Floats,
    columns: Columns,
    taken: Bools,
    begun: bool,
) -> float:
    """Every type's best plan as a column; return the gap, infinite where there were no plans yet. [USD/day]"""
    gap, place = 0.0, 0
    shock_draw = np.ascontiguousarray(shock_kernel.T)
    for type_index in range(types.share.size):
        levels = types.levels[type_index]
        if levels == 1 and begun:
            continue  # a household without a battery has but one plan
        place = next_free(columns, place)
        reward, move, frequency = here.reward_usd[type_index], types.moves[type_index], columns.frequency[place]
        worth = _best_day(
            reward,
            move,
            types.bounds[type_index],
            types.given[type_index],
            shock_kernel,
            shock_draw,
            types.chance,
            np.ascontiguousarray(tomorrow_usd[type_index, :, :, :levels]),
            np.ascontiguousarray(start_law[type_index, :, :, :levels]),
            taken[place],
            frequency,
        )
        lead = expected_gain(types, reward, frequency) - expected_gain(types, reward, here.frequency[type_index])
        gap += types.share[type_index] * (lead + worth - here.worth_usd[type_index])
        add_column(columns, place, type_index, worth, not begun)
    return gap if begun else np.inf


@compiled
def _best_values(
    reward: Floats,
    move: Ints,
    bounds: Ints,
    given: Floats,
    shock_kernel: Floats,
    tomorrow_usd: Floats,
    ahead: Floats,
    value: Floats,
) -> None:
    """Best values of one day backward: value[h, z, e], and expected ahead[h, z, e] after the move of slot h."""
    slots = reward.shape[0]
    nothing = np.empty((0, 0, 0))
    for back in range(slots):
        h = slots - 1 - back
        mix_shocks(shock_kernel, tomorrow_usd if back == 0 else value[h + 1], 1.0, ahead[h])
        first, beyond = bounds[h, 0], bounds[h, 1]
        if first == beyond:
            given_moves(given[h], reward[h], move[0], ahead[h], value[h], nothing)
            continue
        open_to = move[first:beyond]
        for z in range(reward.shape[1]):
            hard_values(reward[h, z, first:beyond], open_to, ahead[h, z], value[h, z])


@compiled
def _mark_best(
    reward: Floats, move: Ints, first: int, beyond: int, ahead: Floats, value: float, e: int, best: Bools
) -> int:
    """Mark the moves at level e that attain the value, up to rounding; return how many.

    Moves are numbered from ``first`` to the one before ``beyond``.
    """
    ties, enough = 0, value - TIE_USD
    for j in range(move.size):
        best[j] = False
    for j in range(first, beyond):
        after = np.uint64(e + move[j])  # below 0 it is huge: one comparison for both ends, and no index from the end
        best[j] = after < np.uint64(ahead.size) and reward[j] + ahead[after] >= enough
        ties += best[j]
    return ties


@compiled
def _best_day(  # noqa: C901, PLR0913  # complexipy: ignore
    reward: Floats,
    move: Ints,
    bounds: Ints,
    given: Floats,
    shock_kernel: Floats,
    shock_draw: Floats,
    chance: Floats,
    tomorrow_usd: Floats,
    start_law: Floats,
    taken: Bools,
    frequency: Floats,
) -> float:
    """Best plan of one type: taken[c, h, z, e, j] and its frequencies; return the expected worth of what it leaves.

    ``tomorrow_usd`` (c, z, e) is expected over tomorrow's common state; ``start_law`` is (c, z, e); ``shock_draw`` is
    the shocks' kernel transposed.
    """
    states, slots, shocks, count = reward.shape
    levels = tomorrow_usd.shape[2]
    ahead, value = np.empty((slots, shocks, levels)), np.empty((slots, shocks, levels))
    mass, moved = np.empty((shocks, levels)), np.empty((shocks, levels))
    for c in range(states):
        for h in range(slots):
            for z in range(shocks):
                for j in range(count):
                    frequency[c, h, z, j] = 0.0
    worth = 0.0
    for c in range(states):
        _best_values(reward[c], move, bounds, given, shock_kernel, tomorrow_usd[c], ahead, value)
        for z in range(shocks):
            for e in range(levels):
                mass[z, e] = start_law[c, z, e]
        for h in range(slots):
            first, beyond = bounds[h, 0], bounds[h, 1]
            for z in range(shocks):
                for e in range(levels):
                    moved[z, e] = 0.0
            for z in range(shocks):
                done = frequency[c, h, z]
                for e in range(levels):
                    if mass[z, e] != 0.0:
                        best = taken[c, h, z, e]
                        if first == beyond:
                            for j in range(count):
                                best[j] = given[h, e, j] > 0.0
                                if best[j]:
                                    done[j] += mass[z, e] * given[h, e, j]
                                    moved[z, e + move[j]] += mass[z, e] * given[h, e, j]
                            continue
                        ways = _mark_best(reward[c, h, z], move, first, beyond, ahead[h, z], value[h, z, e], e, best)
                        part = mass[z, e] / ways
                        for j in range(count):
                            if best[j]:
                                done[j] += part
                                moved[z, e + move[j]] += part
            if h == slots - 1:
                for z in range(shocks):
                    for e in range(levels):
                        worth += chance[c] * moved[z, e] * ahead[h, z, e]
            mix_shocks(shock_draw, moved, 1.0, mass)
    return worth


@compiled
def _mix_days(  # noqa: C901, PLR0913  # complexipy: ignore
    columns: Columns,
    all_taken: Bools,
    type_index: int,
    reward: Floats,
    move: Ints,
    bounds: Ints,
    given: Floats,
    shock_kernel: Floats,
    tomorrow_usd: Floats,
    start_law: Floats,
    value: Floats,
    law: Floats,
    probability: Floats,
) -> None:
    """Best values (c, h, z, e); law (c, h, e, z) and moves (c, h, e, z, j) of a mixture, best where it never is."""
    states, slots, levels, shocks, count = probability.shape
    shock_draw = np.ascontiguousarray(shock_kernel.T)
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    law[c, h, e, z] = 0.0
                    for j in range(count):
                        probability[c, h, e, z, j] = 0.0
    mass, moved = np.empty((shocks, levels)), np.empty((shocks, levels))
    for k in range(columns.type_index.size):
        if columns.type_index[k] == type_index and columns.mixture[k] > 0.0:
            for c in range(states):
                for z in range(shocks):
                    for e in range(levels):
                        mass[z, e] = columns.mixture[k] * start_law[c, z, e]
                for h in range(slots):
                    for z in range(shocks):
                        for e in range(levels):
                            moved[z, e] = 0.0
                    for z in range(shocks):
                        for e in range(levels):
                            if mass[z, e] != 0.0:
                                taken, done = all_taken[k, c, h, z, e], probability[c, h, e, z]
                                law[c, h, e, z] += mass[z, e]
                                if bounds[h, 0] == bounds[h, 1]:
                                    for j in range(count):
                                        if given[h, e, j] > 0.0:
                                            done[j] += mass[z, e] * given[h, e, j]
                                            moved[z, e + move[j]] += mass[z, e] * given[h, e, j]
                                    continue
                                ways = 0
                                for j in range(count):
                                    ways += taken[j]
                                part = mass[z, e] / ways
                                for j in range(count):
                                    if taken[j]:
                                        done[j] += part
                                        moved[z, e + move[j]] += part
                    mix_shocks(shock_draw, moved, 1.0, mass)
    ahead = np.empty((slots, shocks, levels))
    best = np.empty(count, dtype=np.bool_)
    for c in range(states):
        _best_values(reward[c], move, bounds, given, shock_kernel, tomorrow_usd[c], ahead, value[c])
        for h in range(slots):
            first, beyond = bounds[h, 0], bounds[h, 1]
            for e in range(levels):
                for z in range(shocks):
                    chances, total = probability[c, h, e, z], law[c, h, e, z]
                    if first == beyond:
                        for j in range(count):
                            chances[j] = given[h, e, j]
                        continue
                    if total == 0.0:
                        total = float(
                            _mark_best(reward[c, h, z], move, first, beyond, ahead[h, z], value[c, h, z, e], e, best)
                        )
                        for j in range(count):
                            chances[j] = 1.0 if best[j] else 0.0
                    share = 1.0 / total
                    for j in range(count):
                        chances[j] *= share
