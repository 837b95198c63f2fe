# ruff: noqa: T201
"""When is usual practice good enough? ``uv run python docs/examples/practice.py`` prints and draws it; some minutes.

From the preset as it is, one thing is different at a time: the households' share of the system's load, their
elasticity, how many of them have batteries, their temperature. A smaller share puts a rest of the system beside them
that has their load's shape under the tariff in force, and stretches the supply curve by as much, so that prices there
are the same.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from meanwatt.analysis.practice.filing import file_tariff
from meanwatt.analysis.practice.practice import Practice, practice, welfare
from meanwatt.analysis.practice.report import practice_json
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "practice.png"
PRESETS = {"textbook": "#0072b2", "oahu": "#d55e00"}
IN_FORCE = "filed"
SHARES = (0.1, 0.3, 1.0)
ELASTICITIES = (0.0, 0.05, 0.1, 0.2, 0.4)
STORAGE = (0.0, 0.5, 1.0, 2.0)
TEMPERATURES = (0.005, 0.01, 0.02, 0.04)
ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What practice does in one scenario. Money is USD per household-day."""

    lost: float
    gain: float
    peak: float
    found_peak: float
    rms: float
    bill: float

    def row(self) -> str:
        """Cells of a table."""
        return (
            f"{100 * self.lost:.3f} | {100 * self.gain:.3f} | {1000 * self.peak:+.0f} of {1000 * self.found_peak:.0f}"
            f" | {1000 * self.rms:.0f} | {self.bill:+.0f} |"
        )


def point(economy: Economy) -> Point:
    """Hold practice against the equilibrium."""
    found = practice(economy, build_tariff(economy.scenario, IN_FORCE))
    told = practice_json(found)
    error: dict[str, Any] = told["error"]
    lost = found.welfare_lost_usd_per_household_day
    assert lost is not None
    return Point(
        lost=lost,
        gain=told["equilibrium"]["welfare_usd_per_household_day"] - welfare(found.in_force),
        peak=error["peak_kw"],
        found_peak=told["equilibrium"]["peak_kw"],
        rms=error["net_load_rms_kw"],
        bill=max((row["bill_usd_per_year"] for row in error["groups"]), key=abs),
    )


def world(preset: str, *overrides: str) -> Economy:
    """A preset with some keys changed."""
    return build_economy(load_scenario(preset, overrides=overrides))


def shared(preset: str, share: float) -> Economy:
    """A preset whose households are a share of the system's load, with the same prices under the tariff in force."""
    whole = world(preset)
    if share == 1.0:
        return whole
    base = solve_equilibrium(whole, build_tariff(whole.scenario, IN_FORCE), certify=False)
    supply = whole.scenario.supply
    stretched = [one * share**power for power, one in enumerate(supply.coefficients)]
    changes = [f"supply.coefficients={stretched}"]
    if supply.clamp_below_kw is not None:
        changes.append(f"supply.clamp_below_kw={supply.clamp_below_kw / share}")
    common = whole.common
    for day, name in enumerate(common.day_types):
        chance = np.where(common.today == day, common.probability, 0.0)
        rest = (1 - share) / share * (chance @ base.net_load_kw) / chance.sum()
        changes.append(f"day_types.{name}.rest_load_kw={rest.tolist()}")
    return world(preset, *changes)


def repeated(preset: str) -> list[float]:
    """Welfare lost when practice files again and again, each time from the loads of the last filing."""
    economy = world(preset)
    found: Practice = practice(economy, build_tariff(economy.scenario, IN_FORCE))
    assert found.commitment is not None
    now, lost = found.in_force, []
    for _ in range(ROUNDS):
        filing = file_tariff(now, found.windows)
        now = solve_equilibrium(economy, filing.tariff, start=now, certify=False)
        lost.append(found.commitment.objective - welfare(now))
    return lost


def sweep(preset: str) -> list[tuple[str, tuple[float, ...], list[Point]]]:
    """One thing changed at a time: what it is, its values, and what practice does there."""
    return [
        ("share of the system's load", SHARES, [point(shared(preset, one)) for one in SHARES]),
        ("elasticity", ELASTICITIES, [point(world(preset, f"elasticity={one}")) for one in ELASTICITIES]),
        ("batteries, × the preset's", STORAGE, [point(world(preset, f"battery_share_scale={one}")) for one in STORAGE]),
        ("temperature [USD]", TEMPERATURES, [point(world(preset, f"temperature_usd={one}")) for one in TEMPERATURES]),
    ]


def main() -> None:
    """Print the tables and draw the figure."""
    figure, panels = plt.subplots(2, 4, figsize=(13, 5.6), sharex="col", sharey="row", layout="constrained")
    for preset, colour in PRESETS.items():
        for column, (title, values, points) in enumerate(sweep(preset)):
            for value, one in zip(values, points, strict=True):
                print(f"| {preset} | {title} {value:g} | {one.row()}", flush=True)
            above, below = panels[:, column]
            how = {"color": colour, "marker": "o", "label": preset}
            above.plot(values, [100 * one.lost for one in points], **how)
            below.plot(values, [100 * one.peak / one.found_peak for one in points], **how)
            below.set_xlabel(title)
        print(f"{preset}, filed again and again, cents: {', '.join(f'{100 * one:.3f}' for one in repeated(preset))}")
    panels[0, 0].set_ylabel("welfare lost\n[cents per household-day]")
    panels[1, 0].set_ylabel("error of the predicted peak\n[% of the equilibrium's]")
    panels[0, 0].set_ylim(bottom=0)
    for panel in panels.ravel():
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
        panel.axhline(0, color="black", linewidth=0.8)
    panels[0, 0].legend(frameon=False)
    figure.savefig(IMAGE, dpi=100)


if __name__ == "__main__":
    main()
