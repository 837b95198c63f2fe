"""The residual allotted to the households of an equilibrium, a shift of load judged, and default rates by class."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.allotment.customers import Customers, allotments, customers_of, demand_of
from meanwatt.analysis.allotment.moves import Entry, entries_of
from meanwatt.analysis.certificates import Certify, solve_certified
from meanwatt.analysis.metrics.default_rate import DefaultRate, default_rate
from meanwatt.analysis.metrics.residual_allotment import Allotter, Loads, ShiftIncidence, shift_incidence
from meanwatt.analysis.output.rate_classes import class_names, class_of_type
from meanwatt.model.mean_field.components.settled import billed_equilibrium
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRate:
    """The default rate of a class under one allotter.

    Attributes
    ----------
    level, name
        What makes the class (everybody, rate class, branch, income group, household type), and which one it is.
    share
        Of the population.
    allotter, allotted_usd_per_day
        How much of the residual the mean member bears; None where the residual cannot be allotted so. [USD/day]
    rate
        The rate or why there is none; None alike.
    """

    level: str
    name: str
    share: float
    allotter: Allotter
    allotted_usd_per_day: float | None
    rate: DefaultRate | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Allotment:
    """Who bears the residual.

    Attributes
    ----------
    before, after
        The equilibrium, and that after the shift of load; None without a shift, or where it was not reached.
    entries
        Homes by type before and after; without a shift every type is its own.
    customers, shifted
        Types before and after.
    allotted, allotted_after
        Residual of every entry by allotter, at the loads before and after. (entry,) each [USD/day]
    shift
        Who pays for it, by allotter; None where the residual cannot be allotted so.
    default_rates
        By class and allotter, at the equilibrium before.
    cap_usd_per_kwh
        Highest default rate.
    """

    __repr__ = short_repr

    before: Equilibrium
    after: Equilibrium | None
    entries: tuple[Entry, ...]
    customers: Customers | None
    shifted: Customers | None
    allotted: dict[Allotter, Floats | None]
    allotted_after: dict[Allotter, Floats | None] | None
    shift: dict[Allotter, ShiftIncidence | None] | None
    default_rates: tuple[ClassRate, ...]
    cap_usd_per_kwh: float
    outcome: Outcome
    message: str
    notes: Messages
    seconds: float

    @property
    def residual_usd_per_household_day(self) -> float:
        """The network's cost, which nobody's load causes. [USD per household-day]"""
        return self.before.economy.fixed_cost_usd_per_day

    @property
    def messages(self) -> Messages:
        """What is assumed, left out or undefined, a sentence each."""
        solved = [self.before, *([] if self.after is None else [self.after])]
        return joined(*(one.messages for one in solved), self.notes)


def allot(
    economy: Economy,
    tariff: Tariff,
    shifted: tuple[Economy, Tariff] | None = None,
    *,
    cap_usd_per_kwh: float = 2.0,
    watch: Watch | None = None,
    new_stage: Callable[[str], None] = lambda _: None,
) -> Allotment:
    """Allot the residual in three ways, frozen and adjusting, and find the rates by which classes pay their cost.

    Parameters
    ----------
    shifted
        Economy and tariff after a shift of load; of the same income groups and residual.
    cap_usd_per_kwh
        Highest default rate. [USD/kWh]
    watch
        Told what is done, and asked whether to stop, which ends it with outcome ``cancelled``.
    new_stage
        Told what is done next.

    Raises
    ------
    ValueError
        In one line, if the shift changes income groups or the residual.
    """
    began = time.perf_counter()
    watch = watch or Watch()
    if shifted is not None:
        require_comparable(economy, shifted[0])
    new_stage("equilibrium")
    before = _solved(economy, tariff, watch)
    after = None
    if shifted is not None and before.outcome is Outcome.CONVERGED:
        new_stage("equilibrium after the shift")
        after = _solved(*shifted, watch)
    last = before if after is None else after
    known = last.outcome is Outcome.CONVERGED
    done = Allotment(
        before=before,
        after=after,
        entries=(),
        customers=None,
        shifted=None,
        allotted={},
        allotted_after=None,
        shift=None,
        default_rates=(),
        cap_usd_per_kwh=cap_usd_per_kwh,
        outcome=last.outcome,
        message=_message(before, after, known=known),
        notes=(),
        seconds=0.0,
    )
    if known:
        done = _filled(done, before, after)
    return replace(done, seconds=time.perf_counter() - began)


def require_comparable(before: Economy, after: Economy) -> None:
    """Raise ``ValueError``, in one line, unless a shift leaves income groups and the residual as they are."""
    if before.groups != after.groups or not np.allclose(before.group_share, after.group_share, rtol=0, atol=1e-12):
        raise ValueError(
            "--shift changes the income groups or their shares, so that nobody knows whose load shifts; change them"
            " with --set, before and after alike"
        )
    if before.fixed_cost_usd_per_day != after.fixed_cost_usd_per_day:
        raise ValueError(
            f"--shift changes the network's cost from {before.fixed_cost_usd_per_day:.4g} to"
            f" {after.fixed_cost_usd_per_day:.4g} USD per household-day, and a shift of load leaves the residual alone;"
            " give fixed_cost_usd_per_month with --set"
        )


def _solved(economy: Economy, tariff: Tariff, watch: Watch) -> Equilibrium:
    """The equilibrium as it is billed."""
    done = solve_certified(economy, tariff, Certify.NONE, watch=watch)
    return done.equilibrium if done.composed is None else billed_equilibrium(done.composed)


def _message(before: Equilibrium, after: Equilibrium | None, *, known: bool) -> str:
    """How it ended, as a sentence."""
    if known:
        return before.message if after is None else f"{before.message} After the shift: {after.message}"
    return before.message if after is None else f"After the shift: {after.message}"


def _filled(done: Allotment, before: Equilibrium, after: Equilibrium | None) -> Allotment:
    """The same with all that follows from the equilibria."""
    residual = done.residual_usd_per_household_day
    customers = customers_of(before)
    by_type = allotments(customers.loads, residual, customers.share)
    rates = tuple(_class_rates(before, customers, by_type, done.cap_usd_per_kwh))
    types = before.economy.types
    done = replace(
        done,
        customers=customers,
        entries=tuple(Entry(before=place, after=place, share=one.share) for place, one in enumerate(types)),
        allotted=by_type,
        default_rates=rates,
    )
    if after is not None:
        shifted = customers_of(after)
        entries = tuple(entries_of(types, after.economy.types))
        share = np.array([one.share for one in entries])
        old = _of_entries(customers.loads, [one.before for one in entries])
        new = _of_entries(shifted.loads, [one.after for one in entries])
        done = replace(
            done,
            shifted=shifted,
            entries=entries,
            allotted=allotments(old, residual, share),
            allotted_after=allotments(new, residual, share),
            shift={a: shift_incidence(old, new, residual, allotter=a, weights=share) for a in Allotter},
        )
    return replace(done, notes=tuple(_notes(done, before)))


def _of_entries(loads: Loads, places: list[int]) -> Loads:
    """Loads of the types in places."""
    return Loads(
        own_marginal_cost_usd_per_day=loads.own_marginal_cost_usd_per_day[places],
        imported_kwh_per_day=loads.imported_kwh_per_day[places],
    )


def _classes(found: Equilibrium) -> list[tuple[str, str, Bools]]:
    """Level, name and members (θ,) of every class that has a default rate of its own."""
    types, of_class = found.economy.types, class_of_type(found)
    everybody = np.ones(len(types), dtype=bool)
    levels = [("everybody", "everybody", everybody)]
    if len(class_names(found)) > 1:
        levels += [("rate_class", name, of_class == place) for place, name in enumerate(class_names(found))]
    branch = np.array([one.branch for one in types])
    levels += [("branch", name, branch == name) for name in dict.fromkeys(branch.tolist()) if name]
    group = np.array([one.group for one in types])
    levels += [("income_group", name, group == place) for place, name in enumerate(found.economy.groups)]
    levels += [("household_type", one.name, np.arange(len(types)) == place) for place, one in enumerate(types)]
    return [one for one in levels if one[2].any()]


def _class_rates(
    found: Equilibrium, customers: Customers, allotted: dict[Allotter, Floats | None], cap_usd_per_kwh: float
) -> list[ClassRate]:
    """Default rates of every class under every allotter."""
    rows = []
    for level, name, members in _classes(found):
        for allotter, residual in allotted.items():
            demand = None if residual is None else demand_of(found, customers, members, residual)
            rows.append(
                ClassRate(
                    level=level,
                    name=name,
                    share=float(customers.share[members].sum()),
                    allotter=allotter,
                    allotted_usd_per_day=None if demand is None else demand.residual_usd_per_day,
                    rate=None if demand is None else default_rate(demand, cap_usd_per_kwh),
                )
            )
    return rows


def _notes(done: Allotment, found: Equilibrium) -> list[str]:
    """What is assumed, left out or undefined."""
    sentences = [
        "Default rates: a class's demand is the line through what it buys at the mean import rate it pays, with its"
        " elasticity; what it feeds in is credited at marginal cost."
    ]
    if found.tariff.has_components:
        sentences.append("Default rates: the mean import rate is without the tariff's components, which bills hold.")
    sentences += [
        f"Nothing is allotted {allotter}: what the residual follows is not above 0 on average."
        for allotter in Allotter
        if done.allotted[allotter] is None or (done.allotted_after or done.allotted)[allotter] is None
    ]
    missing = [one for one in done.default_rates if one.rate is not None and one.rate.reason is not None]
    if missing:
        sentences.append(
            f"Classes without a default rate up to {done.cap_usd_per_kwh:g} USD/kWh: "
            + "; ".join(f"{one.name}, {one.allotter} ({one.rate.reason})" for one in missing if one.rate)
            + "."
        )
    if done.after is not None and any(one.before != one.after for one in done.entries):
        sentences.append(
            "Homes keep what they own as far as the shares before and after allow; of the others those come first that"
            " differ by a home battery alone."
        )
    return sentences
