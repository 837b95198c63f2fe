"""A behaviour of one's own in a market: ``uv run python docs/examples/own_behaviour.py`` (half a minute).

The class ``Thrifty`` is all there is to it. The rest checks it, lets a tenth of the households live by it, prints what
battery owners paid under each behaviour, and draws what they did.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from meanwatt.agents.behaviour.protocol import DayLived, Situation
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.strategy_check import check_strategy

FIGURE = Path(__file__).parents[1] / "images" / "own_behaviour.png"
SPREAD_USD_PER_KWH = 0.08
"""A difference of rates below which a round trip does not pay: twice the wear and what the losses cost."""


class Thrifty:
    """Charge in the hours that were cheap on the bill, and cover the own use in those that were dear."""

    def __init__(self) -> None:
        self.days = 0
        self.rate: np.ndarray | None = None

    def move(self, situation: Situation) -> int:
        """Choose one of ``situation.moves``."""
        rate = situation.import_usd_per_kwh if self.rate is None else self.rate
        now, cheap, dear = rate[situation.slot], *np.quantile(rate, [0.25, 0.85])
        if dear - cheap < SPREAD_USD_PER_KWH:
            return 0
        if now <= cheap:
            return int(situation.moves[-1])
        if now >= dear:
            covers = situation.moves[(situation.moves <= 0) & (situation.net_load_kw >= 0)]
            return int(covers[0]) if covers.size else 0
        return 0

    def learn(self, lived: DayLived) -> None:
        """Keep the mean of the rates on all bills."""
        self.days += 1
        before = np.zeros_like(lived.import_usd_per_kwh) if self.rate is None else self.rate
        self.rate = before + (lived.import_usd_per_kwh - before) / self.days


def main(households: int = 3000, days: int = 28, figure: Path | None = FIGURE) -> None:
    """Check, simulate, print and draw."""
    for line in check_strategy(Thrifty) or ["Thrifty keeps the rules of the market."]:
        sys.stdout.write(f"{line}\n")
    market = ProsumerMarket(
        "textbook",
        tariff="tou",
        households=households,
        behaviour={"equilibrium": 0.6, "self_consumption": 0.2, "passive": 0.1, Thrifty: 0.1},
        rng=1,
        power_flow=False,
    )
    for _ in range(days):
        market.step()
    market.close()
    classes = market.history.class_days
    owners = classes[(classes["technology"] == "pv_battery") & (classes["income_group"] == "high")]
    table = owners.groupby("behaviour", sort=False)[["bill_usd", "households"]].sum()
    sys.stdout.write("battery owners of high income, mean bill, USD a day\n")
    for name, row in table.iterrows():
        count = int(row["households"] / days)
        sys.stdout.write(f"  {name:17} {row['bill_usd'] / row['households']:6.3f}   ({count} households)\n")
    if figure is not None:
        draw(market, figure)


def draw(market: ProsumerMarket, file: Path) -> None:
    """Mean net load of those owners by behaviour, above the rate they pay."""
    kind = [(t.income_group, t.technology) for t in market.household_types].index(("high", "pv_battery"))
    load_kw = market.history.stacked("class_net_load_kw")[7:, kind].mean(axis=0)
    rate = market.history.stacked("import_usd_per_kwh")[7:].mean(axis=0)
    hours = np.arange(load_kw.shape[1] + 1) * market.slot_hours
    sheet, (above, below) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, height_ratios=[3, 1], layout="constrained")
    colours = ["#0072b2", "#009e73", "#888888", "#d55e00"]
    for name, row, colour in zip(market.history.behaviours, load_kw, colours, strict=True):
        width = 3.5 if name == "Thrifty" else 2
        above.stairs(row, hours, baseline=None, color=colour, linewidth=width, label=name)
    above.axhline(0, color="#444444", linewidth=0.8)
    above.set_ylabel("mean net load [kW]", fontsize=13)
    above.set_title("Owners of sun and battery, high income, after the first week", fontsize=14)
    above.legend(frameon=False, fontsize=12, ncols=2)
    below.stairs(rate, hours, baseline=None, color="#444444", linewidth=2)
    below.set(xlim=(0, 24), ylim=(0, None), xticks=range(0, 25, 3))
    below.set_ylabel("import rate\n[USD/kWh]", fontsize=13)
    below.set_xlabel("hour of the day", fontsize=13)
    for axis in (above, below):
        axis.tick_params(labelsize=12)
        axis.spines[["top", "right"]].set_visible(False)
    sheet.savefig(file, dpi=110)
    plt.close(sheet)


if __name__ == "__main__":
    main()
