"""One task of a study: from a scenario, a size and a key to one row of numbers."""

import functools
from typing import TYPE_CHECKING, Any, Final

from meanwatt.agents.behaviour.own_code_error import OwnCodeError
from meanwatt.agents.household.electric_vehicle import ElectricVehicle
from meanwatt.analysis.study.task import Task
from meanwatt.analysis.workers import KILLED
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_rate_classes
from meanwatt.model.scenario.schema import Scenario

if TYPE_CHECKING:
    from meanwatt.analysis.metrics.metrics import Metrics

REFUSED: Final = "refused"
"""Outcome of a task whose scenario makes no market or has no equilibrium problem; the message says why."""
FAILED: Final = "failed"
"""Outcome of a task that raised, or ended every worker process it was given to; ``error`` and ``message`` say what."""
SOLUTIONS_KEPT: Final = 4
"""Equilibria that a worker process keeps: tasks of one point follow one another."""

Row = dict[str, Any]


def measure(task: Task) -> Row:
    """Run one task.

    Returns
    -------
    dict
        ``task, identity, point, households, replication, outcome, message, error`` and the numbers measured, by names
        with units. None stands for what is undefined; ``error`` is the type of what a task raised.
    """
    row = _head(task)
    try:
        equilibrium = equilibrium_of(task.scenario_json, certify=task.measure == "solve")
        numbers = _MEASURES[task.measure](task, equilibrium)
    except ValueError as error:
        return row | {"outcome": REFUSED, "message": " ".join(str(error).split())}
    except OwnCodeError as error:
        return failed(task, type(error.__cause__).__name__, str(error.__cause__))
    except Exception as error:  # a study goes on where one of its points does not
        return failed(task, type(error).__name__, str(error))
    return row | {"outcome": str(equilibrium.outcome), "message": equilibrium.message} | numbers


def failed(task: Task, error: str, message: str) -> Row:
    """The row of a task that came to no result.

    Parameters
    ----------
    error, message
        Type of what went wrong, and what it said.
    """
    return _head(task) | {"outcome": FAILED, "error": error, "message": " ".join(message.split()) or error}


def killed(task: Task) -> Row:
    """The row of a task that took one worker process after the other with it."""
    return failed(task, "KilledWorker", f"The task {KILLED}.")


def _head(task: Task) -> Row:
    return {
        "task": task.number,
        "identity": task.identity,
        "point": task.point,
        "households": task.households,
        "replication": task.replication,
        "error": None,
    }


@functools.lru_cache(maxsize=SOLUTIONS_KEPT)
def equilibrium_of(scenario_json: str, *, certify: bool) -> Equilibrium:
    """Solve a scenario's equilibrium once in a process for all sizes and replications."""
    scenario = Scenario.model_validate_json(scenario_json)
    return solve_equilibrium(build_located_economy(scenario), build_rate_classes(scenario), certify=certify)


def _solve(task: Task, equilibrium: Equilibrium) -> Row:
    from meanwatt.analysis.output.rate_classes import class_fixed_charge_usd_per_day, class_names
    from meanwatt.analysis.output.solution_json import equilibrium_metrics, standing_revenue

    names = class_names(equilibrium)
    fixed = {
        f"{name}.{group}" if place else group: value
        for place, name in enumerate(names)
        for group, value in class_fixed_charge_usd_per_day(equilibrium, place).items()
    }
    return {
        "residual_usd_per_kwh": equilibrium.residual_usd_per_kwh,
        "exploitability_usd_per_household_day": equilibrium.exploitability_usd_per_household_day,
        "contraction": equilibrium.contraction,
        "adder_usd_per_kwh": equilibrium.adder_usd_per_kwh,
        **{f"fixed_charge_usd_per_day.{group}": value for group, value in fixed.items()},
        **standing_revenue(equilibrium),
        **_unused_and_unmet(
            equilibrium,
            equilibrium.curtailed_kwh_per_household_day,
            equilibrium.unmet_trip_kwh_per_household_day,
        ),
        **_flat(equilibrium_metrics(equilibrium)),
    }


def _simulate(task: Task, equilibrium: Equilibrium) -> Row:
    from meanwatt.analysis.simulation.simulation import simulate
    from meanwatt.analysis.study.code import behaviour_of

    assert task.households is not None
    done = simulate(
        equilibrium.economy,
        equilibrium.tariff,
        equilibrium=equilibrium,
        behaviour=behaviour_of(task.behaviour, task.code),
        households=task.households,
        days=task.days,
        seed=(task.seed, task.replication or 0),
    )
    assert done.metrics is not None
    assert done.feeder is not None
    energy = _unused_and_unmet(equilibrium, done.curtailed_kwh_per_household_day, done.unmet_trip_kwh_per_household_day)
    return {**energy, **_flat(done.metrics), **_numbers(done.feeder.to_json())}


def _unused_and_unmet(equilibrium: Equilibrium, curtailed_kwh: float | None, unmet_kwh: float | None) -> Row:
    """Solar output held back, and what trips lacked; None where nobody has panels, or a vehicle."""
    types = equilibrium.economy.types
    vehicles = any(isinstance(household.battery, ElectricVehicle) for household in types)
    return {
        "curtailed_kwh_per_household_day": curtailed_kwh if any(one.pv_kw.any() for one in types) else None,
        "unmet_trip_kwh_per_household_day": unmet_kwh if vehicles else None,
    }


def _validate(task: Task, equilibrium: Equilibrium) -> Row:
    from meanwatt.analysis.validation.replication import replicate

    assert task.households is not None
    found = replicate(equilibrium, task.households, (task.seed, task.replication or 0), task.days)
    return {
        "rms_net_load_kw": found.mean_square_kw2**0.5,
        "mean_square_kw2": found.mean_square_kw2,
        "scatter_kw2": found.scatter_kw2,
        "wasserstein_soc_kwh": found.wasserstein_soc_kwh,
    }


_MEASURES: Final = {"solve": _solve, "simulate": _simulate, "validate": _validate}


def _flat(metrics: "Metrics") -> Row:
    """Metrics as columns; by-group ones get the group's name after a dot."""
    row: Row = {}
    for name, value in metrics.to_json().items():
        if isinstance(value, dict):
            row |= {f"{name}.{group}": entry for group, entry in value.items()}
        else:
            row[name] = value
    return row


def _numbers(columns: dict[str, Any]) -> Row:
    """Only plain numbers and what is undefined."""
    return {name: value for name, value in columns.items() if value is None or isinstance(value, int | float)}
