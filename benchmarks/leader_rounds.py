"""Rounds of a leader in the mean field, every tariff solved once, and when a recommendation has arrived."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.design.design import DesignProblem, commitment_search
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.environment import MeanFieldEnvironment, Posted, expected_reading
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily, starting_points
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

STAYS_ROUNDS = 10
"""Rounds for which a recommendation must stay where it has arrived."""
SHARE = 0.95
"""Of what can be gained, from which on it has arrived."""
MORE_STARTS = 5
"""Random points that the search for the best metered tariff begins from, beside the usual three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A leader to learn for.

    Attributes
    ----------
    targets
        What its recommendation shall arrive at: ``meters``, the best that meters can show; ``commitment``.
    """

    name: str
    weights: Mapping[str, float]
    targets: tuple[str, ...]

    @property
    def aims(self) -> LeaderSpec:
        """The commission's."""
        return LeaderSpec(leader="commission", weights=self.weights)

    def problem(self) -> DesignProblem:
        """The scenario under its filed tariff."""
        scenario = load_scenario(self.name, tariff="filed")
        economy = build_economy(scenario)
        in_force = solve_equilibrium(economy, build_tariff(scenario), certify=False)
        return DesignProblem(economy=economy, aims=self.aims, baseline=in_force)


class Rounds(MeanFieldEnvironment):
    """The continuum, where a tariff that was posted before is not solved again; its books' level moves nobody.

    Attributes
    ----------
    posted, solved
        Tariffs posted, and those of them (and of those judged) that had to be solved.
    cpu_s
        Processor time that their solves took. [s]
    """

    def __init__(self, in_force: Equilibrium, aims: LeaderSpec) -> None:
        super().__init__(in_force)
        if aims.recovery is not Recovery.FIXED:
            raise ValueError(f"recovery is {aims.recovery}; a level that moves nobody is that of fixed charges")
        self._value = aims.objective()
        self._before = self._value(in_force)
        self._known: dict[tuple[bytes, ...], tuple[MeterReading | None, float]] = {}
        self.posted, self.solved, self.cpu_s = 0, 0, 0.0

    def post(self, tariff: Tariff | Offer, trial: int) -> Posted:
        """Solve or look up, and read; the truth stays here, see `worth`."""
        self.posted += 1
        plain = tariff.tariff if isinstance(tariff, Offer) else tariff
        reading = self._of(plain)[0]
        if reading is not None and isinstance(tariff, Offer):
            reading = replace(reading, tariff=plain, fixed_charge_usd_per_day=tariff.fixed_charge_usd_per_day)
        return Posted(reading=reading, truth=None)

    def worth(self, tariff: Tariff) -> float:
        """True objective over that of the tariff in force; −inf without an equilibrium. [USD per household-day]"""
        return self._of(tariff)[1]

    def _of(self, tariff: Tariff) -> tuple[MeterReading | None, float]:
        arrays = (tariff.energy_usd_per_kwh, tariff.export_usd_per_kwh, tariff.fixed_charge_shape)
        key = (*(array.tobytes() for array in arrays), np.float64(tariff.pass_through).tobytes())
        if key not in self._known:
            began = time.process_time()
            posted = super().post(tariff, 0)
            self.cpu_s += time.process_time() - began
            self.solved += 1
            settled = posted.reading is not None and posted.truth is not None
            worth = self._value(posted.truth) - self._before if settled and posted.truth else -np.inf
            self._known[key] = posted.reading, float(worth)
        return self._known[key]


@dataclass(slots=True, kw_only=True)
class Arrival:
    """When a recommendation arrived at targets, and stayed for `STAYS_ROUNDS` rounds more.

    Attributes
    ----------
    least
        Worth from which on it has arrived, by target. [USD per household-day]
    rounds
        Rounds that had been lived when it arrived; only targets where it stayed.
    last
        Worth seen last.
    """

    least: Mapping[str, float]
    rounds: dict[str, int] = field(default_factory=dict)
    last: float = -np.inf
    _since: dict[str, int] = field(default_factory=dict)

    def see(self, lived: int, worth: float) -> None:
        """After so many rounds the recommendation has this worth."""
        self.last = worth
        for target, least in self.least.items():
            if worth < least:
                self._since.pop(target, None)
            elif lived - self._since.setdefault(target, lived) >= STAYS_ROUNDS:
                self.rounds.setdefault(target, self._since[target])

    @property
    def everywhere(self) -> bool:
        """Whether it has arrived at all targets."""
        return len(self.rounds) == len(self.least)


def metered_best(problem: DesignProblem) -> Commitment:
    """The tariff that maximises what a leader is told, by the commitment search on values, from eight starts.

    Its ``objective`` is what it is told; a fixed charge that balances the books is that of the equilibrium.
    """
    economy, aims, in_force = problem.economy, problem.aims, problem.baseline
    known = aims.problem(economy, in_force.tariff)
    told = MeteredObjective(economy, aims, expected_reading(in_force))
    family: TariffFamily = known.family
    more = np.random.default_rng(0).random((MORE_STARTS, len(family.free)))
    return commit(
        replace(known, objective=lambda found: told.estimate(expected_reading(found)).score),
        evaluations_per_start=100,
        starts=[*starting_points(family, economy), *map(family.at, more)],
        gradients=False,
        certify=False,
    )


def gains(problem: DesignProblem, *, metered: bool) -> dict[str, float]:
    """What the targets are worth over the tariff in force, that of the meters on request. [USD per household-day]"""
    value = problem.aims.objective()
    before = value(problem.baseline)
    found = {"commitment": float(commitment_search()(problem).objective - before)}
    if metered:
        shown = metered_best(problem)
        found |= {"meters": float(value(shown.equilibrium) - before), "metered": float(shown.objective)}
    return found


def at(family: TariffFamily, unit: Floats) -> Tariff:
    """The member at a point of the unit cube."""
    return family.tariff(family.at(np.asarray(unit, dtype=float)))
