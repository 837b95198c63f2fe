"""Shares that answer themselves: shares → equilibrium → bills → shares, from several starts.

The search moves in net present values, so that every point of it makes shares that sum to one. It goes where the answer
leads, never back, in steps that Aitken's rule makes longer where answers shrink slowly and shorter where they swing
[1]_. So it comes to a point that adoption itself would come to, or to where no tariff covers the cost any more.
Beyond a sensitivity of `STEEP` a dollar moves most of a group, and every step swings: the point found there is followed
as the sensitivity rises (`meanwatt.analysis.adoption.steep`).

Where a leader posts another tariff at all shares, bills are those of its tariff, and a point is one of tariff and
shares together. Its rates are known to its search's precision only, which is no derivative's: shares then answer
themselves to `LED_SHARES`, and neither are pushes told nor is a point followed to steeper logits.

References
----------
.. [1] B. M. Irons, R. C. Tuck, "A Version of the Aitken Accelerator for Computer Iteration", International Journal for
   Numerical Methods in Engineering 1(3), 275-277, 1969, doi 10.1002/nme.1620010306.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.adoption.market import AdoptionMarket, Constants, Standing, aimed_shares
from meanwatt.analysis.adoption.steep import LEAST_RISE, RISE, STEEP, NoAnswer, SteepPath
from meanwatt.model.mean_field.equilibrium import Outcome

STARTS: Final = ("none", "today", "all")
"""Nobody owns anything, today's shares, and everybody owns one of the technologies the group has."""
TOLERANCE_USD: Final = 0.01
"""Of a net present value that answers itself."""
LED_SHARES: Final = 1e-3
"""Of a share that answers itself where a leader posts the tariff."""
ROUNDS: Final = 60
BLOCKED: Final = 5
"""Points without an adequate tariff after which there is no way on: every one halves the longest step."""
SHORTEST_STEP: Final = 0.05
LONGEST_STEP: Final = 8.0
"""Steps, in answers: 1 goes all the way to the answer."""
PUSH: Final = 1e-3
"""Of the share that moves most, to see what becomes of it,"""
PUSHES: Final = 3
"""and how many times."""
PARTS_OF_THE_WAY: Final = (1.0, 0.75, 0.5, 0.25)
"""From today's shares to a start, tried until a tariff covers the cost."""
APART: Final = 1e-3
LED_APART: Final = 1e-2
"""Shares that differ by more are different; and where a leader posts the tariff, whose optimum is flat."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedPoint:
    """Where the search ended that began at one start.

    Attributes
    ----------
    start
        One of `STARTS`.
    way
        Part of the way from today's shares to the start at which it began: less than 1 where no tariff covers the cost
        further on.
    standing
        The market there; None unless its shares answer themselves.
    residual
        Smallest difference met between shares and the logit's answer to them, the largest of a group and technology.
    feedback
        Homes that the logit's answer adds per home that adopts from outside, where the answer is strongest: above 1 a
        push grows, below 1 it dies out, below 0 adopters deter others. None without a point, with a leader, or where a
        push leads where no tariff covers the cost.
    rounds
        Equilibria solved.
    outcome, message
        How it ended.
    """

    __repr__ = short_repr

    start: str
    way: float
    standing: Standing | None
    residual: float | None
    feedback: float | None
    rounds: int
    outcome: Outcome
    message: str


def fixed_point(market: AdoptionMarket, constants: Constants, start: str, cost_factor: float = 1.0) -> FixedPoint:
    """Search for shares that answer themselves from one of the `STARTS`.

    Raises
    ------
    Cancelled
        If the watch's owner asked to stop.
    """
    homes = market.homes
    ends = {"none": homes.none_own(), "today": homes.today, "all": homes.all_own(constants.share)}
    search = _Search(market, constants, cost_factor)
    way, first = 0.0, None
    for way in PARTS_OF_THE_WAY if start != "today" else (1.0,):
        first = search.at(homes.today + way * (ends[start] - homes.today))
        if first.outcome is not Outcome.NO_ADEQUATE_TARIFF:
            break
    assert first is not None
    if first.worth is None:
        return FixedPoint(
            start=start,
            way=way,
            standing=None,
            residual=None,
            feedback=None,
            rounds=search.rounds,
            outcome=first.outcome,
            message=search.told(first),
        )
    outcome, message = search.run(search.free(first.worth.npv_usd))
    led = market.leader is not None
    if outcome is Outcome.CONVERGED and search.sensitivity < search.asked:
        outcome, message = search.unfollowed() if led else search.follow()
    point = search.best if outcome is Outcome.CONVERGED else None
    return FixedPoint(
        start=start,
        way=way,
        standing=point,
        residual=None if search.best is None else search.best_residual,
        feedback=None if point is None or led else search.feedback(point.share),
        rounds=search.rounds,
        outcome=outcome,
        message=message,
    )


@dataclass(slots=True)
class _Search:
    """Net present values → shares → equilibrium → net present values, as a map of a vector."""

    market: AdoptionMarket
    constants: Constants
    cost_factor: float
    rounds: int = 0
    best: Standing | None = None
    best_residual: float = np.inf
    sensitivity: float = field(init=False)
    _free: Bools = field(init=False)

    def __post_init__(self) -> None:
        """Only technologies that somebody may adopt have a say; begin no steeper than `STEEP`."""
        self._free = (self.constants.share > 0) & ~np.isnan(self.constants.npv_usd)
        self.sensitivity = min(self.asked, STEEP)

    @property
    def asked(self) -> float:
        """The scenario's sensitivity. [per 1000 USD]"""
        return self.market.homes.economy.scenario.adoption.sensitivity_per_kusd

    def free(self, npv_usd: Floats) -> Floats:
        """The vector of the net present values (group, technology) that matter."""
        return np.asarray(npv_usd[self._free])

    def aim(self, npv: Floats) -> Floats:
        """Shares that a vector of net present values makes."""
        full = self.constants.npv_usd.copy()
        full[self._free] = npv
        return aimed_shares(self.market.homes, self.constants, full, self.sensitivity)

    def at(self, share: Floats) -> Standing:
        """Solve the market at shares."""
        self.rounds += 1
        return self.market.at(share, self.cost_factor)

    def run(self, npv: Floats) -> tuple[Outcome, str]:
        """Follow the answers from net present values on; say how it ended."""
        step, longest, blocked = 1.0, LONGEST_STEP, 0
        last, gap_before = npv, np.zeros_like(npv)
        for _ in range(ROUNDS):
            self.market.watch.report(f"equilibrium {self.rounds + 1}")
            found = self.at(self.aim(npv))
            if found.outcome is Outcome.NO_ADEQUATE_TARIFF:
                blocked += 1
                if blocked >= BLOCKED or not gap_before.any():
                    return found.outcome, f"Adoption leads where no tariff covers the cost. {self.told(found)}"
                longest = step = step / 2
                npv = last + step * gap_before
                continue
            if found.worth is None:
                return found.outcome, found.message
            answered = self.free(found.worth.npv_usd)
            self._keep(found, answered)
            gap = answered - npv
            if self._answered(gap):
                return Outcome.CONVERGED, f"Converged after {self.rounds} equilibria."
            step = next_step(step, gap_before, gap, longest)
            last, gap_before = npv, gap
            npv = npv + step * gap
        return Outcome.ROUND_LIMIT, f"Not converged: after {self.rounds} equilibria shares still answer with others."

    def _answered(self, gap: Floats) -> bool:
        """Whether the last answer is the point itself, as well as it can be told."""
        if self.market.leader is not None:
            return self.best_residual <= LED_SHARES
        return bool(np.abs(gap).max(initial=0.0) <= TOLERANCE_USD)

    def unfollowed(self) -> tuple[Outcome, str]:
        """Why a leader's point is not followed to the sensitivity asked for."""
        return Outcome.ROUND_LIMIT, (
            f"Not converged: a leader's rates are known to its search's precision, and beyond a sensitivity of"
            f" {STEEP:g} (adoption.sensitivity_per_kusd = {self.asked:g}) that moves a whole group; give a lower one."
        )

    def follow(self) -> tuple[Outcome, str]:
        """Follow the point found as the sensitivity rises to the one asked for; say how it ended."""
        assert self.best is not None
        steep = SteepPath(self.market.homes, self.constants, self._gain_usd, self.sensitivity, self.best.share)
        self.best, self.best_residual = None, np.inf
        factor = RISE
        while steep.sensitivity < self.asked and factor > LEAST_RISE:
            self.market.watch.report(f"equilibrium {self.rounds + 1}, sensitivity {steep.sensitivity:.3g}")
            try:
                risen = steep.rise(min(factor * steep.sensitivity, self.asked))
                factor = min(factor**1.5, RISE) if risen else factor**0.5
            except NoAnswer:
                return Outcome.NO_ADEQUATE_TARIFF, (
                    f"No tariff covers the cost on the way from a sensitivity of {STEEP:g} to {self.asked:g}."
                )
        self.sensitivity = steep.sensitivity
        found = self.at(steep.share)
        if found.worth is None:
            return found.outcome, found.message
        self._keep(found, self.free(found.worth.npv_usd))
        if steep.sensitivity == self.asked and steep.missed_usd(found.worth.npv_usd) <= TOLERANCE_USD:
            return Outcome.CONVERGED, f"Converged after {self.rounds} equilibria."
        return Outcome.ROUND_LIMIT, (
            f"Not converged after {self.rounds} equilibria: followed to a sensitivity of {steep.sensitivity:.3g} of"
            f" adoption.sensitivity_per_kusd = {self.asked:g}, where a dollar moves a whole group; give a lower one."
        )

    def _gain_usd(self, share: Floats) -> Floats:
        """What net present values gain since today at shares. (group, technology) [USD]"""
        found = self.at(share)
        if found.worth is None:
            raise NoAnswer
        return np.asarray(found.worth.npv_usd - self.constants.npv_usd)

    def feedback(self, share: Floats) -> float | None:
        """Largest growth of a small push by the answer to it, by power iteration from more of everything."""
        homes, growth = self.market.homes, 0.0
        push = homes.all_own(share) - share
        for _ in range(PUSHES):
            size = float(np.abs(push).max())
            if size <= 0:
                return 0.0
            found = self.at(share + PUSH * push / size)
            if found.worth is None:
                return None
            pushed, push = PUSH * push / size, self.aim(self.free(found.worth.npv_usd)) - share
            growth = float((push * pushed).sum() / (pushed**2).sum())
        return growth

    def told(self, found: Standing) -> str:
        """How the market stands where it has no equilibrium to go on from."""
        return f"With solar on {100 * self.market.homes.solar_share(found.share):.1f} % of homes: {found.message}"

    def _keep(self, found: Standing, answered: Floats) -> None:
        """Remember the point whose shares are nearest to the logit's answer."""
        residual = float(np.abs(self.aim(answered) - found.share).max())
        if residual < self.best_residual:
            self.best, self.best_residual = found, residual


def next_step(step: float, before: Floats, gap: Floats, longest: float) -> float:
    """Aitken's step −θ·g·(g' − g)/|g' − g|², within bounds; the longest where gaps grow, for there is no way back.

    Parameters
    ----------
    step
        The last one, θ.
    before, gap
        Answer less point before it, g, and after it, g'.
    """
    change = gap - before
    if not before.any() or not change.any():
        return min(1.0, longest)
    aitken = -step * float(before @ change) / float(change @ change)
    return longest if aitken <= 0 else float(np.clip(aitken, min(SHORTEST_STEP, longest), longest))


def largest_difference(points: list[FixedPoint]) -> float | None:
    """Largest difference between shares of the points that answer themselves; None where fewer than two do."""
    shares = [p.standing.share for p in points if p.outcome is Outcome.CONVERGED and p.standing is not None]
    if len(shares) < 2:
        return None
    return float((np.max(shares, axis=0) - np.min(shares, axis=0)).max())
