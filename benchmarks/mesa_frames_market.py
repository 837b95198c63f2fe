"""The market of ``plain_mesa.py`` in mesa-frames: a polars table of households with, and one without a battery.

Written for speed within that style: all households of a table take a slot in a few expressions, draws go through alias
tables, columns are replaced in one go (``AgentSetPolars.set`` would join the table with itself each time). Types with a
battery are expected to have the same levels and moves, as those of the presets do.
"""

from importlib.metadata import version

import numpy as np
import polars as pl
from mesa_frames import AgentSetPolars, ModelDF
from peer_game import Game, Kind, clock


class Households(AgentSetPolars):
    """Types that share a grid of levels and moves."""

    def __init__(self, model: "FramesMarket", kinds: list[int], first_id: int) -> None:
        super().__init__(model)
        game: Game = model.game
        types = [game.kinds[k] for k in kinds]
        first: Kind = types[0]
        self.slots, self.levels, self.shocks, self.width = first.chance.shape
        self.lowest = first.lowest_move
        chance = np.stack([kind.chance for kind in types], axis=1)  # (slot, type, level, shock, move)
        threshold, other = alias_tables(chance.reshape(-1, self.width))
        by_slot = zip(threshold.reshape(self.slots, -1), other.reshape(self.slots, -1), strict=True)
        self.moves = [(pl.Series(keep), pl.Series(else_take)) for keep, else_take in by_slot]
        energy = np.stack([kind.energy_kwh for kind in types], axis=1).astype(np.float32)
        self.readings = [pl.Series(row) for row in energy.reshape(self.slots, -1)]
        self.next_shock = tuple(pl.Series(table.ravel()) for table in alias_tables(game.shock_kernel))
        starts = [kind.start(model.random) for kind in types]
        count = [kind.count for kind in types]
        self += pl.DataFrame(
            {
                "unique_id": np.arange(first_id, first_id + sum(count)),
                "kind": np.repeat(np.arange(len(types), dtype=np.int32), count),
                "level": np.concatenate([level for level, _ in starts]).astype(np.int32),
                "shock": np.concatenate([shock for _, shock in starts]).astype(np.int32),
                "bill_usd": np.zeros(sum(count)),
            }
        )
        self.kinds = kinds

    def live(self) -> np.ndarray:
        """Go through the slots of a day; return the energy of all, (slot,)."""
        table, random = self.agents, self.model.random
        for slot in range(self.slots):
            move = pl.lit(0, pl.Int32)
            if self.width > 1:
                row = (pl.col("kind") * self.levels + pl.col("level")) * self.shocks + pl.col("shock")
                table = picked(table, "move", row, self.width, self.moves[slot], random)
                move = pl.col("move")
            cell = (pl.col("kind") * self.shocks + pl.col("shock")) * self.width + move
            reading = pl.lit(self.readings[slot]).gather(cell).alias(f"kwh_{slot}")
            table = table.with_columns(reading, level=pl.col("level") + move + self.lowest)
            table = picked(table, "shock", pl.col("shock"), self.shocks, self.next_shock, random)
        self.agents = table
        return table.select(pl.col(f"kwh_{slot}").cast(pl.Float64).sum() for slot in range(self.slots)).to_numpy()[0]

    def pay(self, bought: np.ndarray, sold: np.ndarray, fixed: np.ndarray) -> None:
        """Settle the day at the realised rates (type, slot)."""
        bill = pl.col("bill_usd") + pl.lit(pl.Series(fixed[self.kinds])).gather(pl.col("kind"))
        for slot in range(self.slots):
            energy = pl.col(f"kwh_{slot}")
            up, down = (pl.lit(pl.Series(rate[self.kinds, slot])).gather(pl.col("kind")) for rate in (bought, sold))
            bill = bill + energy * pl.when(energy > 0).then(up).otherwise(down)
        self.agents = self.agents.with_columns(bill_usd=bill)

    def step(self) -> None:
        """Nothing here: the market leads the day."""


class FramesMarket(ModelDF):
    """The market of one common state, day by day."""

    def __init__(self, game: Game) -> None:
        super().__init__(seed=0)
        self.game = game
        battery = [kind.chance.shape[-1] > 1 for kind in game.kinds]
        first_id = 0
        self.sets = []
        for owned in (False, True):
            kinds = [k for k, own in enumerate(battery) if own == owned]
            if kinds:
                self.sets.append(Households(self, kinds, first_id))
                self.agents += self.sets[-1]
                first_id += len(self.sets[-1])
        self.sets = self.agents._agentsets

    def live_a_day(self) -> np.ndarray:
        """Simulate one day; return everybody's energy."""
        energy = np.sum([households.live() for households in self.sets], axis=0)
        rates = self.game.rates(energy)
        for households in self.sets:
            households.pay(*rates)
        return energy


def picked(
    table: pl.DataFrame,
    name: str,
    row: pl.Expr,
    width: int,
    alias: tuple[pl.Series, pl.Series],
    random: np.random.Generator,
) -> pl.DataFrame:
    """Draw a column of an alias table's row for every household into column ``name``."""
    threshold, other = alias
    table = table.with_columns(pl.Series("point", random.random(len(table)) * width))
    table = table.with_columns(column=pl.col("point").cast(pl.Int32))
    place = row * width + pl.col("column")
    keep = pl.col("point") - pl.col("column") < pl.lit(threshold).gather(place)
    return table.with_columns(pl.when(keep).then(pl.col("column")).otherwise(pl.lit(other).gather(place)).alias(name))


def alias_tables(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Walker's alias table of every row by Vose's algorithm: threshold in [0, 1], and the other column."""
    count, width = rows.shape
    threshold, other = np.ones(rows.shape), np.tile(np.arange(width, dtype=np.int32), (count, 1))
    for r in range(count):
        weight = (rows[r] / rows[r].sum() * width).tolist()
        light = [j for j, w in enumerate(weight) if w < 1]
        heavy = [j for j, w in enumerate(weight) if w >= 1]
        while light and heavy:
            poor, rich = light.pop(), heavy[-1]
            threshold[r, poor], other[r, poor] = weight[poor], rich
            weight[rich] -= 1 - weight[poor]
            if weight[rich] < 1:
                light.append(heavy.pop())
    return threshold, other


if __name__ == "__main__":
    clock("mesa-frames", version("mesa-frames"), FramesMarket)
