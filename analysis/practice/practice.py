"""Usual practice against the equilibrium: what is filed, what then happens, and what a commission would commit to."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rate_classes import called, with_each_class
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.design.family_result import family_messages, windows_json
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.analysis.practice.filing import Filing, file_tariff, imports_kw, social_marginal_cost
from meanwatt.analysis.practice.windows import Windows, family_groups, family_windows, windows_in_force
from meanwatt.model.mean_field.components.component_messages import component_messages
from meanwatt.model.mean_field.components.settled import billed_equilibrium
from meanwatt.model.mean_field.components.solving import solve_composed
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import EVALUATIONS_PER_START, Commitment, commit
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.own_family import OwnFamilies
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.mean_field.leader.window_family import WindowFamily, window_family
from meanwatt.model.mean_field.leader.window_search import WindowCommitment, commit_windows
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load
from meanwatt.model.scenario.messages import Messages, joined, scenario_messages

WELFARE = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 0.0})
"""Whom practice is held against: a commission that wants welfare alone, for which fixed charges do not matter."""
AT_BOUND = 1e-6
"""Distance to a bound that is none, as a share of the family's range."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Practice:
    """Usual practice held against the equilibrium.

    Attributes
    ----------
    windows
        Those that rates are filed for.
    in_force
        Equilibrium at the tariff in force, whose loads and prices practice freezes.
    filing
        What practice files and predicts; None where the equilibrium in force was not found.
    equilibrium
        What households do under exactly that tariff, its charges posted.
    commitment
        The commission's best rates for the same windows; None if it was not found.
    families
        The user's family that the commitment was searched in, if there is one.
    component_messages
        What is approximated of the tariffs' components.
    outcome, message
        How it ended.
    """

    __repr__ = short_repr

    windows: Windows
    in_force: Equilibrium
    filing: Filing | None
    equilibrium: Equilibrium | None
    commitment: Commitment | None
    seconds: float
    outcome: Outcome
    message: str
    families: OwnFamilies | None = None
    component_messages: Messages = ()

    @property
    def committed_usd_per_kwh(self) -> Floats | None:
        """Energy charges of the commitment. (window,) [USD/kWh]"""
        if self.commitment is None:
            return None
        if self.families is not None:
            return _own_family(self.families, self.commitment).energy_usd_per_kwh(self.commitment.parameters)
        return np.array(list(self.commitment.parameters.values()))

    @property
    def welfare_lost_usd_per_household_day(self) -> float | None:
        """Welfare of the commitment less that of the filed tariff's equilibrium.

        It is ≥ 0 where the family holds the filed tariff, as the usual one does.
        """
        if self.commitment is None or self.equilibrium is None:
            return None
        return self.commitment.objective - welfare(self.equilibrium)

    @property
    def messages(self) -> Messages:
        """What is chosen, approximated or left as it is, a sentence each."""
        known = self.in_force.messages
        later = () if self.equilibrium is None else self.equilibrium.messages
        filed = tuple(one if one in known else f"Filed tariff: {one}" for one in later)
        solved = self.in_force.outcome is Outcome.CONVERGED
        odd = () if solved else (f"Tariff in force: {self.in_force.message}",)
        own = () if self.filing is None else _messages(self, self.filing)
        scenario = self.in_force.economy.scenario
        return joined(scenario_messages(scenario), odd, known, filed, self.component_messages, own)


def practice(
    economy: Economy,
    tariff: Tariff,
    *,
    families: OwnFamilies | None = None,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    watch: Watch | None = None,
    new_stage: Callable[[str], None] = lambda _: None,
) -> Practice:
    """Hold usual practice against the equilibrium, from the tariff in force.

    Parameters
    ----------
    tariff
        The tariff in force.
    families
        A user's family over it, in which the commitment is searched; rates are then filed for the windows that the
        commitment has. By default the windows are the periods of the tariff in force.
    evaluations_per_start
        Tariffs that the search for the commitment may try from each of two starts: the filed rates and those in force.
    watch
        As for `meanwatt.model.mean_field.leader.commitment.commit`.
    new_stage
        Told what is done next.

    Returns
    -------
    Practice
        Always; parts that were not reached are None, and ``outcome`` says why.

    Raises
    ------
    ValueError
        If neither the tariff in force nor ``tou`` has periods; or the family frees no energy charge, or does not
        recover cost.
    """
    began = time.perf_counter()
    watch = watch or Watch()
    if families is None:
        windows = windows_in_force(economy, tariff)
    else:
        replace(WELFARE, own_family=families.first)  # refuses what does not recover cost
        windows = family_windows(families, families.first.windows)
    new_stage("tariff in force")
    in_force, said = solved_as_billed(economy, tariff, None, watch)
    filing: Filing | None = None
    equilibrium: Equilibrium | None = None
    commitment: Commitment | None = None
    if in_force.converged and families is not None:
        new_stage("commitment")
        commitment = _own_commitment(families, in_force, evaluations_per_start, watch)
        if commitment is not None:
            family = _own_family(families, commitment)
            windows = family_windows(families, family.windows)
            new_stage("filed tariff")
            filing = file_tariff(in_force, windows, family.tariff(family.in_force))
            equilibrium, more = solved_as_billed(economy, filing.tariff, in_force, watch)
            said = joined(said, more)
    elif in_force.converged:
        filing = file_tariff(in_force, windows)
        new_stage("filed tariff")
        equilibrium, more = solved_as_billed(economy, filing.tariff, in_force, watch)
        said = joined(said, more)
        if equilibrium.converged:
            new_stage("commitment")
            commitment = _commitment(in_force, filing, windows, evaluations_per_start, watch)
    outcome, message = _ended(in_force, equilibrium, commitment)
    return Practice(
        windows=windows,
        in_force=in_force,
        filing=filing,
        equilibrium=equilibrium,
        commitment=commitment,
        seconds=time.perf_counter() - began,
        outcome=outcome,
        message=message,
        families=families,
        component_messages=said,
    )


def solved_as_billed(
    economy: Economy, tariff: Tariff, start: Equilibrium | None, watch: Watch
) -> tuple[Equilibrium, Messages]:
    """The equilibrium of a tariff with its components in the bills, and what is approximated of them."""
    if not tariff.has_components:
        return solve_equilibrium(economy, tariff, start=start, certify=False, watch=watch), ()
    composed = solve_composed(economy, tariff, certify=False, watch=watch)
    return billed_equilibrium(composed), component_messages(composed)


def welfare(found: Equilibrium) -> float:
    """Welfare of an equilibrium. [USD per household-day]"""
    return equilibrium_metrics(found).welfare_usd_per_household_day


def filed_family(in_force: Equilibrium, filing: Filing, windows: Windows) -> WindowFamily:
    """Tariffs as the filed one, with other rates in its windows and a fixed charge that balances the books."""
    base = with_each_class(filing.tariff, lambda _, own: replace(own, recovery=Recovery.FIXED))
    held = np.stack([filing.rates_usd_per_kwh, _rates_in_force(in_force, windows)])
    return window_family(in_force.economy, base, windows.names, windows.of_class, held)


def _own_family(families: OwnFamilies, commitment: Commitment) -> UserFamily:
    """The user's family with its windows where the commitment has them."""
    return families.family(commitment.windows if isinstance(commitment, WindowCommitment) else {})


def _own_commitment(
    families: OwnFamilies, in_force: Equilibrium, evaluations: int, watch: Watch
) -> WindowCommitment | None:
    """The commission's best tariff of the family; None if it was stopped before any was tried.

    Every search begins at the rates that practice would file, too.
    """
    economy, sold, cost = in_force.economy, imports_kw(in_force), social_marginal_cost(in_force)
    with suppress(Cancelled):
        try:
            return commit_windows(
                families,
                lambda family: LeaderProblem(economy, family, WELFARE.objective()),
                in_force,
                evaluations_per_start=evaluations,
                starts=lambda family: [family.at_marginal_cost(economy, sold, cost)],
                watch=watch,
            )
        except ValueError:
            if not watch.stopped:
                raise
    return None


def _commitment(
    in_force: Equilibrium, filing: Filing, windows: Windows, evaluations: int, watch: Watch
) -> Commitment | None:
    """The commission's best rates in the windows; None if it was stopped before any was tried."""
    family = filed_family(in_force, filing, windows)
    problem = LeaderProblem(in_force.economy, family, WELFARE.objective())
    starts = [filing.rates_usd_per_kwh, _rates_in_force(in_force, windows)]
    with suppress(Cancelled):
        try:
            return commit(problem, evaluations_per_start=evaluations, starts=starts, certify=False, watch=watch)
        except ValueError:
            if not watch.stopped:
                raise
    return None


def _rates_in_force(in_force: Equilibrium, windows: Windows) -> Floats:
    """Mean import rate of the tariff in force in each window, over its slots. (window,) [USD/kWh]"""
    economy, count = in_force.economy, len(windows.names)
    total, paid = np.zeros(count), np.zeros(count)
    for of_class, rates in zip(windows.of_class, in_force.rates.of_classes, strict=True):
        window = of_class[economy.common.today]
        rate = np.broadcast_to(rates.import_usd_per_kwh, window.shape)
        weight = np.broadcast_to(economy.common.probability[:, None], window.shape)
        total += np.bincount(window.ravel(), weight.ravel(), count)
        paid += np.bincount(window.ravel(), (weight * rate).ravel(), count)
    overall = np.mean([rates.import_usd_per_kwh.mean() for rates in in_force.rates.of_classes])
    return np.asarray(np.divide(paid, total, out=np.full(count, overall), where=total > 0))


def _ended(
    in_force: Equilibrium, equilibrium: Equilibrium | None, commitment: Commitment | None
) -> tuple[Outcome, str]:
    """How it ended, and the sentence."""
    if in_force.converged and commitment is None and equilibrium is None:
        return Outcome.CANCELLED, "Cancelled before the commission's commitment was found."
    if equilibrium is None:
        return in_force.outcome, f"Tariff in force: {in_force.message}"
    if not equilibrium.converged:
        return equilibrium.outcome, f"Filed tariff: {equilibrium.message}"
    if commitment is None:
        return Outcome.CANCELLED, "Cancelled before the commission's commitment was found."
    lost = round(commitment.objective - welfare(equilibrium), 5) + 0.0  # no minus sign before a zero
    least = "" if commitment.outcome is Outcome.CONVERGED else "at least "
    told = f"Usual practice loses {least}{lost:.5f} USD per household-day of welfare against the commitment."
    return commitment.outcome, f"{told} {commitment.message}"


def _messages(found: Practice, filing: Filing) -> Messages:
    """What practice chose, and what it is held against."""
    windows, economy, in_force = found.windows, found.in_force.economy, found.in_force.tariff
    sentences = [
        _windows_sentence(found),
        "Filed rates: marginal cost at the loads of the tariff in force, weighted by what meters sold"
        + (f", with carbon at {economy.carbon_usd_per_t:g} USD/t." if economy.carbon_usd_per_t else "."),
        "Filed charges are posted as they are; a fixed charge that balances the books changes bills, not loads, so"
        " welfare is the same.",
        "Commitment: a commission that wants welfare alone (equity=0,stability=0) chooses the rates of the same"
        " windows" + ("; all else is as filed." if found.families is None else ", and what else the family frees."),
        f"Kept as {called(in_force)} has them: export credit, discounts, proportions of the fixed charge, and charges"
        " that do not depend on use" + ("." if found.families is None else ", but for what the family fixes."),
    ]
    if filing.tariff.has_components:
        sentences.append(
            "Components stay as they are; usual practice expects of them what they bring in force, and the filed fixed"
            " charge covers what then is missing."
        )
    if limits_load(economy.types):
        sentences.append("Usual practice knows feeder.envelopes: its prediction moves nobody beyond a limit.")
    sentences += [
        f"tariff.pass_through = {one.pass_through:g} of {one.name}: filed rates hold the wholesale price at what it was"
        " and pass nothing through."
        for one in in_force.class_tariffs
        if one.pass_through
    ]
    empty = [name for name, sold in zip(windows.names, filing.imports_kwh_per_day, strict=True) if not sold > 0]
    if empty:
        sentences.append(
            f"Window {', '.join(empty)}: meters sold nothing, so its rate is the plain mean of marginal cost."
        )
    if found.families is not None:
        sentences += [*family_messages(found.families, found.commitment), *_outside(found.families, found, filing)]
    elif found.commitment is not None and found.committed_usd_per_kwh is not None:
        sentences += at_bounds(filed_family(found.in_force, filing, windows), found.committed_usd_per_kwh)
    if filing.predicted.floored:
        sentences.append("Predicted: one step of the elasticity takes some use below 0; it stops at 0.")
    return tuple(sentences)


def _windows_sentence(found: Practice) -> str:
    """Whose windows they are."""
    windows, in_force = found.windows, found.in_force.tariff
    if found.families is not None:
        if not isinstance(found.commitment, WindowCommitment) or not found.commitment.windows:
            return f"Windows: those that {windows.taken_from} distinguishes."
        placed = windows_json(found.commitment.windows, found.families.scenario.slots_per_day)
        where = ", ".join(f"{name} {one['hours']}" for name, one in placed.items())
        return f"Windows: those of {windows.taken_from} where the commitment has them, {where}."
    if in_force.classes:
        return f"Windows: the periods of {windows.taken_from}; every rate class has windows and rates of its own."
    own = windows.taken_from == in_force.name
    return f"Windows: the periods of tariff {windows.taken_from}" + (
        ", which is in force." if own else f"; {in_force.name}, which is in force, has none."
    )


def _outside(families: OwnFamilies, found: Practice, filing: Filing) -> list[str]:
    """Filed rates that the family does not hold, in a sentence."""
    if found.commitment is None:
        return []
    names, low, high = family_groups(_own_family(families, found.commitment))
    filed = filing.rates_usd_per_kwh
    outside = (filed < low) | (filed > high)
    named = [f"{name}, {rate:.4g}" for name, rate, out in zip(names, filed, outside, strict=True) if out]
    if not named:
        return []
    return [f"Filed rate of {', '.join(named)} USD/kWh lies outside the family, so what is lost may be negative."]


def at_bounds(family: WindowFamily, rates: Floats) -> list[str]:
    """Windows whose committed rate the family's bounds hold, a sentence each."""
    unit = family.unit(rates)
    return [
        f"Commitment: the rate of {name} is at the family's bound, {rate:.4g} USD/kWh; a wider family may gain more."
        for name, rate, place in zip(family.free, rates.tolist(), unit.tolist(), strict=True)
        if place < AT_BOUND or place > 1 - AT_BOUND
    ]
