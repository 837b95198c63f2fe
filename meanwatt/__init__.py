"""Meanwatt: design electricity tariffs, in the mean-field equilibrium and in the finite market beside it.

>>> import meanwatt
>>> equilibrium = meanwatt.solve("oahu", tariff="tou")
>>> market = meanwatt.simulate(equilibrium, households=1000, days=30)
>>> market.compare(equilibrium).plot()

Everything else lies in ``meanwatt.agents`` (who acts), ``meanwatt.model`` (where) and ``meanwatt.analysis`` (what we
learn). In an installation these rooms are in this folder, in a clone beside it.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanwatt.agents.tariff.tariff import Tariff
    from meanwatt.analysis.emergence.emergence import emergence
    from meanwatt.analysis.notebook.designed import design
    from meanwatt.analysis.notebook.simulated import SimulatedMarket, simulate
    from meanwatt.analysis.notebook.solution import Solution, solve
    from meanwatt.analysis.notebook.validated import validate
    from meanwatt.model.market.market import ProsumerMarket
    from meanwatt.model.mean_field.equilibrium import Equilibrium
    from meanwatt.model.mean_field.first_best import solve_first_best
    from meanwatt.model.scenario.economy import build_economy, build_tariff
    from meanwatt.model.scenario.loading import Scenario, load_scenario

__all__ = [
    "Equilibrium",
    "ProsumerMarket",
    "Scenario",
    "SimulatedMarket",
    "Solution",
    "Tariff",
    "build_economy",
    "build_tariff",
    "design",
    "emergence",
    "load_scenario",
    "simulate",
    "solve",
    "solve_first_best",
    "validate",
]

_MODULES = {
    "Equilibrium": "model.mean_field.equilibrium",
    "ProsumerMarket": "model.market.market",
    "Scenario": "model.scenario.loading",
    "SimulatedMarket": "analysis.notebook.simulated",
    "Solution": "analysis.notebook.solution",
    "Tariff": "agents.tariff.tariff",
    "build_economy": "model.scenario.economy",
    "build_tariff": "model.scenario.economy",
    "design": "analysis.notebook.designed",
    "emergence": "analysis.emergence.emergence",
    "load_scenario": "model.scenario.loading",
    "simulate": "analysis.notebook.simulated",
    "solve": "analysis.notebook.solution",
    "solve_first_best": "model.mean_field.first_best",
    "validate": "analysis.notebook.validated",
}

_here = Path(__file__).parent
if not (_here / "agents").is_dir():
    __path__.append(str(_here.parent))


def __getattr__(name: str) -> Any:
    """Load a name of the face when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("meanwatt")
    if name not in _MODULES:
        raise AttributeError(f"module 'meanwatt' has no attribute {name!r}")
    found = getattr(import_module(f"meanwatt.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, "agents", "analysis", "model", "__doc__", "__file__", "__version__"})
