"""A tabular game solved: commitment, feedback, and iterated softmax responses at several temperatures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.tabular.softmax_error import SoftmaxErrors, softmax_errors
from meanwatt.model.scenario.counted import counted
from meanwatt.model.tabular.mixed_commitment import GAP, mixed_commitment
from meanwatt.model.tabular.named_game import NamedGame
from meanwatt.model.tabular.pure_feedback import pure_feedback_equilibria, pure_pairs
from meanwatt.model.tabular.softmax_games import (
    Lipschitz,
    SoftmaxRun,
    contractive_temperature,
    iterate_softmax,
    lipschitz,
)
from meanwatt.model.tabular.stackelberg_games import (
    MAX_POLICIES,
    GameOutcome,
    StackelbergEquilibrium,
    commitment_equilibrium,
    feedback_equilibrium,
)
from meanwatt.model.tabular.tabular_game import StackelbergGame

PRODUCT: Final = 0.5
"""Product of the Lipschitz constants at the warmest temperatures, proven and found, where none is given."""
HALVINGS: Final = 4
"""Times that the second of them is halved; each time the product is up to four times as large."""
FIRST_ACTION: Final = 0.2
"""Weight of the leader's first action in the first policy, beyond an equal share: a symmetric game has a fixed point at
equal shares, from which no iteration would ever leave."""
MAX_ROUNDS: Final = 5_000
APART: Final = 1.2
"""Ratio of two temperatures that are worth a row each."""
NO_SLOPE: Final = 1e-9
"""A product of Lipschitz constants that is rounding."""
PROGRAMMES, FEWEST_ROUNDS = 8_000, 200
"""Linear programmes that feedback with lotteries may take, some 10 s of them, and rounds that it has at least."""
LEAST_GAIN: Final = 1e-3
"""Share of a Lipschitz constant that the search for a larger one does not care about: three digits are shown."""
SMALL: Final = 16
"""States times leader actions up to which softmax is compared with the best promise: a second or two."""
TRIALS, FEW_SAMPLES, ROUGHLY = 8, 10, 0.25
"""Of the search for a temperature to begin with: most trials, policies each, and error of the product's logarithm."""


class Solved(StrEnum):
    """How the solution of a game ended."""

    SOLVED = "converged"
    ROUND_LIMIT = "round_limit"
    TOO_LARGE = "too_large"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConceptResult:
    """What came of one concept.

    Attributes
    ----------
    equilibrium
        None where there is none to show.
    exists
        Whether there is one; None where nobody knows.
    mixed
        Whether the leader may draw lots.
    outcome, message
        As of the equilibrium, or why there is none.
    """

    equilibrium: StackelbergEquilibrium | None
    exists: bool | None
    mixed: bool
    outcome: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TemperatureRun:
    """Softmax responses iterated at one temperature of both players, and the Lipschitz constants of their maps."""

    temperature: float
    run: SoftmaxRun
    lipschitz: Lipschitz

    @property
    def converged(self) -> bool:
        """Whether the leader's policy came to answer itself."""
        return self.run.outcome is GameOutcome.CONVERGED

    @property
    def errors(self) -> Floats | None:
        """Distance of every leader policy to the last (round + 1,); None where the iteration does not converge."""
        return self.run.errors() if self.converged else None

    def error_bounds(self, product: float) -> Floats | None:
        """Banach's bound on ``errors`` by a product of Lipschitz constants; None where it is 1 or more."""
        return self.run.error_bounds(product) if self.converged and product < 1.0 else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GameSolution:
    """A game solved by every concept, and how that ended.

    Attributes
    ----------
    concepts
        ``commitment``, ``feedback``, ``feedback_mixed`` and ``commitment_mixed``, as far as it came.
    runs
        By temperature, as given, or from warm to cold.
    errors
        Of softmax against the best promise, by temperature in the order of ``runs``; None where the game is large.
    warm
        Temperature at which the proven product of Lipschitz constants is ``PRODUCT``; 0 if it is 0 at any.
    """

    named: NamedGame
    concepts: Mapping[str, ConceptResult]
    runs: tuple[TemperatureRun, ...]
    start: Floats
    errors: SoftmaxErrors | None
    warm: float
    outcome: Solved
    message: str
    messages: tuple[str, ...]


def solve_game(
    named: NamedGame,
    *,
    temperatures: Sequence[float] = (),
    seed: int = 0,
    told: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    known: Mapping[str, ConceptResult] | None = None,
) -> GameSolution:
    """Solve a game by every concept, and iterate softmax responses.

    Parameters
    ----------
    temperatures
        Of both players; without any, ``default_temperatures``.
    seed
        Of the policies from which the steepest point of the response maps is searched, at every temperature.
    told
        Called with what is done next.
    cancelled
        Asked between the parts, and between the boxes of ``commitment_mixed``.
    known
        Concepts of the same game that are solved already: no temperature changes them.
    """
    game, start = named.game, start_policy(named.game)
    warm = contractive_temperature(game, PRODUCT)
    parts: dict[str, Callable[[], ConceptResult]] = {
        "commitment": lambda: solve_commitment(game),
        "feedback": lambda: solve_pure_feedback(game),
        "feedback_mixed": lambda: solve_mixed_feedback(game),
        "commitment_mixed": lambda: solve_mixed_commitment(game, concepts, stopped),
    }
    stopped = cancelled or (lambda: False)
    concepts: dict[str, ConceptResult] = {}
    for name, solve in parts.items():
        if stopped():
            break
        if known is not None and name in known:
            concepts[name] = known[name]
            continue
        if told:
            told(name.replace("_", ", "))
        concepts[name] = solve()
    runs: list[TemperatureRun] = []
    if not temperatures and told:
        told("temperatures")
    wanted = tuple(temperatures) or default_temperatures(game, seed)
    for temperature in wanted:
        if stopped():
            break
        if told:
            told(f"temperature {temperature:.3g}")
        runs.append(run_at(game, temperature, start, seed))
    if told:
        told("errors")
    errors = None if stopped() else _errors(game, concepts, runs)
    whole = len(concepts) == len(parts) and len(runs) == len(wanted)
    outcome, message = _ended(concepts, runs if temperatures else [], whole)
    return GameSolution(
        named=named,
        concepts=concepts,
        runs=tuple(runs),
        start=start,
        errors=errors,
        warm=warm,
        outcome=outcome,
        message=message,
        messages=tuple(_not_as_asked(concepts)),
    )


def start_policy(game: StackelbergGame) -> Floats:
    """Leader policy to iterate from: equal shares, ``FIRST_ACTION`` more on the first action. (state, leader action)"""
    states, actions, _ = game.reward_leader.shape
    policy = np.full((states, actions), (1.0 - FIRST_ACTION) / actions)
    policy[:, 0] += FIRST_ACTION
    return policy


def default_temperatures(game: StackelbergGame, seed: int = 0) -> tuple[float, ...]:
    """Temperatures at which the iteration converges and, where it does so when cold, cycles; two digits, falling.

    The first is where it converges by proof, ``contractive_temperature``. As that may be far too careful, the next is
    where the product found by search is the same, then its halves. Where a player does not answer the other at all,
    from the range of the rewards on.
    """
    proven = contractive_temperature(game, PRODUCT)
    found = _temperature_found(game, proven, seed) if proven > 0.0 else 0.0
    if found == 0.0:
        found = float(max(np.ptp(game.reward_leader), np.ptp(game.reward_follower))) or 1.0
    halves = [_rounded_up(found / 2**k) for k in range(HALVINGS + 1)]
    first = [_rounded_up(proven)] if proven > APART * found else []
    return (*first, *halves)


def _temperature_found(game: StackelbergGame, warm: float, seed: int) -> float:
    """Temperature at which the product of the constants found is nearest ``PRODUCT``; 0 if it is 0 when warm.

    When warm the product falls as 1/temperature², so each trial says how far to go. Where choices are clear when cold
    it may never come so high; then about where it is highest.
    """
    nearest, off, temperature = 0.0, np.inf, warm
    for _ in range(TRIALS):
        product = lipschitz(
            game,
            np.random.default_rng(seed),
            leader_temperature=temperature,
            follower_temperature=temperature,
            samples=FEW_SAMPLES,
            least_gain=ROUGHLY / 10,
        ).product_measured
        before = off
        off = abs(float(np.log(product / PRODUCT))) if product > NO_SLOPE else np.inf
        if off >= before:
            break
        nearest = temperature
        if off < ROUGHLY:
            break
        temperature *= float(np.sqrt(product / PRODUCT))
    return nearest


def solve_commitment(game: StackelbergGame) -> ConceptResult:
    """The leader's best policy to promise for ever: lotteries too where the game separates, else pure ones only."""
    states, actions, _ = game.reward_leader.shape
    if not game.separates and actions**states > MAX_POLICIES:
        message = (
            f"Not solved: the follower moves the state, so every pure policy would be tried, {actions}**{states} ="
            f" {actions**states} of them; the limit is {MAX_POLICIES}, merge states or actions."
        )
        return ConceptResult(equilibrium=None, exists=None, mixed=False, outcome=Solved.TOO_LARGE, message=message)
    return _result(commitment_equilibrium(game), mixed=game.separates)


def solve_pure_feedback(game: StackelbergGame) -> ConceptResult:
    """Feedback in pure actions; where rounds of value iteration reach none, every pair of policies is tried."""
    found = feedback_equilibrium(game)
    pairs = pure_pairs(game)
    if found.outcome is GameOutcome.CONVERGED or pairs > MAX_POLICIES:
        return _result(found, mixed=False)
    every = pure_feedback_equilibria(game)
    if every:
        return _result(max(every, key=lambda one: one.leader_objective), mixed=False)
    message = f"None exists: each of the {pairs} pairs of pure policies was tried."
    return ConceptResult(equilibrium=None, exists=False, mixed=False, outcome="none", message=message)


def solve_mixed_feedback(game: StackelbergGame) -> ConceptResult:
    """Feedback with lotteries."""
    states, _, replies = game.reward_leader.shape
    rounds = max(FEWEST_ROUNDS, PROGRAMMES // (states * replies))
    return _result(feedback_equilibrium(game, mixed=True, max_rounds=rounds), mixed=True)


def solve_mixed_commitment(
    game: StackelbergGame,
    others: Mapping[str, ConceptResult],
    cancelled: Callable[[], bool] | None = None,
) -> ConceptResult:
    """The best stationary promise, lotteries included, with a bound; no worse than what other concepts promise."""
    found = [one.equilibrium for one in others.values() if one.equilibrium is not None]
    start = [one.leader_policy for one in found]
    return _result(mixed_commitment(game, start=start, cancelled=cancelled), mixed=True)


def run_at(game: StackelbergGame, temperature: float, start: Floats, seed: int) -> TemperatureRun:
    """Iterate softmax responses at one temperature, and measure the Lipschitz constants there."""
    return TemperatureRun(
        temperature=temperature,
        run=iterate_softmax(
            game,
            leader_temperature=temperature,
            follower_temperature=temperature,
            start=start,
            max_rounds=MAX_ROUNDS,
        ),
        lipschitz=lipschitz(
            game,
            np.random.default_rng(seed),
            leader_temperature=temperature,
            follower_temperature=temperature,
            least_gain=LEAST_GAIN,
        ),
    )


def _errors(
    game: StackelbergGame, concepts: Mapping[str, ConceptResult], runs: Sequence[TemperatureRun]
) -> SoftmaxErrors | None:
    """Softmax against the best promise, where the game is small enough and the promise known."""
    states, actions, _ = game.reward_leader.shape
    best = concepts["commitment_mixed"].equilibrium if "commitment_mixed" in concepts else None
    if best is None or states * actions > SMALL:
        return None
    return softmax_errors(game, [one.temperature for one in runs], best, [one.run for one in runs])


def _result(found: StackelbergEquilibrium, *, mixed: bool) -> ConceptResult:
    """The equilibrium, unless the solve ended without one: its figures are then the last round's."""
    reached = found.outcome in (GameOutcome.EXACT, GameOutcome.CONVERGED, GameOutcome.BEST_FOUND)
    return ConceptResult(
        equilibrium=found if reached else None,
        exists=True if reached else None,
        mixed=mixed,
        outcome=found.outcome,
        message=found.message,
    )


def _ended(concepts: Mapping[str, ConceptResult], asked: Sequence[TemperatureRun], whole: bool) -> tuple[Solved, str]:
    """How all of it ended; runs count where their temperature was asked for."""
    if not whole:
        return Solved.CANCELLED, "Cancelled: some parts were not solved."
    for name, found in concepts.items():
        if found.outcome == Solved.TOO_LARGE:
            return Solved.TOO_LARGE, f"{name}: {found.message}"
        if found.outcome == GameOutcome.ROUND_LIMIT:
            return Solved.ROUND_LIMIT, f"{name}: {found.message}"
    for one in asked:
        if one.run.outcome is GameOutcome.ROUND_LIMIT:
            return Solved.ROUND_LIMIT, f"temperature {one.temperature:g}: {one.run.message}"
    missing = [name for name, found in concepts.items() if found.equilibrium is None]
    return Solved.SOLVED, f"Solved, but for {' and '.join(missing)}." if missing else "Solved."


def _not_as_asked(concepts: Mapping[str, ConceptResult]) -> list[str]:
    """Where a concept is less than its name says."""
    notes = []
    pure, lottery = concepts.get("commitment"), concepts.get("commitment_mixed")
    best = None if lottery is None else lottery.equilibrium
    if pure is not None and not pure.mixed and pure.equilibrium is not None:
        tried = pure.equilibrium.rounds
        text = f"commitment: only the {tried} pure promises were compared, as the follower moves the state"
        if best is None:
            notes.append(f"{text}; a lottery might earn more.")
        elif best.leader_objective > pure.equilibrium.leader_objective + GAP:
            notes.append(f"{text}; a lottery, promised for ever, earns {best.leader_objective:g}.")
    if best is not None and best.outcome is GameOutcome.BEST_FOUND:
        boxes = counted(best.rounds, "box", "boxes")
        notes.append(
            f"commitment_mixed: the best found, worth {best.leader_objective:g}, after {boxes};"
            f" the best of all is worth no more than {best.bound:g}."
        )
    return notes


def _rounded_up(value: float) -> float:
    """To two significant digits, never down."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.2g}")
