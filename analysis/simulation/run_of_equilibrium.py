"""The metrics of a market whose households follow an equilibrium, and nothing else of it."""

from contextlib import closing

from meanwatt.agents.numerics.randomness import Key
from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.analysis.simulation.measured_market import WholeMarket
from meanwatt.analysis.simulation.run_summary import run_metrics
from meanwatt.model.market.market import UnregisteredMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium


def equilibrium_run_metrics(equilibrium: Equilibrium, *, households: int, days: int, seed: Key) -> Metrics:
    """Simulate a market without its feeder; return metrics over all its days.

    They are those of `meanwatt.analysis.simulation.simulation.simulate`, to the last digit, without tables and messages
    that a search over tariffs reads nothing of.

    Parameters
    ----------
    households, days, seed
        Size and key of the run; at least one day.
    """
    market = UnregisteredMarket(
        equilibrium.economy, households=households, policies=equilibrium, rng=seed, power_flow=False
    )
    with closing(WholeMarket(market)) as run:
        enjoyed = []
        for _ in range(days):
            run.before()
            market.step()
            enjoyed.append(run.after())
    return run_metrics(market, enjoyed, run.bill_usd())
