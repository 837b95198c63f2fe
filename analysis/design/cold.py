"""What a leader's objective owes to households' sloppiness: the same tariffs, answered by cold households.

A temperature that moves the objective by more than a design gains says nothing about which tariff is better: it is
noise of behaviour, and not an approximation of households that choose exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.design.design import Design
from meanwatt.analysis.design.same_tariffs import plain_names, same_numbers, twins
from meanwatt.analysis.leader.leader_spec import Judge, LeaderSpec
from meanwatt.model.mean_field.cold import ColdEquilibrium, at_temperature, solve_cold
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.messages import Messages

DESIGNED: Final = "designed"
"""Name of the tariff that the search found, among those compared."""
IN_FORCE: Final = "in force"
"""Name of the tariff in force where the scenario has none of its numbers."""
SMALL_SHARE: Final = 0.1
"""Share of the design's gain up to which what sloppiness does to the objective counts as an approximation."""
APART: Final = 1e-7
"""Difference of two objectives below which their order means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """A tariff's objective at the scenario's temperature and cold.

    Attributes
    ----------
    name, same_as
        Its name, and that of an earlier one with the same numbers.
    warm
        The equilibrium at the scenario's temperature.
    cold
        That of cold households.
    objective, cold_objective
        What the leader makes of them; None where there is none or it is undefined.
    """

    __repr__ = short_repr

    name: str
    same_as: str | None
    warm: Equilibrium
    cold: ColdEquilibrium
    objective: float | None
    cold_objective: float | None

    @property
    def difference(self) -> float | None:
        """|J_η − J_cold|; None where one is missing."""
        if self.objective is None or self.cold_objective is None:
            return None
        return abs(self.objective - self.cold_objective)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColdComparison:
    """The designed tariff and those that the scenario names, at its own temperature and cold.

    Attributes
    ----------
    temperature_usd
        The scenario's own temperature. [USD]
    designed
        The tariff found; None where there is none.
    named
        The scenario's tariffs.
    in_force
        The tariff in force, also where it is one of these.
    gain, cold_gain
        Objective of the design less that of the tariff in force, at either temperature; None where undefined.
    """

    __repr__ = short_repr

    temperature_usd: float
    designed: Standing | None
    named: tuple[Standing, ...]
    in_force: Standing
    gain: float | None
    cold_gain: float | None

    @property
    def distinct(self) -> tuple[Standing, ...]:
        """The designed tariff, the one in force, and the named ones, each once."""
        named = tuple(one for one in self.named if one.same_as is None)
        if not any(one.warm is self.in_force.warm for one in named):
            named = (self.in_force, *named)
        return named if self.designed is None else (self.designed, *named)

    @property
    def order(self) -> list[str]:
        """Names from the best objective to the worst, at the scenario's temperature."""
        return _order({one.name: one.objective for one in self.distinct})

    @property
    def cold_order(self) -> list[str]:
        """The same cold."""
        return _order({one.name: one.cold_objective for one in self.distinct})

    @property
    def order_changes(self) -> bool:
        """Whether two tariffs change places."""
        both = [(one.objective, one.cold_objective) for one in self.distinct]
        known = [(warm, cold) for warm, cold in both if warm is not None and cold is not None]
        return any(
            (a[0] - b[0]) * (a[1] - b[1]) < 0 and min(abs(a[0] - b[0]), abs(a[1] - b[1])) > APART
            for place, a in enumerate(known)
            for b in known[:place]
        )

    @property
    def largest_difference(self) -> float | None:
        """The largest |J_η − J_cold| of the named tariffs; None where one is missing."""
        return largest_difference([one.difference for one in self.named])

    @property
    def approximates(self) -> bool | None:
        """Whether that is at most a tenth of the design's gain; None where either is missing."""
        return is_small(self.largest_difference, self.gain)


def largest_difference(differences: Sequence[float | None]) -> float | None:
    """The largest of some differences; None where one is missing."""
    known = [one for one in differences if one is not None]
    return max(known) if known and len(known) == len(differences) else None


def is_small(difference: float | None, gain: float | None) -> bool | None:
    """Whether a difference of the objective is at most a tenth of a design's gain; None where either is missing."""
    return None if difference is None or gain is None else difference <= SMALL_SHARE * gain


def _order(objectives: dict[str, float | None]) -> list[str]:
    defined = {name: value for name, value in objectives.items() if value is not None}
    return sorted(defined, key=lambda name: -defined[name])


def compare_cold(economy: Economy, aims: LeaderSpec, found: Design, watch: Watch | None = None) -> ColdComparison:
    """Value the design and the scenario's tariffs at the scenario's temperature and cold.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    judge = aims.objective()
    designed = None
    if found.commitment is not None:
        designed = _standing(DESIGNED, None, found.commitment.equilibrium, judge, watch)
    in_force = _standing(IN_FORCE, None, found.baseline, judge, watch)

    def gain(before: float | None, after: float | None) -> float | None:
        return None if before is None or after is None else after - before

    named = named_standings(economy, judge, watch, known=in_force)
    return ColdComparison(
        temperature_usd=economy.scenario.temperature_usd,
        designed=designed,
        named=named,
        in_force=in_force,
        gain=gain(in_force.objective, designed.objective if designed else None),
        cold_gain=gain(in_force.cold_objective, designed.cold_objective if designed else None),
    )


def named_standings(
    economy: Economy, judge: Judge, watch: Watch | None = None, known: Standing | None = None
) -> tuple[Standing, ...]:
    """The scenario's tariffs at its own temperature and cold; one that is known already is not solved again.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    same = twins(economy.scenario)
    found: dict[str, Standing] = {}
    for name in plain_names(economy.scenario):
        if name in same:
            found[name] = replace(found[same[name]], name=name, same_as=same[name])
            continue
        tariff = build_tariff(load_scenario(economy.scenario, tariff=name))
        if known is not None and same_numbers(tariff, known.warm.tariff):
            found[name] = replace(known, name=name)
        else:
            found[name] = _standing(name, None, _warm(economy, tariff, None, watch), judge, watch)
    return tuple(found.values())


def differences_at(
    standings: Sequence[Standing], temperature_usd: float, judge: Judge, watch: Watch | None = None
) -> list[float | None]:
    """|J_η − J_cold| of tariffs at another temperature, twins once; each solve starts from the scenario's own.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    found = []
    for one in standings:
        if one.same_as is None:
            there = _warm(at_temperature(one.warm.economy, temperature_usd), one.warm.tariff, one.warm, watch)
            worth = _defined(judge, there)
            cold = one.cold_objective
            found.append(None if worth is None or cold is None else abs(worth - cold))
    return found


def _standing(name: str, same_as: str | None, warm: Equilibrium, judge: Judge, watch: Watch | None) -> Standing:
    cold = solve_cold(warm.economy, warm.tariff, start=warm if warm.converged else None, watch=watch)
    return Standing(
        name=name,
        same_as=same_as,
        warm=warm,
        cold=cold,
        objective=_defined(judge, warm),
        cold_objective=None if cold.equilibrium is None else _defined(judge, cold.equilibrium),
    )


def _warm(economy: Economy, tariff: Tariff, start: Equilibrium | None, watch: Watch | None) -> Equilibrium:
    found = solve_equilibrium(economy, tariff, start=start, certify=False, watch=watch)
    if found.outcome is Outcome.CANCELLED:
        raise Cancelled
    return found


def _defined(judge: Judge, found: Equilibrium) -> float | None:
    """What the leader makes of an equilibrium that was found; None where it was not, or the objective is undefined."""
    worth = judge(found) if found.converged else -math.inf
    return worth if math.isfinite(worth) else None


def cold_messages(found: ColdComparison, unit: str, *, annealed: bool = False) -> Messages:
    """What the temperature does to a design: its order of tariffs, and whether it approximates cold households."""
    said = []
    if found.order_changes:
        said.append(
            f"The order of tariffs changes as households turn cold: at temperature {found.temperature_usd:g} USD"
            f" {', '.join(found.order)}; cold {', '.join(found.cold_order)}."
        )
    largest, gain = found.largest_difference, found.gain
    if largest is not None and gain is not None and not found.approximates:
        said.append(
            f"Softmax moves the objective of the named tariffs by up to {largest:.2g} {unit}, more than a tenth of the"
            f" {gain:.2g} that the design gains: temperature {found.temperature_usd:g} USD is noise of behaviour,"
            " not an approximation of households that choose exactly"
            f"{'' if annealed else '; --anneal designs for cold ones'}."
        )
    lacking = [one.name for one in found.distinct if one.cold_objective is None]
    if lacking:
        said.append(f"No cold objective of {', '.join(lacking)}: no equilibrium converged, or it is undefined there.")
    return tuple(said)


def cold_json(found: ColdComparison) -> dict[str, Any]:
    """The object under ``cold`` of ``design --json``."""
    names = {id(one.warm): one for one in found.named}
    rows = ([] if found.designed is None else [found.designed]) + list(found.named)
    if id(found.in_force.warm) not in names:
        rows.append(found.in_force)
    return {
        "temperature_usd": found.temperature_usd,
        "tariffs": [_row(one) for one in rows],
        "order": found.order,
        "cold_order": found.cold_order,
        "order_changes": found.order_changes,
        "largest_difference": found.largest_difference,
        "gain": found.gain,
        "cold_gain": found.cold_gain,
        "approximates": found.approximates,
    }


def _row(one: Standing) -> dict[str, Any]:
    there = one.cold.equilibrium
    return {
        "tariff": one.name,
        "same_as": one.same_as,
        "objective": one.objective,
        "outcome": one.warm.outcome,
        "cold_objective": one.cold_objective,
        "cold_way": one.cold.way,
        "cold_temperature_usd": one.cold.temperature_usd,
        "cold_outcome": None if there is None else there.outcome,
        "cold_residual_usd_per_kwh": None if there is None else there.residual_usd_per_kwh,
        "cold_moved_kw": one.cold.moved_kw,
    }
