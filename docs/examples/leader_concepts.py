# ruff: noqa: T201
"""What three leaders get from the same island: ``uv run python docs/examples/leader_concepts.py`` prints and draws it.

The commission commits to a tariff, or revises it day by day (feedback), or answers loads that it takes as frozen
(alternating). All search the same family of five parameters and are judged by the same objective. Some minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.mean_field.leader.concepts import alternating, feedback, frozen
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily, tariff_family
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.loading import load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "leader_concepts.png"
CONCEPTS: dict[str, Callable[..., Commitment]] = {
    "commitment": commit,
    "feedback": feedback,
    "alternating": alternating,
}
COLOURS = {"commitment": "black", "feedback": "#0072b2", "alternating": "#d55e00"}
CASES = [("textbook", 1.0, 0.0), ("textbook", 5.0, 1.0), ("oahu", 1.0, 0.0), ("oahu", 5.0, 1.0)]
"""Preset, and the commission's weights of burden gap and price volatility."""
PATH = CASES[1]
CIRCLING = {"battery_levels": 5, "pv_share_scale": 0.5, "battery_share_scale": 5.0, "elasticity": 0.1}
CIRCLING_EQUITY = 20.0
CYCLE = "in a cycle of 2"
SMALLEST = 1e-5
"""Loss drawn where a search ends as close to the commitment as that. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a leader fared.

    Attributes
    ----------
    objective
        At the end. [USD per household-day]
    got
        Objective of every tariff posted, in order.
    hoped
        What an alternating leader expected of each but the first, from the loads of the tariff before; in a cycle
        also of the one to follow.
    parameters, solves, seconds, message
        The tariff it ends with, equilibria of tariffs posted or tried, run time, and how it ended.
    """

    objective: float
    got: list[float]
    hoped: list[float]
    parameters: dict[str, float]
    solves: int
    seconds: float
    message: str


def play(name: str, economy: Economy, aims: LeaderSpec) -> Played:
    """Search by one concept over the five-parameter family."""
    family = tariff_family(economy, aims.recovery)
    found = CONCEPTS[name](economy, family, aims.objective())
    return Played(
        objective=found.objective,
        got=[trial.objective for trial in found.trials],
        hoped=hopes(economy, family, aims, found) if name == "alternating" else [],
        parameters=found.parameters,
        solves=len(found.trials),
        seconds=found.seconds,
        message=found.message,
    )


def hopes(economy: Economy, family: TariffFamily, aims: LeaderSpec, found: Commitment) -> list[float]:
    """What each tariff posted was worth against the loads of the one before; in a cycle of two, of the next as well."""
    judge, hoped, posted = aims.objective(), [], list(found.trials)
    if CYCLE in found.message:
        posted.append(posted[-2])
    for old, new in pairwise(posted):
        settled = solve_equilibrium(economy, family.tariff(old.parameters), certify=False)
        hoped.append(judge(frozen(settled, family.tariff(new.parameters))))
    return hoped


def measure() -> tuple[dict[tuple[str, float, float], dict[str, Played]], dict[str, Played]]:
    """All concepts in all cases, and commitment and alternation where the latter goes round in circles."""
    fared = {}
    for case in CASES:
        preset, equity, stability = case
        aims = LeaderSpec(leader="commission", weights={"equity": equity, "stability": stability})
        economy = build_economy(load_scenario(preset))
        fared[case] = {name: play(name, economy, aims) for name in CONCEPTS}
        print_case(case, fared[case])
    aims = LeaderSpec(leader="commission", weights={"equity": CIRCLING_EQUITY})
    economy = build_economy(load_scenario("textbook", overrides=CIRCLING))
    circling = {name: play(name, economy, aims) for name in ("commitment", "alternating")}
    print(f"\ntextbook, {', '.join(f'{key}={value:g}' for key, value in CIRCLING.items())}, equity={CIRCLING_EQUITY:g}")
    for name, played in circling.items():
        print(f"  {name}: {played.message}")
    return fared, circling


def print_case(case: tuple[str, float, float], fared: dict[str, Played]) -> None:
    """Print objectives, losses, tariffs and messages of one case."""
    preset, equity, stability = case
    print(f"\n{preset}, equity={equity:g}, stability={stability:g}")
    print("  concept      objective      loss  tariffs  seconds  energy  spread  credit  pass-through  income slope")
    best = fared["commitment"].objective
    for name, played in fared.items():
        energy, spread, credit, kappa, slope = played.parameters.values()
        print(
            f"  {name:11}  {played.objective:9.4f}  {best - played.objective:8.5f}  {played.solves:7d}"
            f"  {played.seconds:7.1f}  {energy:6.3f}  {spread:6.2f}  {credit:6.3f}  {kappa:12.2f}  {slope:12.2f}",
        )
    for name in ("feedback", "alternating"):
        print(f"  {name}: {fared[name].message}", flush=True)


def draw_losses(axes: Axes, fared: dict[tuple[str, float, float], dict[str, Played]]) -> None:
    """Bars of the loss against the commitment, in every case."""
    for shift, name in ((-0.2, "feedback"), (0.2, "alternating")):
        losses = [played["commitment"].objective - played[name].objective for played in fared.values()]
        places = np.arange(len(losses)) + shift
        axes.barh(places, np.maximum(losses, SMALLEST), height=0.38, color=COLOURS[name], label=name)
        for place, loss in zip(places, losses, strict=True):
            text = f" {loss:.2g}" if loss > SMALLEST else f" < {SMALLEST:g}"
            axes.text(max(loss, SMALLEST), place, text, va="center")
    titles = [f"{preset}\nequity {equity:g}, stability {stability:g}" for preset, equity, stability in fared]
    axes.set_yticks(np.arange(len(titles)), titles)
    axes.invert_yaxis()
    axes.set(xscale="log", xlim=(SMALLEST / 2, 20), xlabel="USD per household-day")
    axes.set_title("Loss against the commitment")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2, frameon=False)


def draw_path(axes: Axes, fared: dict[str, Played], rounds: int) -> None:
    """The objective round by round: what was got and, in alternation, what was hoped for."""
    axes.axhline(fared["commitment"].objective, color=COLOURS["commitment"], linestyle="--", label="commitment")
    if "feedback" in fared:
        got = fared["feedback"].got
        axes.plot(range(1, len(got) + 1), got, "o-", color=COLOURS["feedback"], label="feedback: got")
    got, hoped = list(fared["alternating"].got), list(fared["alternating"].hoped)
    if CYCLE in fared["alternating"].message:
        got.append(got[-2])
        while len(got) < rounds:
            got.append(got[-2])
            hoped.append(hoped[-2])
    axes.plot(range(1, len(got) + 1), got, "s-", color=COLOURS["alternating"], label="alternating: got")
    for k, (before, promise, after) in enumerate(zip(got[:-1], hoped, got[1:], strict=True), start=2):
        axes.plot([k - 1, k], [before, promise], ":", color=COLOURS["alternating"])
        axes.annotate("", (k, after), (k, promise), arrowprops={"arrowstyle": "->", "color": COLOURS["alternating"]})
    places = range(2, len(got) + 1)
    axes.plot(places, hoped, "s", color=COLOURS["alternating"], mfc="white", ms=8, label="alternating: hoped for")
    axes.set(xlabel="round", xticks=range(1, rounds + 1))


def draw(fared: dict[tuple[str, float, float], dict[str, Played]], circling: dict[str, Played]) -> None:
    """Losses in all cases, one path that rests, and one that does not."""
    with plt.rc_context({"font.size": 12}):
        figure, (bars, rests, circles) = plt.subplots(
            1, 3, figsize=(15, 5), width_ratios=(1.15, 1, 1), layout="constrained"
        )
        draw_losses(bars, fared)
        draw_path(rests, fared[PATH], rounds=max(2, len(fared[PATH]["feedback"].got)))
        rests.set(ylabel="objective [USD per household-day]")
        rests.set_title(f"{PATH[0]}, equity {PATH[1]:g}, stability {PATH[2]:g}")
        rests.legend(loc="lower right", fontsize="small")
        draw_path(circles, circling, rounds=8)
        circles.set_title(f"Alternation in circles (equity {CIRCLING_EQUITY:g})")
        figure.savefig(IMAGE, dpi=100)
        plt.close(figure)
    print(f"\nDrawn: {IMAGE.relative_to(Path(__file__).parents[2])}, {IMAGE.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Measure, print and draw."""
    draw(*measure())


if __name__ == "__main__":
    main()
