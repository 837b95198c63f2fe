"""Our market under the clock of its peers, in a process of its own.

python our_market.py SCENARIO.toml HOUSEHOLDS SECONDS THREADS FEEDER      # prints one JSON object
"""

import json
import sys

import numpy as np
from peer_game import timed

from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario


class OurMarket:
    """A `ProsumerMarket` whose days the clock can take."""

    def __init__(self, equilibrium: Equilibrium, households: int, *, threads: int, feeder: bool) -> None:
        self.market = ProsumerMarket(
            equilibrium.economy, households=households, policies=equilibrium, rng=0, threads=threads, power_flow=feeder
        )

    def live_a_day(self) -> np.ndarray:
        """Simulate one day; return everybody's energy."""
        self.market.step()
        return self.market.history[-1].net_load_kw * self.market.households * self.market.slot_hours


def main() -> None:
    """Time a market as the command line says, and print what came of it."""
    households, seconds, threads, feeder = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "1"
    economy = build_economy(load_scenario(sys.argv[1]))
    equilibrium = solve_equilibrium(economy, build_tariff(economy.scenario), certify=False)
    OurMarket(equilibrium, 100, threads=1, feeder=True).live_a_day()  # compiles
    found = timed(
        lambda: OurMarket(equilibrium, households, threads=threads, feeder=feeder),
        households,
        economy.slot_hours,
        seconds,
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
