"""Where a leader posts tariffs and reads its meters: the continuum of households, or finite markets."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.meter import MeterReading, joined
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.metrics.stability import expected_imv
from meanwatt.model.market.metering import accounts_of, reading_of
from meanwatt.model.market.posted_terms import with_adder
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium

if TYPE_CHECKING:
    from meanwatt.model.market.market import ProsumerMarket

DAYS_IN_FORCE: Final = 365
"""Days for which the tariff in force was metered in a finite market before anything is tried."""
MEAN_FIELD_DAYS: Final = 30
"""Days that a trial in the mean field counts on the leader's books."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posted:
    """What comes of posting a tariff.

    Attributes
    ----------
    reading
        What the leader sees; None if households came to no equilibrium.
    truth
        The equilibrium behind it; None where nobody knows it. No learner is shown it: it serves to judge the learner.
    """

    reading: MeterReading | None
    truth: Equilibrium | None


class Environment(ABC):
    """Where tariffs are tried. What comes of a trial depends on the tariff and the trial's number alone.

    In a market that lives on from trial to trial it depends on the trials since `begin`, too. A tariff that is posted
    without a level of its own has the adder or the fixed charges of its equilibrium.
    """

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What fixes the results, by name."""

    @property
    @abstractmethod
    def trial_days(self) -> int:
        """Days of a trial on the leader's books."""

    @abstractmethod
    def in_force(self) -> MeterReading:
        """Reading of the tariff in force, before the first trial."""

    @abstractmethod
    def post(self, tariff: Tariff | Offer, trial: int) -> Posted:
        """Post a tariff as trial number 1, 2, …, and read the meters."""

    @property
    def market(self) -> "ProsumerMarket | None":
        """The market that lives on from trial to trial; None where there is none."""
        return None

    def begin(self, key: int) -> None:
        """Begin again, with draws of another key where anything is drawn that lives on."""
        return

    def close(self) -> None:
        """Let go of everything."""
        return


class MeanFieldEnvironment(Environment):
    """The continuum at the equilibrium of the posted tariff: meters without noise.

    Parameters
    ----------
    in_force
        Equilibrium at the tariff in force; solves start from it, so that a trial does not depend on earlier ones.
    """

    def __init__(self, in_force: Equilibrium) -> None:
        self._in_force = in_force

    @property
    def settings(self) -> dict[str, Any]:
        """The name alone."""
        return {"environment": "mean_field"}

    @property
    def trial_days(self) -> int:
        """A month."""
        return MEAN_FIELD_DAYS

    def in_force(self) -> MeterReading:
        """Reading of the tariff in force."""
        return expected_reading(self._in_force)

    def post(self, tariff: Tariff | Offer, trial: int) -> Posted:
        """Solve the equilibrium and read its expected meters."""
        truth, lived = _react(self._in_force, tariff)
        if lived.outcome is not Outcome.CONVERGED:
            return Posted(reading=None, truth=truth)
        reading = expected_reading(lived, by_type=bool(self._in_force.tariff.classes))
        return Posted(reading=_billed(reading, tariff), truth=truth)


class MarketEnvironment(Environment):
    """A finite market whose households play the equilibrium of the posted tariff: meters with its noise.

    Every trial is a new market of ``households`` households and ``days`` days with the key (seed, trial): weather and
    shocks differ from trial to trial. The tariff in force was metered for ``DAYS_IN_FORCE`` days.

    Parameters
    ----------
    in_force
        Equilibrium at the tariff in force.
    households, days, seed
        Size of a trial and key of all draws.
    """

    def __init__(self, in_force: Equilibrium, *, households: int, days: int, seed: int) -> None:
        self._in_force = in_force
        self.households, self.days, self.seed = households, days, seed

    @property
    def settings(self) -> dict[str, Any]:
        """Name, size and key."""
        return {"environment": "market", "households": self.households, "days": self.days, "seed": self.seed}

    @property
    def trial_days(self) -> int:
        """Those of a trial's market."""
        return self.days

    def in_force(self) -> MeterReading:
        """Reading of the tariff in force over its many days."""
        return metered_reading(self._in_force, households=self.households, days=DAYS_IN_FORCE, key=(self.seed, 0))

    def post(self, tariff: Tariff | Offer, trial: int) -> Posted:
        """Let households settle at the tariff's equilibrium, then simulate and meter the days."""
        truth, lived = _react(self._in_force, tariff)
        if lived.outcome is not Outcome.CONVERGED:
            return Posted(reading=None, truth=truth)
        reading = metered_reading(
            lived,
            households=self.households,
            days=self.days,
            key=(self.seed, trial),
            by_type=bool(self._in_force.tariff.classes),
        )
        return Posted(reading=_billed(reading, tariff), truth=truth)


def expected_reading(equilibrium: Equilibrium, *, by_type: bool = False) -> MeterReading:
    """What a utility would meter of a continuum at an equilibrium; rows are the common states.

    ``by_type`` reads every household type by itself, as is done anyway where the tariff has rate classes.
    """
    economy, answer = equilibrium.economy, equilibrium.answer
    by_type = by_type or bool(equilibrium.tariff.classes)
    account, accounts = accounts_of(economy, by_type=by_type)
    states, slots = equilibrium.net_load_kw.shape
    imported, exported = (np.zeros((states, accounts, slots)) for _ in range(2))
    for own, household, response, flow in zip(account, economy.types, answer.responses, answer.flows, strict=True):
        weight = household.share * flow.frequency
        imported[:, own] += (weight * response.outcome.imported_kw).sum(axis=(2, 3))
        exported[:, own] += (weight * response.outcome.exported_kw).sum(axis=(2, 3))
    return reading_of(
        economy,
        equilibrium.tariff,
        equilibrium.fixed_charge_usd_per_day,
        common_state=np.arange(states),
        weight=economy.common.probability,
        rates=equilibrium.rates,
        imported_kw=imported,
        exported_kw=exported,
        wholesale_usd_per_kwh=equilibrium.wholesale_usd_per_kwh,
        volatility_usd_per_kwh=np.array(
            [expected_imv(equilibrium.wholesale_usd_per_kwh, only, economy.common.kernel) for only in np.eye(states)]
        ),
        account_share=economy.type_share if by_type else economy.group_share,
        type_share=economy.type_share,
        by_type=by_type,
    )


def metered_reading(
    equilibrium: Equilibrium, *, households: int, days: int, key: tuple[int, int], by_type: bool = False
) -> MeterReading:
    """Simulate a market that plays an equilibrium and meter it; rows are days. ``by_type`` as `expected_reading`."""
    from meanwatt.model.market.market import ProsumerMarket  # loads Mesa, which the continuum does without

    market = ProsumerMarket(equilibrium.economy, households=households, policies=equilibrium, rng=key, power_flow=False)
    try:
        readings = []
        for _ in range(days):
            market.step()
            readings.append(market.meter(by_type=by_type))
        return joined(readings)
    finally:
        market.close()


def _react(in_force: Equilibrium, posted: Tariff | Offer) -> tuple[Equilibrium, Equilibrium]:
    """The equilibrium of a tariff at its balanced level, and the one that is lived at the level posted.

    Both are one, unless an adder was posted: it moves households.
    """
    tariff = posted.tariff if isinstance(posted, Offer) else posted
    truth = solve_equilibrium(in_force.economy, tariff, start=in_force, certify=False)
    if not isinstance(posted, Offer) or tariff.recovery is not Recovery.VOLUMETRIC:
        return truth, truth
    return truth, solve_equilibrium(in_force.economy, with_adder(posted), start=in_force, certify=False)


def _billed(reading: MeterReading, posted: Tariff | Offer) -> MeterReading:
    """A reading as it is billed: an offer has its own fixed charges, which move nobody."""
    if not isinstance(posted, Offer):
        return reading
    charges = reading.charges(posted.tariff, posted.fixed_charge_usd_per_day)
    return replace(reading, tariff=posted.tariff, fixed_charge_usd_per_day=charges)
