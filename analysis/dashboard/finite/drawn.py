"""What a study of finite markets has found so far, as plain numbers."""

from dataclasses import dataclass

from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.validation.expected import expected_scatter_kw2
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
    """

    solution: Solution
    households: tuple[int, ...]
    law_kw: tuple[float, ...]
    errors_kw: tuple[tuple[float, ...], ...]
    study: Validation | None = None

    @property
    def mean_load_kw(self) -> float:
        """Mean of the absolute net load of a home in the mean field. [kW]"""
        return mean_load_kw(self.solution)


def mean_load_kw(solution: Solution) -> float:
    """Mean of |L| over common states and slots. [kW]"""
    found = solution.equilibrium
    return float(found.economy.common.probability @ abs(found.net_load_kw).mean(axis=1))


def nothing_drawn(solution: Solution, households: tuple[int, ...]) -> Drawn:
    """The law alone, before any market."""
    law = tuple(expected_scatter_kw2(solution.equilibrium, count) ** 0.5 for count in households)
    return Drawn(solution=solution, households=households, law_kw=law, errors_kw=((),) * len(households))
