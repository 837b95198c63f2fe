"""One setting of a lesson: a scenario with a tariff and changes, and what no scenario file says."""

from dataclasses import dataclass, replace

from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import Scenario, load_scenario

Value = int | float | str | tuple[float, ...]

TOLERANCE_USD_PER_KWH = 1e-6
"""Prices are shown to a tenth of a cent; a thousandth of that is solved. [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A town and its tariff.

    Attributes
    ----------
    scenario, tariff
        Name of a preset, and of one of its tariffs.
    changes
        Dotted key and value of everything changed from the preset, as in ``--set``.
    beside
        Name and value of what no scenario file says: how many homes are simulated, how cars are charged.
    """

    scenario: str = "textbook"
    tariff: str
    changes: tuple[tuple[str, Value], ...] = ()
    beside: tuple[tuple[str, Value], ...] = ()

    def with_change(self, key: str, value: Value) -> "Case":
        """The same with one key of the scenario set."""
        return replace(self, changes=tuple({**dict(self.changes), key: value}.items()))

    def with_beside(self, name: str, value: Value) -> "Case":
        """The same with one thing set that no scenario file says."""
        return replace(self, beside=tuple({**dict(self.beside), name: value}.items()))

    def load(self) -> Scenario:
        """The scenario with the tariff selected and every change made."""
        return load_scenario(load_scenario(self.scenario, tariff=self.tariff), overrides=dict(self.changes))

    def solve(self, watch: Watch, start: Equilibrium | None = None) -> Equilibrium:
        """Solve the followers' equilibrium, perhaps from one nearby.

        Raises
        ------
        Cancelled
            If the watch's owner asks to stop.
        ValueError
            In one line, if it does not converge.
        """
        scenario = self.load()
        found = solve_equilibrium(
            build_economy(scenario),
            build_tariff(scenario),
            tolerance_usd_per_kwh=TOLERANCE_USD_PER_KWH,
            start=start,
            certify=False,
            watch=watch.silent(),
        )
        if found.outcome is Outcome.CANCELLED:
            raise Cancelled
        if not found.converged:
            raise ValueError(found.message)
        return found
