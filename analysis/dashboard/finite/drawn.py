"""What a study of finite markets has found so far, as plain numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.model.mean_field.equilibrium import Equilibrium

if TYPE_CHECKING:
    from meanwatt.analysis.validation.result import Validation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Markets of several sizes; every tuple is by size.

    Attributes
    ----------
    solution
        The mean field that they are compared with.
    households
        Numbers N, ascending.
    law_kw
        RMS difference of the mean net load from the mean field's, were the households independent.
    errors_kw
        The same measured in each market drawn so far: an empty tuple for a size of which there is none yet.
    study
        What was found; None while markets are still drawn, and without ``exploit`` while that is still computed.
    exact
        The mean field that the markets are drawn from: that of ``meanwatt validate``, to its last digit. None before
        it is solved.
    """

    solution: Solution
    households: tuple[int, ...]
    law_kw: tuple[float, ...]
    errors_kw: tuple[tuple[float, ...], ...]
    study: "Validation | None" = None
    exact: Equilibrium | None = None

    @property
    def mean_load_kw(self) -> float:
        """Mean of |L| of a home in the mean field, over common states and slots. [kW]"""
        found = self.exact or self.solution.equilibrium
        return float(found.economy.common.probability @ abs(found.net_load_kw).mean(axis=1))
