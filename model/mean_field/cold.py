"""Cold households: the equilibrium that softmax households approach as their temperature falls to 0.

What a leader's objective owes to sloppiness is its difference to that of cold households. Which equilibrium that is
depends on the game:

* ``exact``: Theorem U holds and a rate follows the wholesale price. At temperature 0 the price is unique and the exact
  solver splits ties as the market needs it.
* ``limit``: no rate follows the wholesale price, so nothing splits ties. Softmax households of rule ``entropy``
  approach the best policy of largest entropy; the temperature is lowered until their loads rest.
* ``coldest``: elsewhere, the coldest equilibrium that is found, at temperature 0 if one is.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.game import couples, potential_failures
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy

FIRST_LIMIT_USD = 1e-3
"""Warmest temperature from which a limit is approached, by steps of a tenth,"""
LAST_LIMIT_USD = 1e-9
"""and the coldest."""
AT_REST_KW = 1e-6
"""Change of the mean net load over such a step that counts as none. [kW]"""
HALVINGS = 8
"""Times the temperature is halved at most where temperature 0 does not converge."""


class ColdMethod(StrEnum):
    """How the cold equilibrium was found."""

    EXACT = "exact"
    LIMIT = "limit"
    COLDEST = "coldest"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColdEquilibrium:
    """The equilibrium of cold households.

    Attributes
    ----------
    way
        How it was found.
    equilibrium
        At the coldest temperature that converged, which its economy's scenario carries; None if none did.
    moved_kw
        Largest change of the mean net load over the last tenth of temperature, for a limit; else None. [kW]
    """

    __repr__ = short_repr

    way: ColdMethod
    equilibrium: Equilibrium | None
    moved_kw: float | None = None

    @property
    def temperature_usd(self) -> float | None:
        """The temperature the equilibrium stands for: 0 for a limit that came to rest; None without one."""
        if self.equilibrium is None:
            return None
        rests = self.moved_kw is not None and self.moved_kw <= AT_REST_KW
        return 0.0 if rests else self.equilibrium.economy.scenario.temperature_usd


def at_temperature(economy: Economy, temperature_usd: float) -> Economy:
    """The economy with households of another temperature. [USD]"""
    return replace(economy, scenario=economy.scenario.model_copy(update={"temperature_usd": temperature_usd}))


def cold_way(economy: Economy, tariff: Tariff) -> ColdMethod:
    """How the cold equilibrium of a tariff is to be found."""
    if not couples(economy, tariff):
        return ColdMethod.LIMIT
    given = tariff.recovery is not Recovery.VOLUMETRIC
    return (
        ColdMethod.EXACT
        if given and not potential_failures(at_temperature(economy, 0.0), tariff)
        else ColdMethod.COLDEST
    )


def solve_cold(
    economy: Economy, tariff: Tariff, *, start: Equilibrium | None = None, watch: Watch | None = None
) -> ColdEquilibrium:
    """Find the equilibrium of cold households under a tariff.

    Parameters
    ----------
    start
        The equilibrium at the economy's own temperature, from which a limit or a halving begins; at 0 it is the answer
        but for a limit.
    watch
        As for `meanwatt.model.mean_field.equilibrium.solve_equilibrium`.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    way = cold_way(economy, tariff)
    if way is ColdMethod.LIMIT:
        return _limit(economy, tariff, start, watch)
    known = start is not None and start.converged and start.economy.scenario.temperature_usd == 0
    found = start if start is not None and known else _solve(economy, tariff, 0.0, None, watch)
    if found.converged:
        return ColdEquilibrium(way=way, equilibrium=found)
    return ColdEquilibrium(way=ColdMethod.COLDEST, equilibrium=_halved(economy, tariff, start, watch))


def _solve(
    economy: Economy, tariff: Tariff, temperature_usd: float, start: Equilibrium | None, watch: Watch | None
) -> Equilibrium:
    found = solve_equilibrium(at_temperature(economy, temperature_usd), tariff, start=start, certify=False, watch=watch)
    if found.outcome is Outcome.CANCELLED:
        raise Cancelled
    return found


def _limit(economy: Economy, tariff: Tariff, start: Equilibrium | None, watch: Watch | None) -> ColdEquilibrium:
    """Cool by tenths until loads rest."""
    warmest = economy.scenario.temperature_usd or FIRST_LIMIT_USD
    temperature = min(warmest, FIRST_LIMIT_USD)
    last, moved = None, np.inf
    while temperature >= 0.99 * LAST_LIMIT_USD:
        found = _solve(economy, tariff, temperature, last or start, watch)
        if not found.converged:
            break
        if last is not None:
            before, moved = moved, float(np.abs(found.net_load_kw - last.net_load_kw).max())
            last = found
            if max(before, moved) <= AT_REST_KW:
                break
        last = found
        temperature /= 10
    return ColdEquilibrium(way=ColdMethod.LIMIT, equilibrium=last, moved_kw=moved if np.isfinite(moved) else None)


def _halved(economy: Economy, tariff: Tariff, start: Equilibrium | None, watch: Watch | None) -> Equilibrium | None:
    """Halve the temperature as long as the equilibrium is found."""
    temperature = economy.scenario.temperature_usd
    last = start if start is not None and start.converged else None
    if last is None and temperature > 0:
        found = _solve(economy, tariff, temperature, None, watch)
        last = found if found.converged else None
    for _ in range(HALVINGS if last is not None else 0):
        temperature /= 2
        found = _solve(economy, tariff, temperature, last, watch)
        if not found.converged:
            break
        last = found
    return last
