"""The finite market as one would write it in plain Mesa: an object per household, its day in Python.

It has the same types, policy tables, price, rates and bills as ``model.market``, without the feeder, and is written for
speed within that style: a whole day per call, cumulated rows as lists, one call of the generator per household-day.
"""

from bisect import bisect_right
from itertools import accumulate

import mesa
import numpy as np

from agents.tariff import rates
from model.market.population import largest_remainder
from model.mean_field.equilibrium import Equilibrium

Rows = list[list[list[list[float]]]]


class PlainHousehold(mesa.Agent):
    """A household with its own state."""

    def __init__(self, model: "PlainMarket", kind: int, level: int, shock: int) -> None:
        super().__init__(model)
        self.kind = kind
        self.level = level
        self.shock = shock
        self.meter_kwh: list[float] = []
        self.bill_usd = 0.0

    def live(self) -> None:
        """Go through the slots of a day."""
        model = self.model
        chances, energy, lowest = model.chances[self.kind], model.energy[self.kind], model.lowest[self.kind]
        shocks, total = model.shock_rows, model.energy_kwh
        level, shock = self.level, self.shock
        meter = []
        draws = self.rng.random(2 * model.slots).tolist()
        for slot in range(model.slots):
            j = bisect_right(chances[slot][level][shock], draws[2 * slot])
            reading = energy[slot][shock][j]
            meter.append(reading)
            total[slot] += reading
            level += j + lowest
            shock = bisect_right(shocks[shock], draws[2 * slot + 1])
        self.level, self.shock, self.meter_kwh = level, shock, meter

    def pay(self) -> None:
        """Settle the day at the realised rates."""
        bought, sold, fixed = self.model.posted[self.kind]
        bill = fixed
        for reading, up, down in zip(self.meter_kwh, bought, sold, strict=True):
            bill += reading * (up if reading > 0 else down)
        self.bill_usd += bill


class PlainMarket(mesa.Model):
    """The market of one common state, day by day."""

    def __init__(self, equilibrium: Equilibrium, households: int, rng: int = 0) -> None:
        super().__init__(rng=rng)
        economy = equilibrium.economy
        self.equilibrium = equilibrium
        self.slots = economy.slots
        self.chances: list[Rows] = [_cumulated(policy.probability[0].tolist()) for policy in equilibrium.policies]
        self.energy = [(policy.net_load_kw[0] * economy.slot_hours).tolist() for policy in equilibrium.policies]
        self.lowest = [int(policy.moves[0]) for policy in equilibrium.policies]
        self.shock_rows = [_line(row) for row in economy.shock_kernel.tolist()]
        self.energy_kwh = [0.0] * economy.slots
        self.posted: list[tuple[list[float], list[float], float]] = []
        self.net_load_kw: list[np.ndarray] = []
        for kind, count in enumerate(largest_remainder(economy.type_share, households)):
            law = equilibrium.laws[kind][0, 0]
            cells = self.rng.choice(law.size, size=count, p=law.ravel() / law.sum())
            for cell in cells.tolist():
                PlainHousehold(self, kind, *divmod(cell, law.shape[1]))
        self.households = households

    def step(self) -> None:
        """Simulate one day."""
        found, economy = self.equilibrium, self.equilibrium.economy
        self.energy_kwh = [0.0] * self.slots
        self.agents.do("live")
        load_kw = np.array(self.energy_kwh) / (self.households * economy.slot_hours)
        self.net_load_kw.append(load_kw)
        wholesale = economy.supply.price(load_kw + economy.rest_load_kw[0])
        posted = rates(found.tariff, economy.common.today[:1], wholesale[None], found.adder_usd_per_kwh)
        self.posted = []
        for household in economy.types:
            own = posted.for_discount(float(found.tariff.discount[household.group]))
            bought, sold = own.import_usd_per_kwh[0].tolist(), own.export_usd_per_kwh[0].tolist()
            self.posted.append((bought, sold, float(found.fixed_charge_usd_per_day[household.group])))
        self.agents.do("pay")


def _line(row: list[float]) -> list[float]:
    """Cumulated chances without the last, so that a draw below one never falls off the end."""
    return list(accumulate(row))[:-1]


def _cumulated(table: Rows) -> Rows:
    """Cumulate the rows (slot, level, shock, move) of a policy."""
    return [[[_line(row) for row in level] for level in slot] for slot in table]
