"""A solved game as the object that ``meanwatt game --json`` prints."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.tabular.softmax_error import SoftmaxErrors
from meanwatt.analysis.tabular.solution import ConceptResult, GameSolution, TemperatureRun
from meanwatt.model.tabular.named_game import NamedGame


def solution_json(solution: GameSolution) -> dict[str, Any]:
    """The game's names, its concepts, and the softmax iteration; values and policies by the names of the game."""
    named, game = solution.named, solution.named.game
    return {
        "game": named.name,
        "title": named.title,
        "outcome": solution.outcome,
        "message": solution.message,
        "messages": solution.messages,
        "players": {"leader": named.leader, "follower": named.follower},
        "unit": named.unit or None,
        "states": named.states,
        "actions": {"leader": named.leader_actions, "follower": named.follower_actions},
        "discount": {"leader": game.discount_leader, "follower": game.discount_follower},
        "start": by_name(named.states, game.start_law),
        "separates": game.separates,
        "concepts": {name: _concept(named, found) for name, found in solution.concepts.items()},
        "softmax": {
            "start_policy": _policy(named.states, named.leader_actions, solution.start),
            "contractive_temperature": solution.warm,
            "temperatures": [
                {**_run(named, one), **_stackelberg(solution.errors, k)} for k, one in enumerate(solution.runs)
            ],
        },
    }


def by_name(names: Sequence[str], values: Floats) -> dict[str, float]:
    """One number a name."""
    return dict(zip(names, values.tolist(), strict=True))


def _policy(states: Sequence[str], actions: Sequence[str], policy: Floats) -> dict[str, dict[str, float]]:
    return {state: by_name(actions, row) for state, row in zip(states, policy, strict=True)}


def _play(named: NamedGame, leader: Floats, follower: Floats) -> dict[str, Any]:
    return {
        "leader_policy": _policy(named.states, named.leader_actions, leader),
        "follower_policy": _policy(named.states, named.follower_actions, follower),
    }


def _values(named: NamedGame, leader: Floats, follower: Floats) -> dict[str, Any]:
    start = named.game.start_law
    return {
        "leader_value": by_name(named.states, leader),
        "follower_value": by_name(named.states, follower),
        "leader_objective": float(start @ leader),
        "follower_objective": float(start @ follower),
    }


def _concept(named: NamedGame, found: ConceptResult) -> dict[str, Any]:
    """How it ended; without an equilibrium its policies and values are null."""
    one = found.equilibrium
    nothing = dict.fromkeys(
        (
            "leader_policy",
            "follower_policy",
            "leader_value",
            "follower_value",
            "leader_objective",
            "follower_objective",
            "residual",
            "rounds",
            "bound",
        )
    )
    shown = {
        "outcome": found.outcome,
        "message": found.message,
        "exists": found.exists,
        "mixed": found.mixed,
    }
    if one is None:
        return shown | nothing
    return {
        **shown,
        **_play(named, one.leader_policy, one.follower_policy),
        **_values(named, one.leader_value, one.follower_value),
        "residual": one.residual,
        "rounds": one.rounds,
        "bound": one.bound,
    }


def _run(named: NamedGame, one: TemperatureRun) -> dict[str, Any]:
    run, constants = one.run, one.lipschitz
    return {
        "temperature": one.temperature,
        "outcome": run.outcome,
        "message": run.message,
        "rounds": len(run.residuals),
        "period": run.period,
        "lipschitz": {
            "leader_measured": constants.leader_measured,
            "follower_measured": constants.follower_measured,
            "product_measured": constants.product_measured,
            "leader_bound": constants.leader_bound,
            "follower_bound": constants.follower_bound,
            "product_bound": constants.product_bound,
        },
        **_play(named, run.leader_policy, run.follower_policy),
        **_values(named, run.leader_value, run.follower_value),
        "leader_regret": run.leader_regret,
        "leader_regret_bound": run.leader_regret_bound,
        "follower_regret": run.follower_regret,
        "follower_regret_bound": run.follower_regret_bound,
        "error": one.errors,
        "error_bound_measured": one.error_bounds(constants.product_measured),
        "error_bound_proven": one.error_bounds(constants.product_bound),
    }


def _stackelberg(errors: SoftmaxErrors | None, k: int) -> dict[str, float | None]:
    """The Stackelberg value less what the leader gets: softmax in turn, or committing to a softmax follower; bounds."""
    names = ("stackelberg_error", "stackelberg_error_bound", "promise_error", "promise_error_bound")
    if errors is None:
        return dict.fromkeys(names)
    columns = (errors.turns, errors.turns_bound, errors.promise, errors.promise_bound)
    return {
        name: float(column[k]) if np.isfinite(column[k]) else None for name, column in zip(names, columns, strict=True)
    }
