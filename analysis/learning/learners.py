"""Learners behind one interface: ask for a tariff, tell what the meters made of it.

A learner sees a family of tariffs as the unit box and values as numbers to maximise, nothing else. Its proposals are a
function of its seed and of the values told, in order: who replays them finds it where it was.
"""

from collections.abc import Callable
from itertools import product
from types import ModuleType
from typing import Any, Final, Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.softmax import softmax
from meanwatt.analysis.learning.policy_iteration import PolicyIteration
from meanwatt.analysis.learning.response_learner import ResponseMatrixLearner
from meanwatt.model.mean_field.leader.epsilon_net import EpsilonNet, epsilon_net

EXTRA: Final = "learning"
"""What to install for `Cma` and `Optuna`: ``meanwatt[learning]``."""


class Learner(Protocol):
    """What every learner can do."""

    def ask(self) -> Floats:
        """Propose the next tariff. (parameter,), each in [0, 1]"""

    def tell(self, parameters: Floats, value: float) -> None:
        """Learn the value of the tariff asked last; finite, the higher the better."""


class MenuSoftmax:
    """Surrogate search on an ε-net of the family: a regression's values, a softmax draw, a net refined as it learns.

    The leader keeps an action value Q for every tariff on its menu: the value told where the tariff was posted, and
    elsewhere a ridge regression on linear and quadratic terms of the parameters, weighted by nearness to the best
    tariff so far (at a bandwidth that follows ε). It posts a tariff drawn from softmax(Q/η) among those never posted.
    The first menu is the whole coarse net; each later one the neighbourhood of the best tariff in a net of half the
    spacing, which moves along with it. The temperature η falls within each level and halves from one to the next, in
    proportion to the spread of the better half of the values.

    Parameters
    ----------
    parameters
        Free parameters of the family.
    evaluations
        Tariffs that will be tried; the schedule spans them.
    seed
        Of the draws.
    """

    POINTS: Final = 3
    LARGEST_FIRST_MENU: Final = 1024
    LEVELS: Final = 5
    FIRST_LEVEL: Final = 0.3
    """Share of the evaluations spent on the coarse net."""
    TEMPERATURE: Final = 0.5
    COOLEST: Final = 0.1
    """Temperature at the end of a level, as a share of that at its beginning."""
    BANDWIDTH: Final = 2.0
    """Of the regression, in spacings of the net."""
    RIDGE: Final = 1e-3
    FLOOR_QUANTILE: Final = 0.25
    """Part of the values that the regression takes as no worse than the next better one: they would bend it most."""

    def __init__(self, parameters: int, evaluations: int, seed: int) -> None:
        points = self.POINTS if self.POINTS**parameters <= self.LARGEST_FIRST_MENU else 2
        self.menu = epsilon_net(np.zeros(parameters), np.ones(parameters), points)
        self._rng = np.random.default_rng(seed)
        later = self.FIRST_LEVEL + (1 - self.FIRST_LEVEL) * np.arange(self.LEVELS) / (self.LEVELS - 1)
        self._ends = np.rint(evaluations * later).astype(int)
        self._level = 0
        self._began = 0
        self._tried: list[Floats] = []
        self._values: list[float] = []

    @property
    def epsilon(self) -> float:
        """Covering radius of the net in force, as a share of each parameter's range."""
        return self.menu.epsilon

    def ask(self) -> Floats:
        """Draw a tariff of the menu by the softmax policy."""
        fresh = self._fresh()
        while self._may_refine() and not (fresh.any() and len(self._tried) < self._ends[self._level]):
            self._level, self._began = self._level + 1, len(self._tried)
            self.menu = self.menu.halved([self._best_member()])
            fresh = self._fresh()
        if not fresh.any():
            return np.asarray(self._rng.random(self.menu.low.size))
        if len(self._tried) <= self.menu.low.size:  # too few values for a slope
            return np.asarray(self.menu.share[self._rng.choice(np.flatnonzero(fresh))])
        chance = softmax(np.where(fresh, self.action_values(), -np.inf), self._temperature())
        return np.asarray(self.menu.share[self._rng.choice(len(chance), p=chance)])

    def tell(self, parameters: Floats, value: float) -> None:
        """Learn a value; the menu follows the best tariff."""
        self._tried.append(np.array(parameters))
        self._values.append(value)
        if self._level and value == max(self._values):
            self.menu = _around(self.menu, self._best)

    def action_values(self) -> Floats:
        """Q of every member of the menu by the regression. (member,)"""
        tried, values = np.array(self._tried), np.maximum(self._values, np.quantile(self._values, self.FLOOR_QUANTILE))
        width = self.BANDWIDTH * 2 * self.menu.epsilon
        near = np.exp(-0.5 * ((tried - self._best) ** 2).max(axis=1) / width**2)
        terms = _quadratic((tried - self._best) / width)
        mean = near @ values / near.sum()
        gram = (terms.T * near) @ terms
        penalty = self.RIDGE * near.sum() * np.eye(len(gram))
        penalty[0, 0] = 0.0
        weights = np.linalg.solve(gram + penalty, terms.T @ (near * (values - mean)))
        return np.asarray(mean + _quadratic((self.menu.share - self._best) / width) @ weights)

    @property
    def _best(self) -> Floats:
        return self._tried[int(np.argmax(self._values))]

    def _may_refine(self) -> bool:
        return bool(self._tried) and self._level + 1 < self.LEVELS

    def _best_member(self) -> int:
        """The member of the menu nearest to the best tariff; itself, where the menu holds it."""
        return int(np.argmin(np.abs(self.menu.share - self._best).max(axis=1)))

    def _fresh(self) -> Any:
        """Which members were never posted. (member,)"""
        posted = {tuple(place) for place in self._tried}
        return np.array([tuple(place) not in posted for place in self.menu.share])

    def _temperature(self) -> float:
        better = np.sort(self._values)[len(self._values) // 2 :]
        done = (len(self._values) - self._began) / max(1, self._ends[self._level] - self._began)
        cooling = max(self.COOLEST, 1 - (1 - self.COOLEST) * done)
        return float(self.TEMPERATURE * np.std(better) * cooling / 2**self._level)


class Cma:
    """CMA-ES of the package cma (N. Hansen, *The CMA evolution strategy: a tutorial*, arXiv 1604.00772).

    It starts in the middle of the family and, should it come to rest, again there with twice the offspring (A. Auger,
    N. Hansen, *A restart CMA evolution strategy with increasing population size*, 2005).

    Parameters
    ----------
    parameters, evaluations, seed
        As in `MenuSoftmax`; ``evaluations`` is not used.
    """

    FIRST_STEP: Final = 0.3

    def __init__(self, parameters: int, evaluations: int, seed: int) -> None:
        self._cma = _package("cma")
        self._rng = np.random.default_rng(seed)
        self._parameters = parameters
        self._strategy = self._fresh_strategy({})
        self._waiting: list[Floats] = []
        self._told: list[tuple[Floats, float]] = []

    def ask(self) -> Floats:
        """Propose one of a generation."""
        if not self._waiting:
            self._waiting = [np.asarray(point) for point in self._strategy.ask()]
        return self._waiting[0]

    def tell(self, parameters: Floats, value: float) -> None:
        """Learn a value; a full generation moves the distribution."""
        self._told.append((self._waiting.pop(0), -value))
        if self._waiting:
            return
        points, losses = zip(*self._told, strict=True)
        self._strategy.tell(list(points), list(losses))
        self._told = []
        if self._strategy.stop():
            self._strategy = self._fresh_strategy({"popsize": 2 * self._strategy.popsize})

    def _fresh_strategy(self, options: dict[str, Any]) -> Any:
        return self._cma.CMAEvolutionStrategy(
            np.full(self._parameters, 0.5),
            self.FIRST_STEP,
            {
                "bounds": [0.0, 1.0],
                "randn": lambda *shape: self._rng.standard_normal(shape),  # its own draws would reseed numpy for all
                "seed": np.nan,
                "verbose": -9,
                **options,
            },
        )


class Optuna:
    """Tree-structured Parzen estimator of the package optuna (J. Bergstra et al., NeurIPS 2011).

    Parameters
    ----------
    parameters, evaluations, seed
        As in `MenuSoftmax`; ``evaluations`` is not used.
    """

    def __init__(self, parameters: int, evaluations: int, seed: int) -> None:
        optuna = _package("optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=int(np.random.SeedSequence(seed).generate_state(1)[0]))
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._names = [f"parameter_{place}" for place in range(parameters)]
        self._trial: Any = None

    def ask(self) -> Floats:
        """Propose a tariff."""
        self._trial = self._study.ask()
        return np.array([self._trial.suggest_float(name, 0.0, 1.0) for name in self._names])

    def tell(self, parameters: Floats, value: float) -> None:
        """Learn a value."""
        self._study.tell(self._trial, value)


LEARNERS: Final[dict[str, Callable[[int, int, int], Learner]]] = {
    "policy_iteration": PolicyIteration,
    "softmax": MenuSoftmax,
    "cma": Cma,
    "optuna": Optuna,
    "response_matrix": ResponseMatrixLearner,
}
"""Learner by method: called with free parameters, evaluations and seed."""
_PACKAGES: Final = {"cma": "cma", "optuna": "optuna"}


def require_package(method: str) -> None:
    """Raise ``ValueError`` in one line if a method's package is not installed."""
    if method in _PACKAGES:
        _package(_PACKAGES[method])


def _package(name: str) -> ModuleType:
    """Import an optional package."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise ValueError(
            f'method {name} needs the package {name}, which is not installed; pip install "meanwatt[{EXTRA}]"'
            " brings it, and method softmax needs nothing more"
        ) from None


def _quadratic(points: Floats) -> Floats:
    """1, x and all products x_i·x_j, i ≤ j, of points (point, parameter)."""
    first, second = np.triu_indices(points.shape[1])
    return np.column_stack([np.ones(len(points)), points, points[:, first] * points[:, second]])


def _around(net: EpsilonNet, point: Floats) -> EpsilonNet:
    """The members of a net's grid beside a point of that grid, and itself."""
    place: Ints = np.rint(point * net.steps).astype(np.int64)
    beside = place + np.array(list(product((-1, 0, 1), repeat=len(place))))
    inside = ((beside >= 0) & (beside <= net.steps)).all(axis=1)
    return EpsilonNet(low=net.low, high=net.high, steps=net.steps, index=beside[inside])
