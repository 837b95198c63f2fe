"""Best response of a household that carries the day's largest import in its state.

The state is that of `meanwatt.agents.household.day_peak`.
The days are those of `meanwatt.agents.household.best_response`, one slot's step is that of
`meanwatt.agents.household.peak_day`. The largest import begins anew at midnight, so values there are those of
(c, z, e) alone, and repeating the day until they change alike at all levels is the same iteration.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from meanwatt.agents.household.backward_induction import ROUNDING_USD
from meanwatt.agents.household.best_response import (
    DAY_LIMIT,
    FAST_DAYS,
    PATIENCE,
    PLAIN_DAYS,
    SLOW_SHARE,
    Response,
    common_part,
    value_tolerance_usd,
)
from meanwatt.agents.household.day_peak import DayPeak, PeakSteps
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.peak_day import fill_peak_day
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.household.split import curtailed_kw
from meanwatt.agents.numerics.anderson import accelerate
from meanwatt.agents.numerics.arrays import Floats, as_input, require_finite
from meanwatt.agents.tariff.rates import Rates, payment_usd

LAZINESS = 0.5
"""Share of the old values kept where plain days go round in circles."""


def peak_response(
    household: HouseholdType,
    rates: Rates,
    problem: DecisionProblem,
    *,
    start: Response | None = None,
    tolerance_usd: float | None = None,
    check: Callable[[], None] = lambda: None,
) -> Response:
    """Best response with the day's largest import in the state; arguments as in `best_response`.

    Returns
    -------
    Response
        Axes as ever, but that a shock is one with a largest import, (z · largest import), in the policy and the values,
        and a row (e, z, largest import) in net load, use and money. The gain holds the charge; payments do not.
    """
    for name in ("import_usd_per_kwh", "export_usd_per_kwh"):
        require_finite(name, getattr(rates, name))
    day = _Day(household, rates, problem)
    states, _, shocks, _, levels = day.shape
    tolerance = value_tolerance_usd(problem.temperature_usd) if tolerance_usd is None else tolerance_usd
    midnight = np.zeros((states, shocks, levels))
    if start is not None and start.value_usd.shape == day.flat_shape:
        before = day.at_midnight(start.value_usd.reshape(day.shape))
        midnight = before - before[:, :, :1]
    days, converged, midnight = _iterate(day, midnight, tolerance, PLAIN_DAYS, 0.0, check)
    if not converged:

        def next_midnight(flat: Floats) -> Floats:
            check()
            after = day.after(flat.reshape(midnight.shape))
            return (after - after[:, :, :1]).ravel()

        settled = accelerate(
            next_midnight,
            midnight.ravel(),
            tolerance=max(SLOW_SHARE * tolerance, ROUNDING_USD),
            limit=FAST_DAYS,
            patience=PATIENCE,
        )
        midnight, converged = settled.point.reshape(midnight.shape), settled.converged
        days += settled.evaluations
    if not converged:
        more, converged, midnight = _iterate(day, midnight, tolerance, DAY_LIMIT, LAZINESS, check)
        days += more
    if problem.discount_per_day < 1:
        midnight = midnight + common_part(day.after(midnight) - midnight, problem, day.shape[1])[:, :, None]
    policy, outcome = day.followed(midnight)
    change = day.at_midnight(day.value) - problem.discount_per_day * midnight
    chance = problem.common_probability[:, None] * problem.shock_probability
    return Response(
        policy=policy,
        outcome=outcome,
        value_usd=day.value.reshape(day.flat_shape),
        gain_usd_per_day=float((chance * change[:, :, 0]).sum()),
        span_usd=float((chance * np.ptp(day.at_midnight(day.value) - midnight, axis=2)).sum()),
        days=days,
        converged=converged,
    )


class _Day:
    """A household's day at given rates, and the values that it was last swept with."""

    def __init__(self, household: HouseholdType, rates: Rates, problem: DecisionProblem) -> None:
        assert household.day_peak is not None
        self.household, self.rates, self.problem = household, rates, problem
        self.peak: DayPeak = household.day_peak
        self.storage = storage = household.storage_day(problem.slot_hours)
        states, slots = household.reference_kw.shape
        shocks, ranks = problem.shock_levels.size, self.peak.levels_kw.size
        self.shape = (states, slots, shocks, ranks, household.levels)
        self.flat_shape = (states, slots, shocks * ranks, household.levels)
        self.value = np.empty(self.shape)
        temperature, count = problem.temperature_usd, storage.moves.size
        given = storage.choice.given
        self._given: Any = (
            as_input(household.reference_kw),
            as_input(household.pv_kw),
            tuple(
                as_input(np.array(np.broadcast_to(rate, (states, slots))))
                for rate in (rates.import_usd_per_kwh, rates.export_usd_per_kwh)
            ),
            as_input(problem.shock_levels),
            (
                as_input(storage.moves),
                as_input(storage.power_kw),
                as_input(storage.cost_by_slot_usd()),
                as_input(storage.choice.bounds),
                as_input(given if given.size else np.empty((0, 0, 0))),
            ),
            (float(household.elasticity), float(household.flexibility), float(household.reference_price_usd_per_kwh)),
            (
                float(problem.slot_hours),
                float(self.peak.usd_per_kw),
                float(problem.discount_per_day ** (1 / slots)),
                float(temperature),
                bool(problem.value_rule is ValueRule.ENTROPY and temperature > 0 and count > 1),
                bool(household.curtailable),
            ),
            (as_input(np.asarray(self.peak.counted, dtype=np.bool_)), as_input(self.peak.levels_kw)),
            (as_input(problem.common_kernel), as_input(problem.shock_kernel)),
        )
        none = np.empty((0, 0, 0, 0))
        self._nothing = (np.empty((0, 0, 0, 0, 0)), none, none, np.empty((0, 0, 0, 0), dtype=np.int16), none)

    def at_midnight(self, value: Floats) -> Floats:
        """Values with which a day begins, nothing imported yet. (c, z, e) [USD]"""
        return np.asarray(value[:, 0, :, 0])

    def after(self, midnight: Floats) -> Floats:
        """Values with which the day begins whose end is worth ``midnight`` (c, z, e). [USD]"""
        fill_peak_day(*(*self._given, np.ascontiguousarray(midnight), self.value, self._nothing))
        return self.at_midnight(self.value)

    def followed(self, midnight: Floats) -> tuple[PolicyTable, SlotOutcome]:
        """The policy before a midnight worth (c, z, e), and what its moves bring."""
        household, hours, storage = self.household, self.problem.slot_hours, self.storage
        states, slots, shocks, ranks, levels = self.shape
        count, rows = storage.moves.size, levels * shocks * ranks
        probability = np.zeros((states, slots, levels, shocks * ranks, count))
        net, use, upper = np.zeros((3, states, slots, rows, count))
        lower = np.zeros((states, slots, rows, count), dtype=np.int16)
        arrays = (probability, net, use, lower, upper)
        fill_peak_day(*(*self._given, np.ascontiguousarray(midnight), self.value, arrays))
        shock = np.tile(np.repeat(self.problem.shock_levels, ranks), levels)[:, None]
        enjoyed = utility_usd_per_hour(
            use,
            household.reference_kw[:, :, None, None] * shock,
            elasticity=household.elasticity,
            reference_price=household.reference_price_usd_per_kwh,
        )
        bought, sold = (
            rate[:, :, None, None] for rate in (self.rates.import_usd_per_kwh, self.rates.export_usd_per_kwh)
        )
        spilt = curtailed_kw(household.pv_kw, storage.power_kw[:, None], use, net) if household.curtailable else None
        outcome = SlotOutcome(
            moves=storage.moves,
            use_kw=use,
            net_load_kw=net,
            utility_usd=hours * enjoyed,
            payment_usd=payment_usd(net, bought, sold, hours),
            wear_usd=storage.cost_usd,
            level_kwh=storage.level_kwh,
            choice=storage.choice,
            curtailed_kw=spilt if spilt is not None and spilt.any() else None,
        )
        steps = PeakSteps(levels_kw=self.peak.levels_kw, lower=lower, upper=upper)
        return replace(outcome.followed(probability), peak=steps), outcome


def _iterate(
    day: _Day, midnight: Floats, tolerance: float, limit: int, laziness: float, check: Callable[[], None]
) -> tuple[int, bool, Floats]:
    """Repeat the day as `iterate_days` does; return (days, whether within tolerance, values at midnight)."""
    previous = np.inf
    for number in range(1, limit + 1):
        check()
        after = day.after(midnight)
        widest = float(np.ptp(after - midnight, axis=2).max())
        rate = min(widest / previous, 0.9999) if previous < np.inf else 0.9999
        previous = widest
        if widest * max(rate / (1.0 - rate), 1.0) <= tolerance or widest <= ROUNDING_USD:
            return number, True, midnight
        fresh = after - after[:, :, :1]
        midnight = (1.0 - laziness) * fresh + laziness * midnight
    return limit, False, midnight
