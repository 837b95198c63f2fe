"""Days of homes that plan each morning for the prices of the day before: the cobweb, before anybody learns."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.population_response import induced_wholesale, population_response
from meanwatt.model.mean_field.solvers.price_fixed_point import reference_net_load_kw
from meanwatt.model.progress.watch import Watch


def naive_days(found: Equilibrium, part: float, days: int, watch: Watch) -> tuple[Floats, Floats]:
    """Simulate days on each of which a part of the homes plans anew.

    Who plans expects the prices of the day before, for ever; the others keep to their plan. On the first day nobody has
    answered a price yet.

    Parameters
    ----------
    found
        The economy, its tariff and the adder in force.
    part
        Of the homes, in [0, 1].
    days
        How many.

    Returns
    -------
    (day, c, h) float, (day, c, h) float
        Wholesale price and mean net load. [USD/kWh, kW]

    Raises
    ------
    Cancelled
        If the watch's owner asks to stop.
    """
    economy = found.economy
    load = reference_net_load_kw(economy)
    prices, loads, latest = [], [], None
    for _ in range(days):
        watch.check()
        price = induced_wholesale(economy, load)
        prices.append(price)
        loads.append(load)
        latest = population_response(economy, found.tariff, price, found.adder_usd_per_kwh, start=latest)
        load = (1 - part) * load + part * latest.net_load_kw
    return np.array(prices), np.array(loads)
