"""The equilibrium under a posted tariff, whether or not it has components."""

from typing import Any

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.components.perceived import Perceived
from meanwatt.model.mean_field.components.settled import billed_equilibrium
from meanwatt.model.mean_field.components.solving import solve_composed
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import Economy


class PostedSolver:
    """Solves equilibria under posted tariffs; one with components begins with what households saw in the last."""

    def __init__(self) -> None:
        self._seen: Perceived | None = None

    def __call__(
        self, economy: Economy, tariff: Tariff, *, start: Equilibrium | None = None, **how: Any
    ) -> Equilibrium:
        """Solve the equilibrium; under components `billed_equilibrium`.

        Parameters
        ----------
        start
            As for `solve_equilibrium`; of no use where there are components.
        how
            ``certify`` and ``watch``, as there.
        """
        if not tariff.has_components:
            return solve_equilibrium(economy, tariff, start=start, **how)
        composed = solve_composed(economy, tariff, first=self._seen, **how)
        if composed.equilibrium.converged:
            self._seen = composed.seen
        return billed_equilibrium(composed)
