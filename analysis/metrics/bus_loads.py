"""What the customers of each bus are expected to draw under an equilibrium."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.residents import place_residents


def type_use_kw(equilibrium: Equilibrium) -> Floats:
    """Mean use of each household type, (type, c, h). [kW]"""
    found = equilibrium.answer
    return np.stack(
        [
            (flow.frequency * response.outcome.use_kw).sum(axis=(2, 3))
            for flow, response in zip(found.flows, found.responses, strict=True)
        ]
    )


def mean_use_kw(equilibrium: Equilibrium) -> Floats:
    """Mean use of the population, (c, h). [kW]"""
    rows = zip(equilibrium.economy.types, type_use_kw(equilibrium), strict=True)
    return np.asarray(sum(household.share * own for household, own in rows))


def bus_loads(equilibrium: Equilibrium, feeder: Feeder) -> tuple[Floats, Floats]:
    """Expected use and net load of all customers of each bus, (c, h, bus) both. [kW]

    Where everybody lives anywhere alike every customer draws the mean of the population, else that of its type.
    """
    economy = equilibrium.economy
    residents = place_residents(economy.scenario, economy.types, feeder)
    if residents.mixed:
        use_kw, net_load_kw = mean_use_kw(equilibrium), equilibrium.net_load_kw
        return use_kw[..., None] * feeder.customers, net_load_kw[..., None] * feeder.customers
    own_use_kw = type_use_kw(equilibrium)
    return (
        residents.loads(feeder, economy.type_share, own_use_kw),
        residents.loads(feeder, economy.type_share, equilibrium.type_net_load_kw),
    )
