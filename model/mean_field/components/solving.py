"""The equilibrium under a tariff with components: what households see, and what they pay, answer one another.

Households decide by adders of their own (`perceived`); at the equilibrium of those adders their expected months, peaks
and payments say what the adders should be. The rounds end where they are.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.demand_charge import DemandCharge
from meanwatt.agents.tariff.components.discount_funding import DiscountFunding, FundedBy
from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.tiers import Tiers
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.components.amounts import Amounts, amounts_at, component_of
from meanwatt.model.mean_field.components.conditions import known_of_uniqueness, require_held
from meanwatt.model.mean_field.components.home_peak import expected_peak_kw
from meanwatt.model.mean_field.components.month_peak import mean_import_kw
from meanwatt.model.mean_field.components.months import Seasons, months_of, per_day, seasons_of
from meanwatt.model.mean_field.components.peak_search import TOLERANCE as PEAK_TOLERANCE
from meanwatt.model.mean_field.components.peak_search import PeakSearch
from meanwatt.model.mean_field.components.perceived import (
    Perceived,
    carries_peak,
    perceived_tariff,
    perceiving_economy,
    without_components,
)
from meanwatt.model.mean_field.components.tier_search import TierSearch
from meanwatt.model.mean_field.equilibrium import TOLERANCE_USD_PER_KWH, Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.mean_field.solvers.methods import WITHOUT_DERIVATIVES
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy

ADDER_TOLERANCE: Final = 1e-7
"""Largest distance of an adder to its answer that is accepted. [USD/kWh]"""
SUM_TOLERANCE: Final = 1e-7
"""The same of what bills exceed adders by. [USD/day]"""
ROUNDS: Final = 60
"""Equilibria solved before the search gives up,"""
PEAK_ROUNDS: Final = 200
"""and where households decide by a demand charge."""
CERTIFIED_ROUNDS: Final = 4
"""Equilibria certified before the search gives up, where what was at rest moves by the last digits of a law."""
SPREAD_TOLERANCE_KW: Final = 1e-3
SPREADS: Final = 3
"""Change of the largest imports that is worth another search, and how many there are at most. [kW]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Composed:
    """An equilibrium under a tariff with components.

    Attributes
    ----------
    economy
        The scenario as arrays.
    posted
        The tariff with its components.
    equilibrium
        That of the adders perceived; its bills are those of the expected month, its tariff has a rate class for each
        household type.
    seen, amounts
        What households perceive, and what the components come to.
    residual_usd_per_kwh, residual_usd_per_day
        By how much adders, and what bills exceed them by, miss their own answer.
    peak_missed : (θ,)
        Part of its demand charge that each type does not see in the adders it decides by.
    rounds
        Equilibria solved.
    """

    __repr__ = short_repr

    economy: Economy
    posted: Tariff
    equilibrium: Equilibrium
    seasons: Seasons
    seen: Perceived
    amounts: Amounts
    residual_usd_per_kwh: float
    residual_usd_per_day: float
    peak_missed: Floats
    rounds: int

    @property
    def base_tariff(self) -> Tariff:
        """The tariff's rates and standing charges alone."""
        return without_components(self.posted)


def solve_composed(
    economy: Economy,
    tariff: Tariff,
    *,
    certify: bool = True,
    starts: int = 0,
    solver: str = "auto",
    watch: Watch | None = None,
    tolerance_usd_per_kwh: float = TOLERANCE_USD_PER_KWH,
    first: Perceived | None = None,
) -> Composed:
    """Solve the equilibrium under a tariff with components.

    Parameters
    ----------
    certify, starts, solver, watch, tolerance_usd_per_kwh
        As for `solve_equilibrium`; the last round is certified.
    first
        What households see in the first round; by default what their reference load would ask for.

    Raises
    ------
    ValueError
        In one line, if components cannot be held together, or with the rest of the tariff.
    """
    require_held(economy, tariff)
    if carries_peak(tariff) and solver not in WITHOUT_DERIVATIVES:
        raise ValueError(
            f"solver is {solver!r}, which needs a derivative or plans that demand_charge.decision = state has not; give"
            f" {' or '.join(repr(name) for name in WITHOUT_DERIVATIVES)}"
        )
    search = _Rounds(economy, tariff, first)
    solve = partial(solve_equilibrium, solver=solver, watch=watch, tolerance_usd_per_kwh=tolerance_usd_per_kwh)
    found: Equilibrium | None = None
    iterations = 0
    while True:
        found = solve(search.economy, search.tariff, certify=False, start=found)
        iterations += found.iterations
        search.look(found)
        if search.rounds >= search.limit or not found.converged or (search.settled and not search.spread(found)):
            break
        search.step()
    at_rest = search.settled
    for again in range(CERTIFIED_ROUNDS if certify and found.converged else 0):
        if again:
            search.step()
        found = solve(search.economy, search.tariff, certify=True, starts=starts, start=found)
        iterations += found.iterations
        search.look(found)
        if search.settled or not (at_rest and found.converged):
            break
    found = replace(found, iterations=iterations, uniqueness=known_of_uniqueness(economy, tariff, found))
    if found.outcome is Outcome.CONVERGED and not search.settled:
        found = replace(found, outcome=Outcome.ROUND_LIMIT, message=search.unsettled())
    return Composed(
        economy=economy,
        posted=tariff,
        equilibrium=found,
        seasons=search.seasons,
        seen=search.seen,
        amounts=search.amounts,
        residual_usd_per_kwh=search.adder_residual,
        residual_usd_per_day=search.sum_residual,
        peak_missed=search.peak_missed,
        rounds=search.rounds,
    )


class _Rounds:
    """Where the search stands: what households see, and what that comes to."""

    def __init__(self, economy: Economy, posted: Tariff, first: Perceived | None) -> None:
        self._posted, self._plain = posted, economy
        self._base = without_components(posted)
        self.seasons = seasons_of(economy)
        tiers = [component_of(posted.of(household), Tiers) for household in economy.types]
        month = months_of(economy, self.seasons, _reference_kwh(economy))
        price = np.array([t.reference_price_usd_per_kwh for t in economy.types])[:, None]
        elasticity = np.array([t.elasticity for t in economy.types])[:, None]
        self._tiers = TierSearch(tiers, month, np.abs(month) * elasticity / price)
        self._peaks = PeakSearch(economy, [component_of(posted.of(one), DemandCharge) for one in economy.types])
        if first is None:
            first = Perceived(
                adder_usd_per_kwh=self._tiers.first, peak_adder_usd_per_kwh=self._peaks.adders_usd_per_kwh()
            )
        self.seen = first
        self.peak_missed = np.zeros(len(economy.types))
        self._held = False
        self._spread_kw, self._spreads = np.zeros(len(economy.types)), 0
        self.rounds = 0
        self.adder_residual = self.sum_residual = np.inf
        self._next = self.seen

    @property
    def economy(self) -> Economy:
        """Households as they see a demand charge."""
        return perceiving_economy(self._plain, self._posted, self.seen)

    @property
    def tariff(self) -> Tariff:
        """What they decide by."""
        return perceived_tariff(self._plain, self._posted, self.seasons, self.seen)

    @property
    def settled(self) -> bool:
        """Whether what households see answers itself."""
        at_rest = self.adder_residual <= ADDER_TOLERANCE and self.sum_residual <= SUM_TOLERANCE
        return at_rest and (self._held or not self._peaks.seen)

    @property
    def limit(self) -> int:
        """Rounds before the search gives up."""
        return PEAK_ROUNDS if self._peaks.seen else ROUNDS

    def look(self, found: Equilibrium) -> None:
        """Work out what the components come to at an equilibrium, and what should be seen next."""
        self.rounds += 1
        answer = found.answer
        self.amounts = amounts_at(
            self._plain,
            self._posted,
            self.seasons,
            answer,
            Game(self._plain, self._base).posted_rates(answer.wholesale_usd_per_kwh, answer.adder_usd_per_kwh),
            self.seen,
            self._fixed_usd_per_day(found),
            self._spread_kw,
        )
        adder, missed = self._tiers.step(self.amounts.month_kwh, self.seen.adder_usd_per_kwh)
        surcharge = self._surcharge()
        beyond = dict(self.amounts.beyond_usd_per_day)
        if "tiers" in beyond:  # what the next adders will bring
            beyond["tiers"] = self.amounts.usd_per_day["tiers"] - per_day(self.seasons, adder * self.amounts.month_kwh)
        self._weigh_peaks(answer)
        self._next = replace(
            self.seen,
            adder_usd_per_kwh=adder,
            surcharge_usd_per_kwh=surcharge,
            peak_adder_usd_per_kwh=self._peaks.adders_usd_per_kwh(),
            beyond_usd_per_day=beyond,
        )
        self.adder_residual = max(missed, abs(surcharge - self.seen.surcharge_usd_per_kwh))
        self.sum_residual = float(np.abs(self._next.lump_usd_per_day - self.seen.lump_usd_per_day).max())

    def _weigh_peaks(self, answer: PopulationResponse) -> None:
        """Move the weights of demand charges; those that miss little are held while the rest comes to rest."""
        if not self._peaks.seen:
            return
        imports = [mean_import_kw(answer, k) for k in range(len(self._plain.types))]
        self.peak_missed = self._peaks.missed(self.amounts.peaks, imports)
        self._held = bool(self.peak_missed.max() <= (2.0 if self._held else 1.0) * PEAK_TOLERANCE)
        if not self._held:
            self._peaks.step(self.amounts.peaks, imports)

    def spread(self, found: Equilibrium) -> bool:
        """Work out what the stored energy adds to largest imports; tell whether that changes sums that act."""
        before = self._spread_kw
        added = []
        for k, household in enumerate(self._plain.types):
            demand, peak = component_of(self._posted.of(household), DemandCharge), self.amounts.peaks[k]
            if demand is None or peak is None or household.battery is None or found.policies[k].peak is not None:
                added.append(0.0)
                continue
            exact = expected_peak_kw(self._plain, found.policies[k], found.laws[k], demand.counted, demand.period_days)
            added.append(exact - peak.expected_kw)
        self._spread_kw = np.array(added)
        moved = float(np.abs(self._spread_kw - before).max())
        self._spreads += 1
        if moved <= SPREAD_TOLERANCE_KW or self._spreads > SPREADS:
            self._spread_kw = before
            return False
        self.look(found)
        return True

    def step(self) -> None:
        """Let households see what answers them."""
        self.seen = self._next

    def unsettled(self) -> str:
        """The sentence where rounds did not settle."""
        remedy = "raise temperature_usd"
        if any(component_of(one, MinimumBill) for one in self._posted.class_tariffs):
            remedy += "; a minimum bill above what the mean household must pay leaves no balance"
        return (
            f"Not converged: after {counted(self.rounds, 'round')} what households see of the tariff's components still"
            f" moves by {self.adder_residual:.1e} USD/kWh and {self.sum_residual:.1e} USD/day; {remedy}."
        )

    def _surcharge(self) -> float:
        """What funds discounts by the kWh. [USD/kWh]"""
        funding = component_of(self._posted.class_tariffs[0], DiscountFunding)
        if funding is None or funding.by is not FundedBy.PER_KWH or not self.amounts.funded_kwh_per_household_day > 0:
            return 0.0
        return self.amounts.discounts_usd_per_household_day / self.amounts.funded_kwh_per_household_day

    def _fixed_usd_per_day(self, found: Equilibrium) -> Floats:
        """Standing charges of each type, those of components left out. (θ,) [USD/day]"""
        charge = found.tariff.standing_usd_per_day(found.fixed_charge_usd_per_day, self._plain.types)
        return np.asarray(charge - self.seen.lump_usd_per_day)


def _reference_kwh(economy: Economy) -> Floats:
    """Reference load less solar, imports alone. (θ, c) [kWh/day]"""
    return np.array([np.maximum(t.reference_kw - t.pv_kw, 0.0).sum(axis=1) * economy.slot_hours for t in economy.types])
