# ruff: noqa: T201
"""Where should the peak lie? ``uv run python docs/examples/family_windows.py`` prints and draws it; some minutes.

The family is ``docs/examples/family.toml``, the leader a commission that wants welfare alone. Textbook as it is, then
without batteries, where a bound leaves most combinations out; then two windows at once, one over midnight.
"""

import time
from pathlib import Path

import matplotlib.pyplot as plt

from meanwatt.analysis.design.window_figure import draw_window
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.leader.leader_problem import UNIT, LeaderProblem
from meanwatt.model.mean_field.leader.own_family import own_families
from meanwatt.model.mean_field.leader.window_search import WindowCommitment, commit_windows
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.family_file import FamilyFile, WindowRange, load_family
from meanwatt.model.scenario.loading import load_scenario

HERE = Path(__file__).parent
IMAGE = HERE.parent / "images" / "family_windows.png"
WELFARE = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 0.0})
WORLDS = {
    "as it is": (),
    "no batteries": ("battery_share_scale=0",),
    "no batteries, no solar": ("battery_share_scale=0", "pv_share_scale=0"),
}
TWO = FamilyFile(
    label="family of two windows",
    free={f"energy_usd_per_kwh.{name}": (0.0, 1.0) for name in ("day", "peak", "night")},
    fixed={"pass_through": 0.0, "recovery": "fixed"},
    windows={
        "peak": WindowRange(start=(15.0, 19.0), width=(3.0, 5.0)),
        "night": WindowRange(start=(20.0, 23.0), width=(7.0, 11.0)),
    },
)


def search(file: FamilyFile, overrides: tuple[str, ...]) -> WindowCommitment:
    """The best windows and rates of a family on the textbook, over its filed tariff."""
    scenario = load_scenario("textbook", overrides=overrides, tariff="filed")
    economy = build_economy(scenario)
    in_force = solve_equilibrium(economy, build_tariff(scenario), certify=False)
    return commit_windows(
        own_families(economy, file),
        lambda family: LeaderProblem(economy, family, WELFARE.objective()),
        in_force,
    )


def row(name: str, file: FamilyFile, overrides: tuple[str, ...]) -> WindowCommitment:
    """Search, and print a row of the page's table."""
    began = time.process_time()
    found = search(file, overrides)
    seconds = time.process_time() - began
    windows = ", ".join(f"{one} {at.start}-{(at.start + at.width) % 24}" for one, at in found.windows.items())
    rates = ", ".join(f"{key.split('.')[-1]} {value:.4f}" for key, value in found.parameters.items())
    counts = f"{len(found.combinations)} | {found.families.combinations.skipped} | {found.searched} | {found.pruned}"
    print(f"| {name} | {windows} | {rates} | {counts} | {len(found.trials)} | {seconds:.1f} |", flush=True)
    return found


def main() -> None:
    """Print the table and draw the figure."""
    file = load_family(HERE / "family.toml")
    figure, panels = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
    found = {name: row(name, file, overrides) for name, overrides in WORLDS.items()}
    for panel, name in zip(panels, ("as it is", "no batteries"), strict=True):
        draw_window(panel, found[name], "peak", UNIT)
        panel.set_title(f"peak, textbook, {name}", loc="left")
    for name in ("no batteries", "no batteries, no solar"):
        row(f"{name}; two windows", TWO, WORLDS[name])
    figure.savefig(IMAGE, dpi=100)


if __name__ == "__main__":
    main()
