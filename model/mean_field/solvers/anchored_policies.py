"""Temperature 0 by proximal steps: policies that depart from the last ones at a cost, which vanishes.

With μ the policies known, a step solves the game in which a policy π costs η Σ π log(π/μ) a slot, so that

    V = η log Σ_j μ_j exp(Q_j/η),     π_j ∝ μ_j exp(Q_j/η),

and π takes the place of μ. That is the proximal point method with the relative entropy as distance (Rockafellar,
*Monotone operators and the proximal point algorithm*, SIAM J. Control Optim. 14, 1976; Censor, Zenios, *Proximal
minimization algorithm with D-functions*, J. Optim. Theory Appl. 73, 1992). Answers are smooth in the prices, so
Newton's method finds a step's prices. Policies that answer themselves make best moves only, at any η, so that η need
not come near rounding, as it must in a game that is merely cooled. What they forgo falls with η and with every step.

A mixture of whole plans needs as many plans as there are ties between slots, and finds one a round; here all ties of
all states and slots are settled at once.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from meanwatt.agents.household.best_response import Response
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.mean_field.solvers.load_fixed_point import LoadFixedPoint
from meanwatt.model.mean_field.solvers.newton import NewtonSolution, solve_newton
from meanwatt.model.progress.watch import Watch

WARM_USD = 0.05
"""Temperature of the first game: warm enough for Newton's method from afar."""
ANCHORED_USD = 2e-3
"""Temperature below which policies are anchored; above, they are merely cooled, which is cheaper."""
COLDEST_USD = 3e-7
"""Below this, rounding of the values would be seen in the policies."""
COOLER, COOLEST, SMALLEST_COOLING = 0.3, 0.2, 0.9
"""Factor between temperatures: at first, the boldest, and the one at which the search ends."""
WIDER = 1.3
"""Power of the factor after a step that was easy."""
LOOSE = 1e-2
"""Accuracy of prices on the way, as a share of the temperature per kWh."""
STEP_LIMIT = 40
PATIENCE, SHORTEST = 5, 0.02
"""Steps for which Newton's method is patient with a colder game, and the part of one below which it gives up."""
EASY = 12
"""Evaluations up to which a step was easy."""
LEAST_PROBABILITY = 1e-10
"""What every open move keeps in an anchor, so that it may come back."""


def cool_by_steps(
    game: Game,
    adder_usd_per_kwh: float,
    load_kw: Floats,
    *,
    tolerance: float,
    settled: Callable[[PopulationResponse, float], bool],
    watch: Watch,
) -> None:
    """Approach the equilibrium at temperature 0 from a warm game, until told that it is settled, or as far as can be.

    Parameters
    ----------
    load_kw : (c, h)
        System load from which to start. [kW per household]
    tolerance
        Residual of the prices at the end. [USD/kWh]
    settled
        Told every step's answer and temperature; whether it is good enough.
    """
    economy = game.economy
    plain = replace(economy, scenario=economy.scenario.model_copy(update={"value_rule": "entropy"}))
    temperature, cooling, here = WARM_USD, COOLER, None
    anchors: tuple[Floats, ...] | None = None
    kept: NewtonSolution | None = None
    for _ in range(STEP_LIMIT):
        problem = LoadFixedPoint(
            Game(replace(plain, anchors=anchors), game.tariff),
            adder_usd_per_kwh,
            temperature_usd=temperature,
            tolerance=max(LOOSE * temperature, tolerance),
            watch=watch,
            along_curve=True,
        )
        before = watch.evaluations
        there = solve_newton(
            problem,
            load_kw,
            warm=kept.answer if kept else None,
            slope=kept.slope if kept else None,
            coupling=kept.coupling if kept else None,
            patience=PATIENCE if kept else None,
            shortest=SHORTEST,
        )
        if there.converged:
            kept, here = there, temperature
            load_kw = there.answer.net_load_kw + economy.rest_load_kw
            if settled(there.answer, temperature):
                break
            if watch.evaluations - before <= EASY:
                cooling = max(COOLEST, cooling**WIDER)
            if temperature <= ANCHORED_USD:
                anchors = anchors_at(there.answer.responses)
        elif here is None or cooling > SMALLEST_COOLING:
            break
        else:
            cooling = cooling**0.5
        temperature = max(here * cooling, COLDEST_USD)


def anchors_at(responses: tuple[Response, ...]) -> tuple[Floats, ...]:
    """Policies (c, h, e, z, j) of the types to depart from; no open move is quite given up."""
    found = []
    for response in responses:
        policy = response.policy
        held = np.where(policy.open_moves[:, :, None], np.maximum(policy.probability, LEAST_PROBABILITY), 0.0)
        found.append(np.asarray(held / held.sum(axis=-1, keepdims=True)))
    return tuple(found)
