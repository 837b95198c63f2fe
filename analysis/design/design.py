"""The search for the tariff that a leader would commit to; what it wants is in `meanwatt.analysis.leader`."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.leader.leader_spec import Judge, LeaderSpec
from meanwatt.analysis.output.run_journal import RunJournal
from meanwatt.model.mean_field.components.component_messages import approximations
from meanwatt.model.mean_field.components.posted import PostedSolver
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.mean_field.leader.concepts import ROUNDS, alternating, feedback
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem, Tried
from meanwatt.model.mean_field.leader.own_family import OwnFamilies
from meanwatt.model.mean_field.leader.window_search import WindowRecord, commit_windows
from meanwatt.model.mean_field.leader.window_stage import WindowStage
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.branches import ADDER, adders_by_branch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario, load_scenario
from meanwatt.model.scenario.messages import Messages, joined

EVALUATIONS_PER_START: Final = 100
"""Tariffs tried from each starting point at most; searches over five parameters settle after 70 to 90."""

FILED: Final = "filed"
"""The tariff that a found one is compared with where the scenario has it."""


def baseline_name(scenario: str | Path | Scenario | Economy) -> str | None:
    """The filed tariff where a scenario has one; None for its own choice, or where its rate classes are in force."""
    loaded = scenario.scenario if isinstance(scenario, Economy) else load_scenario(scenario)
    return FILED if FILED in loaded.tariffs and not loaded.has_rate_classes else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DesignProblem:
    """What a search for a tariff is given.

    Attributes
    ----------
    economy, aims
        Where, and for whom.
    baseline
        Equilibrium at the tariff in force.
    watch
        As for `meanwatt.model.mean_field.leader.commitment.commit`.
    """

    economy: Economy
    aims: LeaderSpec
    baseline: Equilibrium
    watch: Watch = field(default_factory=Watch)


Search = Callable[[DesignProblem], Commitment]
"""A way of finding a tariff; raises ``Cancelled`` if stopped before one was found."""


OpenJournal = Callable[[DesignProblem], RunJournal[WindowStage]]
"""Opens the record of a search over windows, whose combinations on record are not searched again."""


def commitment_search(evaluations_per_start: int = EVALUATIONS_PER_START, *, tried: Tried | None = None) -> Search:
    """Search with full knowledge of the households: `meanwatt.model.mean_field.leader.commitment.commit`."""
    return _asked(partial(commit, evaluations_per_start=evaluations_per_start, tried=tried))


def family_search(
    families: OwnFamilies,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    *,
    tried: Tried | None = None,
    journal: OpenJournal | None = None,
) -> Search:
    """Search a user's family, all combinations of its windows, with full knowledge of the households.

    The family of the problem's aims is set aside for that of each combination. Bounds prune where the objective never
    exceeds welfare. A combination that is done is in the journal, if there is one, and not searched again.
    """

    def search(problem: DesignProblem) -> Commitment:
        def find(known: LeaderProblem, *, watch: Watch) -> Commitment:
            if journal is None:
                return over_windows(known, watch, WindowRecord(tried=tried))
            with journal(problem) as kept:
                return over_windows(known, watch, WindowRecord(done=tuple(kept.parts), kept=kept.append, tried=tried))

        def over_windows(known: LeaderProblem, watch: Watch, record: WindowRecord) -> Commitment:
            return commit_windows(
                families,
                lambda family: replace(known, family=family),
                problem.baseline,
                evaluations_per_start=evaluations_per_start,
                bounded=problem.aims.definition.never_above_welfare,
                record=record,
                watch=watch,
            )

        return _asked(find)(problem)

    return search


def concept_search(name: str, rounds: int = ROUNDS, *, tried: Tried | None = None) -> Search:
    """Search of a leader who does not commit, ``feedback`` or ``alternating``, see `mean_field.leader.concepts`."""
    return _asked(partial({"feedback": feedback, "alternating": alternating}[name], rounds=rounds, tried=tried))


def _asked(find: Callable[..., Commitment]) -> Search:
    """A search that hands a problem's family, aims and watchers to a function of the model."""

    def search(problem: DesignProblem) -> Commitment:
        aims, undefined = problem.aims, list[tuple[float, str]]()
        try:
            known = aims.problem(problem.economy, problem.baseline.tariff)
            return find(replace(known, objective=_told_where_undefined(aims, undefined)), watch=problem.watch)
        except ValueError as error:
            if not undefined:
                raise
            raise ValueError(f"{error}: under the one that came nearest {min(undefined)[1]}") from None

    return search


def _told_where_undefined(aims: LeaderSpec, undefined: list[tuple[float, str]]) -> Judge:
    """The objective, which adds to a list by how much it is undefined, and why, wherever it is."""
    value, shortfall = aims.objective(), aims.shortfall()

    def judge(found: Equilibrium) -> float:
        worth = value(found)
        if not math.isfinite(worth):
            far = math.inf if shortfall is None else float(shortfall(found).max())
            undefined.append((far, aims.undefined(found) or "the objective is undefined"))
        return worth

    return judge


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """The tariff that a leader commits to, beside the one it would replace.

    Attributes
    ----------
    baseline
        Equilibrium at the tariff in force.
    baseline_objective
        The leader's objective there; None if the solve was cancelled, or the objective is undefined there.
    baseline_violation
        Its highest import rate less the cap; None without a cap. [USD/kWh]
    commitment
        The search and the best tariff; None if it was cancelled before a tariff was found.
    evaluations
        Tariffs whose equilibrium was solved in the search.
    outcome, message
        How it ended.
    """

    __repr__ = short_repr

    baseline: Equilibrium
    baseline_objective: float | None
    baseline_violation: float | None
    commitment: Commitment | None
    evaluations: int
    seconds: float
    outcome: Outcome
    message: str


def design(
    economy: Economy,
    tariff: Tariff,
    aims: LeaderSpec,
    *,
    search: Search | None = None,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    watch: Watch | None = None,
) -> Design:
    """Find the tariff that a leader commits to.

    Parameters
    ----------
    tariff
        The tariff in force, which the found one is compared with.
    aims
        What the leader wants.
    search
        How; by default `commitment_search`.
    evaluations_per_start
        Tariffs tried from each starting point at most, by the default search.
    watch
        As for `meanwatt.model.mean_field.leader.commitment.commit`.

    Raises
    ------
    ValueError
        If no tariff of the family meets the price cap, or the objective is undefined at all of them.
    """
    began = time.perf_counter()
    judge, violation, watch = aims.objective(), aims.violation(), watch or Watch()
    baseline = PostedSolver()(economy, tariff, watch=watch)
    commitment: Commitment | None = None
    outcome, message = Outcome.CANCELLED, "Cancelled before a tariff was found."
    if not watch.stopped:
        try:
            find = commitment_search(evaluations_per_start) if search is None else search
            commitment = find(DesignProblem(economy=economy, aims=aims, baseline=baseline, watch=watch))
            outcome, message = commitment.outcome, commitment.message
        except Cancelled:
            pass
        except ValueError:
            if not watch.stopped:
                raise
    solved = baseline.outcome is not Outcome.CANCELLED
    worth = judge(baseline) if solved else -math.inf
    return Design(
        baseline=baseline,
        baseline_objective=worth if math.isfinite(worth) else None,
        baseline_violation=float(violation(baseline).max()) if solved and violation is not None else None,
        commitment=commitment,
        evaluations=0 if commitment is None else len(commitment.trials),
        seconds=time.perf_counter() - began,
        outcome=outcome,
        message=message,
    )


def design_messages(found: Design, aims: LeaderSpec) -> Messages:
    """What a search leaves as it is, and what it could not value."""
    in_force = found.baseline.tariff
    kept = [
        f"tariff.{charge.name} of {in_force.name} is kept by every tariff tried; the search does not change it."
        for charge in in_force.standing_charges
    ]
    if in_force.classes and aims.own_family is None:
        names = ", ".join(f"{one.name} on {one.tariff.name}" for one in in_force.classes)
        kept.append(
            f"Rate classes ({names}) are in force and no tariff tried has any: one tariff is searched for everybody;"
            " --family with keys such as rate_classes.NAME.energy_usd_per_kwh searches those of the classes."
        )
    if in_force.has_components and aims.own_family is None:
        held = dict.fromkeys(part.name for one in in_force.class_tariffs for part in one.components)
        kept.append(
            f"The tariff in force has {' and '.join(held)}, and no tariff tried has: --family searches tariffs as the"
            " one in force, its components included."
        )
    if in_force.carries_credits and aims.own_family is None:
        rules = dict.fromkeys(one.credit_rule.metering.value for one in in_force.class_tariffs if one.credit_rule)
        kept.append(
            f"The tariff in force has export.metering {' and '.join(rules)}, and every tariff tried counts each slot's"
            " credit at once: --family searches tariffs as the one in force, its metering included."
        )
    found_tariff = None if found.commitment is None else found.commitment.tariff
    kept += [text for one in (in_force, found_tariff) if one is not None for text in approximations(one)]
    why = aims.undefined(found.baseline)
    undefined = [] if why is None else [f"The objective is undefined under {in_force.name}: {why}."]
    return joined(kept, undefined, () if found.commitment is None else aims.remarks(found.commitment.equilibrium))


def tariff_table(tariff: Tariff, economy: Economy) -> dict[str, Any]:
    """A tariff in the words of a tariff file, so that it can be saved, solved and compared like any other."""
    days = economy.common.day_types

    def by_day(rate: Any) -> Any:
        rows = [row.tolist() for row in rate]
        alike = all(row == rows[0] for row in rows)
        if alike and len(set(rows[0])) == 1:
            return rows[0][0]
        return rows[0] if alike else dict(zip(days, rows, strict=True))

    adders = adders_by_branch(tariff)

    def by_group(values: Any) -> dict[str, float]:
        return dict(zip(economy.groups, values.tolist(), strict=True))

    return {
        "title": "Tariff found by meanwatt design",
        "recovery": str(tariff.recovery),
        "pass_through": tariff.pass_through,
        "energy_usd_per_kwh": by_day(tariff.energy_usd_per_kwh),
        "fixed_charge_usd_per_day": by_group(tariff.fixed_charge_usd_per_day),
        "fixed_charge_shape": by_group(tariff.fixed_charge_shape),
        "discount": by_group(tariff.discount),
        "adder_cap_usd_per_kwh": tariff.adder_cap_usd_per_kwh,
        "export": {
            "rule": str(tariff.export_rule),
            "pass_through": tariff.export_pass_through,
            "usd_per_kwh": by_day(tariff.export_usd_per_kwh),
            "capped_at_import": tariff.capped_at_import,
            **({} if tariff.credit_rule is None else tariff.credit_rule.to_table()),
        },
        **{charge.name: charge.to_table() for charge in tariff.standing_charges},
        **{component.name: component.to_table() for component in tariff.components},
        **({ADDER: {name: by_day(adder) for name, adder in adders.items()}} if adders else {}),
    }
