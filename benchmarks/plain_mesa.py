"""The finite market as one would write it in plain Mesa: an object per household, its day in Python.

It has the same types, policy tables, price, rates and bills as ``meanwatt.model.market``, without the feeder, and is
written for speed within that style: a whole day per call, cumulated rows as lists, one call of the generator per
household-day.
"""

from bisect import bisect_right
from itertools import accumulate

import mesa
import numpy as np
from peer_game import Game, clock

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
        bought, sold, bill = self.model.posted[self.kind]
        for reading, up, down in zip(self.meter_kwh, bought, sold, strict=True):
            bill += reading * (up if reading > 0 else down)
        self.bill_usd += bill


class PlainMarket(mesa.Model):
    """The market of one common state, day by day."""

    def __init__(self, game: Game, rng: int = 0) -> None:
        super().__init__(rng=rng)
        self.game = game
        self.slots = game.slots
        self.chances: list[Rows] = [cumulated(kind.chance.tolist()) for kind in game.kinds]
        self.energy = [kind.energy_kwh.tolist() for kind in game.kinds]
        self.lowest = [kind.lowest_move for kind in game.kinds]
        self.shock_rows = [line(row) for row in game.shock_kernel.tolist()]
        self.energy_kwh = [0.0] * game.slots
        self.posted: list[tuple[list[float], list[float], float]] = []
        for place, kind in enumerate(game.kinds):
            for level, shock in np.transpose(kind.start(self.rng)).tolist():
                PlainHousehold(self, place, level, shock)

    def step(self) -> None:
        """Simulate one day."""
        self.energy_kwh = [0.0] * self.slots
        self.agents.do("live")
        self.posted = [(*map(np.ndarray.tolist, own[:2]), float(own[2])) for own in zip(*self.rates(), strict=True)]
        self.agents.do("pay")

    def rates(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rates of the day, by type."""
        return self.game.rates(np.array(self.energy_kwh))

    def live_a_day(self) -> np.ndarray:
        """Simulate one day; return everybody's energy."""
        self.step()
        return np.array(self.energy_kwh)


def line(row: list[float]) -> list[float]:
    """Cumulated chances without the last, so that a draw below one never falls off the end."""
    return list(accumulate(row))[:-1]


def cumulated(table: Rows) -> Rows:
    """Cumulate the rows (slot, level, shock, move) of a policy."""
    return [[[line(row) for row in level] for level in slot] for slot in table]


if __name__ == "__main__":
    clock("Mesa", mesa.__version__, PlainMarket)
