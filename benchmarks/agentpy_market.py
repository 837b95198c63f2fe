"""The market of ``plain_mesa.py`` in AgentPy: an agent per household, a whole day per call."""

from bisect import bisect_right
from importlib.metadata import version
from itertools import accumulate

import agentpy
import numpy as np
from peer_game import Game, clock


class Household(agentpy.Agent):
    """A household with its own state."""

    def setup(self, kind: int, level: int, shock: int) -> None:
        """Begin where the law put it."""
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
        draws = model.nprandom.random(2 * model.slots).tolist()
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
        for reading, up, down in zip(self.meter_kwh, bought, sold):  # noqa: B905 (as in plain_mesa.py)
            bill += reading * (up if reading > 0 else down)
        self.bill_usd += bill


class AgentPyMarket(agentpy.Model):
    """The market of one common state, day by day."""

    def setup(self) -> None:
        """Make the households."""
        game: Game = self.p.game
        self.game = game
        self.slots = game.slots
        self.chances = [cumulated(kind.chance.tolist()) for kind in game.kinds]
        self.energy = [kind.energy_kwh.tolist() for kind in game.kinds]
        self.lowest = [kind.lowest_move for kind in game.kinds]
        self.shock_rows = [line(row) for row in game.shock_kernel.tolist()]
        self.energy_kwh = [0.0] * game.slots
        starts = [kind.start(self.nprandom) for kind in game.kinds]
        self.households = agentpy.AgentList(
            self,
            game.households,
            Household,
            kind=agentpy.AttrIter(np.repeat(np.arange(len(starts)), [kind.count for kind in game.kinds]).tolist()),
            level=agentpy.AttrIter(np.concatenate([level for level, _ in starts]).tolist()),
            shock=agentpy.AttrIter(np.concatenate([shock for _, shock in starts]).tolist()),
        )

    def step(self) -> None:
        """Simulate one day."""
        self.energy_kwh = [0.0] * self.slots
        self.households.live()
        bought, sold, fixed = self.game.rates(np.array(self.energy_kwh))
        self.posted = list(zip(bought.tolist(), sold.tolist(), fixed.tolist()))  # noqa: B905
        self.households.pay()

    def live_a_day(self) -> np.ndarray:
        """Simulate one day; return everybody's energy."""
        self.sim_step()
        return np.array(self.energy_kwh)


def make(game: Game) -> AgentPyMarket:
    """Make a market that is ready to step."""
    market = AgentPyMarket({"game": game, "seed": 0})
    market.sim_setup()
    return market


def line(row: list[float]) -> list[float]:
    """Cumulated chances without the last, so that a draw below one never falls off the end."""
    return list(accumulate(row))[:-1]


def cumulated(table: list) -> list:
    """Cumulate the rows (slot, level, shock, move) of a policy."""
    return [[[line(row) for row in level] for level in slot] for slot in table]


if __name__ == "__main__":
    clock("AgentPy", version("agentpy"), make)
