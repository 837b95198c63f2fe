"""A leader who learns its menu in a running market: ``uv run python docs/examples/market_leader.py`` (some minutes).

With ``model`` behind it the solved model balances the leader's books; then nothing is drawn.
"""

import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from meanwatt.agents.leader.learning_leader import LearningLeader
from meanwatt.analysis.leader.leader_spec import LeaderSpec, default_price_cap_usd_per_kwh
from meanwatt.analysis.learning.books import BooksKind, MeteredBooks
from meanwatt.analysis.learning.market_leader import learning_leader, mean_regret_usd, recommended
from meanwatt.analysis.learning.menus import Menu, usual_menu
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

FIGURE = Path(__file__).parents[1] / "images" / "market_leader.png"
SEEDS, HOUSEHOLDS, DAYS = range(10), 1000, 720
COLOURS = ("#888888", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
MONTH = 30
BOOKS = BooksKind.MODEL if sys.argv[1:] == ["model"] else BooksKind.ACCOUNT
RUNS = (("equilibrium", MONTH), ("belief", MONTH), ("equilibrium", 1), ("belief", 1))


def live(menu: Menu, in_force: Equilibrium, behaviour: str, round_days: int, seed: int) -> LearningLeader:
    """Two years of one market under one leader."""
    leader = learning_leader(menu, in_force, households=HOUSEHOLDS, seed=seed, round_days=round_days, books=BOOKS)
    market = ProsumerMarket(
        in_force.economy,
        households=HOUSEHOLDS,
        policies=in_force,
        behaviour=behaviour,
        rng=seed,
        leader=leader,
        power_flow=False,
    )
    assert market.terms is not None
    for found in menu.equilibria.values():
        market.terms.add(found)
    for _ in range(DAYS if round_days > 1 else DAYS // 4):
        market.step()
    market.close()
    return leader


def draw(panel: Any, menu: Menu, leaders: list[LearningLeader]) -> None:
    """Draw the share of seeds that post each tariff by round, stacked, and the mean regret so far."""
    posted = np.array([[one.choice[0] for one in leader.rounds] for leader in leaders])
    rounds = np.arange(posted.shape[1])
    shares = [(posted == k).mean(axis=0) for k in range(len(menu.names))]
    panel.stackplot(rounds, shares, step="mid", colors=COLOURS, labels=menu.names, alpha=0.8)
    panel.set(xlim=(0, min(60, rounds[-1])), ylim=(0, 1))
    lost = np.array([[menu.regret_usd(one.choice) for one in leader.rounds] for leader in leaders])
    beside = panel.twinx()
    beside.plot(rounds, 1000 * np.cumsum(lost.mean(axis=0)) / (1 + rounds), color="black", linewidth=3)
    beside.set_ylim(0, 10)
    beside.set_ylabel("mean regret so far [0.001 USD/household-day]", fontsize=12)
    for axis in (panel, beside):
        axis.tick_params(labelsize=13)


def draw_values(panel: Any, menu: Menu, leaders: list[LearningLeader], in_force: Equilibrium) -> None:
    """Draw what each seed has learned of each tariff beside what the mean field makes of it."""
    learned = np.array([leader.learner.value_usd[0] for leader in leaders])
    places = np.arange(len(menu.names))
    welfare = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 0.0}).objective()(in_force)
    metered = menu.metered(in_force)
    for k, colour in zip(places, COLOURS, strict=False):
        panel.plot(np.linspace(k - 0.25, k + 0.25, len(learned)), learned[:, k], "o", color=colour, markersize=8)
    marks: dict[str, Any] = {"linestyle": "none", "markersize": 34, "markeredgewidth": 2.5}
    panel.plot(places, metered, "_", color="black", label="metered, mean field", **marks)
    panel.plot(places, menu.worth_usd - welfare, "_", color="#d55e00", label="true, mean field", **marks)
    panel.set_xticks(places, [name.replace("_", "\n") for name in menu.names])
    panel.tick_params(labelsize=13)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(fontsize=12, frameon=False, loc="upper left", markerscale=0.6)


def main() -> None:
    """Learn over seeds, print what was learned, draw."""
    economy = build_economy(load_scenario("textbook", tariff="filed"))
    in_force = solve_equilibrium(economy, build_tariff(economy.scenario))
    commission = LeaderSpec(leader="commission")
    menu = usual_menu(commission, in_force)
    learned = {}
    for behaviour, round_days in RUNS:
        learned[behaviour, round_days] = [live(menu, in_force, behaviour, round_days, seed) for seed in SEEDS]
        when = "monthly" if round_days == MONTH else "daily"
        report(f"commission, {when}, {behaviour}", menu, learned[behaviour, round_days])
    if BOOKS is BooksKind.ACCOUNT:
        draw_all(menu, learned, in_force)
    cap = default_price_cap_usd_per_kwh(economy)
    utility = LeaderSpec(leader="utility", price_cap_usd_per_kwh=cap)
    posted = usual_menu(utility, in_force)
    report("utility, monthly, belief", posted, [live(posted, in_force, "belief", MONTH, seed) for seed in SEEDS])


def draw_all(menu: Menu, learned: dict[tuple[str, int], list[LearningLeader]], in_force: Equilibrium) -> None:
    """Draw what is posted monthly and daily, and what is learned."""
    figure, panels = plt.subplots(1, 3, figsize=(15, 6))
    for panel, (round_days, when) in zip(panels, ((MONTH, "month"), (1, "day")), strict=False):
        draw(panel, menu, learned["belief", round_days])
        panel.set_title(f"a new tariff every {when}", fontsize=16)
        panel.set_xlabel(when, fontsize=15)
        panel.set_ylabel("share of ten seeds that post it", fontsize=12)
    draw_values(panels[2], menu, learned["belief", MONTH], in_force)
    panels[2].set_title("learned, USD per household-day", fontsize=16)
    handles, labels = panels[0].get_legend_handles_labels()
    handles.append(plt.Line2D([], [], color="black", linewidth=3))
    figure.legend(handles, [*labels, "mean regret so far"], loc="lower center", ncols=5, fontsize=14, frameon=False)
    figure.suptitle("The commission learns from its meters which tariff to post", fontsize=19)
    figure.subplots_adjust(left=0.05, right=0.985, top=0.86, bottom=0.21, wspace=0.4)
    figure.savefig(FIGURE, dpi=90)


def report(title: str, menu: Menu, leaders: list[LearningLeader]) -> None:
    """Print learned values, the recommended tariffs and the regret."""
    values = np.array([leader.learner.value_usd[0] for leader in leaders])
    right = np.mean([recommended(leader) == menu.best for leader in leaders])
    regret = np.mean([mean_regret_usd(leader, menu) for leader in leaders])
    late = np.mean(
        [[menu.regret_usd(one.choice) for one in leader.rounds[-len(leader.rounds) // 4 :]] for leader in leaders]
    )
    blind = np.mean([menu.regret_usd((k,)) for k in range(len(menu.names))])
    sys.stdout.write(f"{title}: best found in {100 * right:.0f} % of seeds, mean regret {regret:.4f}, in the last")
    sys.stdout.write(f" quarter {late:.4f}, of posting at random {blind:.4f} USD per household-day\n")
    for k, name in enumerate(menu.names):
        mean, spread = np.nanmean(values[:, k]), np.nanstd(values[:, k])
        sys.stdout.write(f"  {name}: learned {mean:.4f} ± {spread:.4f}, mean field {menu.worth_usd[k]:.4f}\n")
    books = [leader.books.balance for leader in leaders if isinstance(leader.books, MeteredBooks)]
    if books and books[0].days:
        short = np.mean([abs(one.usd) / one.days for one in books])
        largest = np.max([one.largest_usd for one in books])
        sys.stdout.write(f"  books: out by {short:.5f} USD per household-day, largest balance {largest:.2f} USD\n")


if __name__ == "__main__":
    main()
