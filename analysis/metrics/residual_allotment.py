"""Who is allotted the residual cost, which nobody's load causes, and who then pays for a shift of load.

The cost of a household is its own marginal cost and its allotted part of the residual. When load shifts, marginal costs
change by what is saved or spent. Allotments are either **frozen**, as they were before the shift, or they **adjust** to
the loads after it; then whoever moves away from the residual leaves it to the others. Which of the two is meant decides
the sign of who pays for a shift, so both are given (on allotters: S. Borenstein, *The economics of fixed cost recovery
by utilities*, Electricity Journal 29, 2016).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, require_finite, require_shape
from meanwatt.analysis.metrics.averages import numbers, positive_mean, shares


class Allotter(StrEnum):
    """How the residual cost, which nobody's load causes, is allotted to the households: a choice, not a fact."""

    PER_CUSTOMER = "per_customer"
    """The same for every household."""
    PER_KWH = "per_kwh"
    """In proportion to a stated energy of each household."""
    EQUI_PROPORTIONAL = "equi_proportional"
    """In proportion to each household's own marginal cost: all marginal costs are marked up by one percentage."""


def allotted_residual_usd_per_day(
    residual_usd_per_household_day: float,
    *,
    allotter: Allotter | str,
    own_marginal_cost_usd_per_day: npt.ArrayLike,
    allotment_kwh_per_day: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> Floats | None:
    """Allot a residual cost to entries. Shape (entry,), its weighted mean the residual. [USD/day]

    Parameters
    ----------
    residual_usd_per_household_day
        Residual cost, on average. [USD per household-day]
    allotter
        One of `Allotter`.
    own_marginal_cost_usd_per_day : (entry,) float
        What each entry's net load costs at the wholesale price; an entry that sells more than it buys, in money, has
        a negative one, and a negative allotment with ``equi_proportional``. [USD/day]
    allotment_kwh_per_day : (entry,) float, optional
        With ``per_kwh`` only: the energy that the residual follows, ≥ 0. [kWh/day]
    weights : (entry,) float, optional
        Population shares; None weighs all alike.

    Returns
    -------
    (entry,) float or None
        None if what the residual follows is, on average, not above zero.

    Raises
    ------
    ValueError
        If the allotter is unknown, if ``per_kwh`` comes without energies or with negative ones, or another with some,
        or a number is not finite.
    """
    require_finite("residual_usd_per_household_day", np.asarray(residual_usd_per_household_day, dtype=np.float64))
    cost = numbers("own_marginal_cost_usd_per_day", own_marginal_cost_usd_per_day, "(entry,)")
    if allotter not in tuple(Allotter):
        raise ValueError(f"allotter is {allotter!r}; allowed are {', '.join(Allotter)}")
    if allotter != Allotter.PER_KWH:
        if allotment_kwh_per_day is not None:
            raise ValueError(
                f"allotment_kwh_per_day is given with allotter '{allotter}'; leave it out or use 'per_kwh'"
            )
        followed = np.ones_like(cost) if allotter == Allotter.PER_CUSTOMER else cost
    else:
        if allotment_kwh_per_day is None:
            raise ValueError("allotment_kwh_per_day is missing; allotter 'per_kwh' needs an energy of each entry")
        followed = numbers("allotment_kwh_per_day", allotment_kwh_per_day, "(entry,)")
        require_shape("allotment_kwh_per_day", followed, cost.shape, "(entry,)")
        if (followed < 0).any():
            place = int(np.argmax(followed < 0))
            raise ValueError(f"allotment_kwh_per_day is {followed[place]} at index {place}; give energies of 0 or more")
    mean = positive_mean(followed, shares(weights, len(cost)))
    return None if mean is None else np.asarray(residual_usd_per_household_day * followed / mean)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loads:
    """What an allotter sees of entries. (entry,) each.

    Attributes
    ----------
    own_marginal_cost_usd_per_day
        Net load at the wholesale price. [USD/day]
    imported_kwh_per_day
        Energy that a residual per kWh follows. [kWh/day]
    """

    own_marginal_cost_usd_per_day: Floats
    imported_kwh_per_day: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShiftIncidence:
    """What a shift of load does to the cost of each entry, (entry,). [USD/day]; positive pays more.

    Attributes
    ----------
    frozen
        With allotments as they were: the change of the own marginal cost.
    adjusting
        With allotments that follow the new loads.
    """

    frozen: Floats
    adjusting: Floats

    @property
    def sign_differs(self) -> Floats:
        """1 where frozen and adjusting allotments disagree on who gains, else 0. (entry,)"""
        return np.where(np.sign(self.frozen) * np.sign(self.adjusting) < 0, 1.0, 0.0)


def shift_incidence(
    before: Loads,
    after: Loads,
    residual_usd_per_household_day: float,
    *,
    allotter: Allotter | str,
    weights: npt.ArrayLike | None = None,
) -> ShiftIncidence | None:
    """Who pays for a shift of load, with frozen and with adjusting allotments.

    Parameters
    ----------
    before, after
        The same entries' loads.
    residual_usd_per_household_day
        The residual, which the shift does not change. [USD per household-day]
    allotter, weights
        As for `allotted_residual_usd_per_day`.

    Returns
    -------
    ShiftIncidence or None
        None where the residual cannot be allotted.

    Raises
    ------
    ValueError
        As for `allotted_residual_usd_per_day`, or if the loads before and after are not of as many entries.
    """
    costs = [
        numbers("own_marginal_cost_usd_per_day", one.own_marginal_cost_usd_per_day, "(entry,)")
        for one in (before, after)
    ]
    require_shape("after.own_marginal_cost_usd_per_day", costs[1], costs[0].shape, "(entry,)")

    def allotted(loads: Loads) -> Floats | None:
        return allotted_residual_usd_per_day(
            residual_usd_per_household_day,
            allotter=allotter,
            own_marginal_cost_usd_per_day=loads.own_marginal_cost_usd_per_day,
            allotment_kwh_per_day=loads.imported_kwh_per_day if allotter == Allotter.PER_KWH else None,
            weights=weights,
        )

    old, new = allotted(before), allotted(after)
    if old is None or new is None:
        return None
    frozen = costs[1] - costs[0]
    return ShiftIncidence(frozen=frozen, adjusting=frozen + new - old)
