"""The mean-field game at its solution as plain arrays, for whoever wants to check it without our code.

Axes: type θ, common state c, slot h, level e, shock z, move j. Types with fewer levels or moves than the largest are
padded with zeros. Best responses follow from ``reward``, ``feasible``, the two kernels, ``temperature``,
``discount_per_day`` and ``value_rule``; the flow from ``policy``; the fixed point from ``net_load_kw``, ``share``,
``rest_load_kw`` and the supply curve.
"""

from pathlib import Path
from typing import Final

import numpy as np

from meanwatt.agents.household.decision_problem import ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.output.peak_export import (
    BY_PLAN,
    PEAK_STEPS,
    Arrays,
    carries_peak,
    peak_arrays,
    peak_tables,
)
from meanwatt.analysis.output.rate_classes import class_adder_usd_per_kwh, class_of_type, type_rates
from meanwatt.analysis.output.result_files import staged_file
from meanwatt.analysis.output.solution_json import standing_parts
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.load_reach import net_load_reach_kw
from meanwatt.model.scenario.envelopes import limits_load
from meanwatt.model.scenario.supply import SupplyCurve

VALUE_RULE_NUMBER: Final = {ValueRule.ENTROPY: 0, ValueRule.BOLTZMANN: 1}
SUPPLY_NODES: Final = 2001
"""Evenly spaced nodes of the supply curve, beside its kinks and the points of the solution."""
SUPPLY_MARGIN_KW: Final = 0.5
"""How far the nodes reach beyond any load that the households could cause together. [kW]"""


def game_arrays(equilibrium: Equilibrium) -> Arrays:
    """Arrays of a game and its solution.

    Returns
    -------
    dict
        float64 unless said.

        ``share[θ]``, ``import_discount[θ]``, ``income_usd_per_year[θ]``; ``fixed_charge_usd_per_day[θ]`` and
        ``access_charge_usd_per_day[θ]``, the parts of the bill that do not depend on use;
        ``levels[θ]`` (int): number of levels, 1 without a battery; ``moves[j]`` (int): signed level changes, the union
        over types; ``feasible[θ,e,j]`` (bool): in some slot. ``feasible_by_slot[θ,h,e,j]`` (bool): in this one, for an
        electric vehicle moves only while it is plugged in. ``chosen[θ,h]`` (bool): whether the household chooses its
        move; in the other slots the vehicle is on the road, and ``policy`` is given, a draw by nature.
        ``reward[θ,c,h,z,j]``: USD per slot at the solution's prices, wear, energy that trips lack and payment included,
        fixed charge excluded; 0 where no level allows the move.
        ``barred_usd[θ,c,h,z,j]``: what choices and plans take off the reward of a move that an operating envelope bars,
        in the household's eyes alone; only where a scenario has envelopes.
        ``net_load_kw[θ,c,h,z,j]``: mean over the plans that households follow.
        ``plan_share[θ,c,h,z,j,p]``, ``plan_net_load_kw[…]`` and ``plan_curtailed_kw[…]``: where plans tie at a move
        (buy or sell, use solar output or curtail it) households part, and a plan's share of them clears the market;
        its net load, and the solar output it curtails. One plan where nobody parts; shares of moves sum to 1.
        ``policy[θ,c,h,e,z,j]``; ``law[θ,c,h,e,z]``: before the move of slot h, sums to one over (e, z).
        ``shock_kernel[z,z']`` acts after every slot, ``common_kernel[c,c']`` at midnight; ``common_probability[c]``.
        ``wholesale_usd_per_kwh[c,h]``, ``import_usd_per_kwh[c,h]`` and ``export_usd_per_kwh[c,h]`` before discounts;
        ``adder_usd_per_kwh``: of the default rate class. ``rate_class[θ]`` (int): the type's class, 0 the default;
        ``type_import_usd_per_kwh[θ,c,h]`` and ``type_export_usd_per_kwh[θ,c,h]``: what the type pays and earns, by its
        class and after its discount. ``net_load[c,h]``: population mean; ``rest_load_kw[c,h]``.
        ``supply_x[]``, ``supply_usd_per_kwh[]``: supply curve by nodes, every point of the solution among them.
        ``temperature`` (USD), ``discount_per_day``, ``slot_hours``, ``value_rule`` (int: 0 ``entropy``, values
        are η log Σ exp(Q/η); 1 ``boltzmann``, values are max Q and moves are drawn in proportion to exp(Q/η)).
        ``one_day`` (int): 1 if that day is all there is; then ``law`` starts from what the scenario gives and
        ``salvage_usd[θ,e]`` is the worth of what is stored after the last slot, else 0.

        Where households carry the day's largest import so far in their state (``demand_charge.decision = "state"``),
        it is an axis l after z: ``policy`` and ``law`` are [θ,c,h,e,z,l,…], and what a move brings depends on all of
        the state: ``reward``, ``net_load_kw`` and ``plan_…`` are [θ,c,h,e,z,l,j,…], the charge not in ``reward``. A
        move leads to level ``peak_lower[θ,c,h,e,z,l,j]`` (int), or by a chance of ``peak_upper`` (likewise) to the
        next, and midnight to 0; a rise is charged as it comes, by ``peak_charge_usd[θ,l]``. Also all other arrays of
        `meanwatt.analysis.output.peak_export.peak_arrays`.
    """
    economy, answer = equilibrium.economy, equilibrium.answer
    scenario, types, common = economy.scenario, economy.types, economy.common
    moves = np.unique(np.concatenate([response.policy.moves for response in answer.responses]))
    slots, levels, kinds = economy.slots, max(t.levels for t in types), len(types)
    open_to = np.zeros((kinds, slots, levels, len(moves)), dtype=np.bool_)
    chosen = np.ones((kinds, slots), dtype=np.bool_)
    for k, (household, response) in enumerate(zip(types, answer.responses, strict=True)):
        column = np.searchsorted(moves, response.policy.moves)
        open_to[k, :, : household.levels][..., column] = response.policy.open_moves
        if response.policy.choice is not None:
            chosen[k] = response.policy.choice.chosen
    peaks = carries_peak(equilibrium)
    tables = peak_tables(equilibrium, moves) if peaks else _tables(equilibrium, moves)
    salvage = np.zeros((kinds, levels))
    if economy.one_day is not None:
        level_kwh = [response.outcome.level_kwh for response in answer.responses]
        salvage = economy.one_day.salvage_usd_per_kwh * np.outer(level_kwh, np.arange(levels))
    supply_x, posted = supply_nodes_kw(equilibrium), posted_arrays(equilibrium)
    return {
        "share": economy.type_share,
        "levels": np.array([t.levels for t in types], dtype=np.int64),
        "moves": moves,
        "reward": tables["reward"],
        **({"barred_usd": tables["barred_usd"]} if limits_load(types) else {}),
        "net_load_kw": tables["net_load_kw"],
        **{name: tables[name] for name in BY_PLAN},
        "feasible": np.asarray(open_to.any(axis=1)),
        "feasible_by_slot": open_to,
        "chosen": chosen,
        "shock_kernel": economy.shock_kernel,
        "common_kernel": common.kernel,
        "common_probability": common.probability,
        "supply_x": supply_x,
        "supply_usd_per_kwh": economy.supply.price(supply_x),
        "rest_load_kw": economy.rest_load_kw,
        "wholesale_usd_per_kwh": equilibrium.wholesale_usd_per_kwh,
        "import_usd_per_kwh": posted["import_usd_per_kwh"],
        "export_usd_per_kwh": posted["export_usd_per_kwh"],
        "policy": tables["policy"],
        "law": tables["law"],
        "net_load": equilibrium.net_load_kw,
        "temperature": np.array(scenario.temperature_usd),
        "discount_per_day": np.array(scenario.discount_per_day),
        "slot_hours": np.array(economy.slot_hours),
        "value_rule": np.array(VALUE_RULE_NUMBER[ValueRule(scenario.value_rule)], dtype=np.int64),
        "one_day": np.array(economy.one_day is not None, dtype=np.int64),
        "salvage_usd": salvage,
        **{name: array for name, array in posted.items() if name not in ("import_usd_per_kwh", "export_usd_per_kwh")},
        **({name: tables[name] for name in PEAK_STEPS} | peak_arrays(equilibrium, moves) if peaks else {}),
    }


def posted_arrays(equilibrium: Equilibrium) -> Arrays:
    """Rates and standing charges among `game_arrays`."""
    types, own = equilibrium.economy.types, type_rates(equilibrium)
    return {
        "import_usd_per_kwh": equilibrium.rates.import_usd_per_kwh,
        "export_usd_per_kwh": equilibrium.rates.export_usd_per_kwh,
        "rate_class": class_of_type(equilibrium),
        "type_import_usd_per_kwh": own.import_usd_per_kwh,
        "type_export_usd_per_kwh": own.export_usd_per_kwh,
        "import_discount": np.array([equilibrium.tariff.of(t).discount[t.group] for t in types]),
        "income_usd_per_year": np.array([t.income_usd_per_year for t in types]),
        **{f"{name}_usd_per_day": paid for name, paid in standing_parts(equilibrium).items()},
        "adder_usd_per_kwh": np.array(class_adder_usd_per_kwh(equilibrium, 0)),
    }


def _tables(equilibrium: Equilibrium, moves: Ints) -> Arrays:
    """What households do and what moves bring: policies, laws, rewards, net loads and plans of every type."""
    economy, answer = equilibrium.economy, equilibrium.answer
    states, slots = equilibrium.net_load_kw.shape
    shocks, levels, kinds = len(economy.shock_levels), max(t.levels for t in economy.types), len(economy.types)
    reward = np.zeros((kinds, states, slots, shocks, len(moves)))
    net_load_kw, barred = np.zeros_like(reward), np.zeros_like(reward)
    policy = np.zeros((kinds, states, slots, levels, shocks, len(moves)))
    law = np.zeros((kinds, states, slots, levels, shocks))
    for k, (household, response) in enumerate(zip(economy.types, answer.responses, strict=True)):
        column = np.searchsorted(moves, response.policy.moves)
        possible = np.asarray(response.policy.open_moves.any(axis=1))[:, None]
        reward[k][..., column] = np.where(possible, response.outcome.reward_usd, 0.0)
        if response.outcome.barred_usd is not None:
            barred[k][..., column] = np.where(possible, response.outcome.barred_usd, 0.0)
        net_load_kw[k][..., column] = np.where(possible, response.policy.net_load_kw, 0.0)
        policy[k, :, :, : household.levels][..., column] = response.policy.probability
        law[k, :, :, : household.levels] = answer.flows[k].law
    played = {"reward": reward, "barred_usd": barred, "net_load_kw": net_load_kw, "policy": policy, "law": law}
    return {**played, **_plans(equilibrium, moves)}


def _plans(equilibrium: Equilibrium, moves: Ints) -> dict[str, Floats]:
    """Shares of the plans at every move, their net load and what they curtail. (θ, c, h, z, j, plan)"""
    policies = equilibrium.policies
    count = max(policy.plans.share.shape[-1] for policy in policies)
    shape = (*equilibrium.net_load_kw.shape, len(equilibrium.economy.shock_levels), len(moves), count)
    share, net_load_kw, curtailed_kw = np.zeros((3, len(policies), *shape))
    for k, policy in enumerate(policies):
        column, plans = np.searchsorted(moves, policy.moves), policy.plans
        own = slice(plans.share.shape[-1])
        share[k][..., column, own] = plans.share
        net_load_kw[k][..., column, own] = plans.net_load_kw
        curtailed_kw[k][..., column, own] = plans.curtailed_kw
    return {"plan_share": share, "plan_net_load_kw": net_load_kw, "plan_curtailed_kw": curtailed_kw}


def supply_nodes_kw(equilibrium: Equilibrium) -> Floats:
    """Loads at which the supply curve is given: a fine grid, its kinks, and every L + rest of the solution. [kW]

    The grid covers every load that the households could cause together, so that a checker may try other policies.
    """
    economy = equilibrium.economy
    supply: SupplyCurve = economy.supply
    reach = [
        _reach_kw(equilibrium, household, response.outcome)
        for household, response in zip(economy.types, equilibrium.answer.responses, strict=True)
    ]
    least, most = (
        sum(w * own for w, own in zip(economy.type_share, side, strict=True)) for side in zip(*reach, strict=True)
    )
    low = float((least + economy.rest_load_kw).min()) - SUPPLY_MARGIN_KW
    high = float((most + economy.rest_load_kw).max()) + SUPPLY_MARGIN_KW
    kinks = supply.breaks_kw[(supply.breaks_kw > low) & (supply.breaks_kw < high)]
    solution = (equilibrium.net_load_kw + economy.rest_load_kw).ravel()
    return np.unique(np.concatenate([np.linspace(low, high, SUPPLY_NODES), kinks, solution]))


def _reach_kw(equilibrium: Equilibrium, household: HouseholdType, outcome: SlotOutcome) -> tuple[Floats, Floats]:
    """Least and largest net load (c, h) of a type's moves, by any use where use answers to the largest import. [kW]"""
    if household.day_peak is None:
        return outcome.net_load_kw.min(axis=(2, 3)), outcome.net_load_kw.max(axis=(2, 3))
    economy = equilibrium.economy
    shocks = economy.shock_levels
    return net_load_reach_kw(household, economy.slot_hours, float(shocks.min()), float(shocks.max()))


def write_game(file: str | Path, equilibrium: Equilibrium) -> Arrays:
    """Write `game_arrays` to a compressed .npz file, whole or not at all; return them."""
    return write_arrays(file, game_arrays(equilibrium))


def write_arrays(file: str | Path, arrays: Arrays) -> Arrays:
    """Write arrays to a compressed .npz file, whole or not at all; return them."""
    with staged_file(file) as stage, stage.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return arrays
