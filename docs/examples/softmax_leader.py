# ruff: noqa: T201
"""How far a softmax leader is from the exact one: ``uv run python docs/examples/softmax_leader.py`` prints it.

Oahu with a load that is higher on clear days. The leader, who wants welfare, posts a peak price from 17 to 21 h for
each day type on top of the best single off-peak charge; network cost is recovered by the fixed charge.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.leader.annealing import Stage
from meanwatt.model.mean_field.leader.epsilon_net import epsilon_net, lipschitz
from meanwatt.model.mean_field.leader.mixed_tariff import tariff_by_day_type
from meanwatt.model.mean_field.leader.softmax_bound import SoftmaxLeader
from meanwatt.model.mean_field.leader.softmax_leader import Continuation, Information, softmax_leader
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "softmax_leader.png"
WORTH = LeaderSpec(leader="commission", weights={"equity": 0.0}).objective()
HIGHEST_PEAK_USD_PER_KWH = 0.4
EXPORT_USD_PER_KWH = 0.10
POINTS = (2, 3, 5, 9)
TEMPERATURES_USD = np.geomspace(1e-2, 1e-5, 7)
SCENARIOS = {
    "Oahu, weather moves the sun only": ("oahu", 1.0),
    "Oahu, load 25 % higher on clear days": ("oahu", 1.25),
    "California, weather moves the sun only": ("california", 1.0),
}
FIGURE = "Oahu, load 25 % higher on clear days"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peaks:
    """Tariffs with an off-peak charge and a peak price on top, on a scenario's own peak hours."""

    economy: Economy
    tou: Tariff

    def tariff(self, off_peak: float, peak: float) -> Tariff:
        """Both in USD/kWh; exports earn a fixed credit."""
        is_peak = self.tou.energy_usd_per_kwh == self.tou.energy_usd_per_kwh.max()
        energy = np.where(is_peak, off_peak + peak, off_peak)
        return replace(self.tou, name=f"{off_peak:.3f} and {peak:.3f}", energy_usd_per_kwh=energy)

    def leader(self, points: int, low: Floats, high: Floats, *stages: Stage, information: Information) -> SoftmaxLeader:
        """Softmax leader over a net of both parameters."""
        return softmax_leader(
            self.economy,
            epsilon_net(low, high, points),
            WORTH,
            schedule=stages,
            tariff_of=lambda parameters: self.tariff(*parameters),
            information=information,
            continuation=Continuation.GREEDY,
        )


def build(preset: str, clear_load: float) -> Peaks:
    """A preset without memory, its batteries in 9 levels to be quick, and its time-of-use hours."""
    settings: dict[str, float] = {"memory": 0, "battery_levels": 9}
    if clear_load != 1.0:
        settings["day_types.clear.load_factor"] = clear_load
    economy = build_economy(load_scenario(preset, overrides=settings))
    tou = build_tariff(economy.scenario, "tou")
    credit = np.full_like(tou.export_usd_per_kwh, EXPORT_USD_PER_KWH)
    return Peaks(
        economy=economy,
        tou=replace(tou, recovery=Recovery.FIXED, export_pass_through=0.0, export_usd_per_kwh=credit),
    )


def best_off_peak(peaks: Peaks) -> float:
    """The best off-peak charge of a leader who treats all days alike, to a cent. [USD/kWh]"""
    exact = Stage(temperature_usd=0.0)
    stages = (exact, *[replace(exact, halve=True)] * 4)
    found = peaks.leader(
        5, np.array([0.1, 0.0]), np.array([0.5, HIGHEST_PEAK_USD_PER_KWH]), *stages, information=Information.NOTHING
    )
    assert found.net is not None
    return float(found.net.parameters[found.choice[0], 0])


def over_peaks(
    peaks: Peaks, off_peak: float, points: int, *stages: Stage, information: Information = Information.DAY_TYPE
) -> SoftmaxLeader:
    """Softmax leader over the peak price alone."""
    low, high = np.array([off_peak, 0.0]), np.array([off_peak, HIGHEST_PEAK_USD_PER_KWH])
    return peaks.leader(points, low, high, *stages, information=information)


def exact_leader(peaks: Peaks, off_peak: float, start: Floats) -> tuple[Floats, float]:
    """Peak prices by common state, free of any net, and their worth; COBYQA from a start."""

    def loss(chosen: Floats) -> float:
        menu = [peaks.tariff(off_peak, float(peak)) for peak in chosen]
        posted = tariff_by_day_type(peaks.economy, menu, np.arange(len(menu)))
        return -WORTH(solve_equilibrium(peaks.economy, posted, certify=False))

    bounds = [(0.0, HIGHEST_PEAK_USD_PER_KWH)] * len(start)
    radii = {"initial_tr_radius": 0.05, "final_tr_radius": 1e-5}
    found = minimize(loss, start, method="COBYQA", bounds=bounds, options=radii)
    return found.x, -float(found.fun)


def peaks_posted(found: SoftmaxLeader) -> Floats:
    """Likeliest peak price in each common state. (c,) [USD/kWh]"""
    assert found.net is not None
    return np.asarray(found.net.parameters[found.choice, 1])


def by_stage(found: SoftmaxLeader) -> list[SoftmaxLeader]:
    """The leader as it stood after each stage over one and the same menu."""
    names = ("temperature_usd", "worth_usd", "policy", "objective", "closure_error_kw", "evaluations")
    return [replace(found, **{name: getattr(step, name) for name in names}) for step in found.steps]


def print_critical_peaks() -> None:
    """Print the exact leader's peak price by day type, and what it is worth that they may differ."""
    print("Best peak price on top of the off-peak charge, by day type [USD/kWh]:")
    exact = Stage(temperature_usd=0.0)
    stages = (exact, *[replace(exact, halve=True)] * 3)
    for title, (preset, clear_load) in SCENARIOS.items():
        peaks = build(preset, clear_load)
        off_peak = best_off_peak(peaks)
        alike = over_peaks(peaks, off_peak, 9, *stages, information=Information.NOTHING)
        varied = over_peaks(peaks, off_peak, 9, *stages)
        days = [label[-1] for label in peaks.economy.common.labels()]
        print(f"  {title}: off-peak {off_peak:.3f}, all days alike {peaks_posted(alike)[0]:.3f};")
        print("    " + ", ".join(f"{day} {peak:.3f}" for day, peak in zip(days, peaks_posted(varied), strict=True)))
        gain = 365 * (varied.objective - alike.objective)
        print(f"    which brings {gain:.3f} USD a year per household; outcome {varied.outcome}")


def main() -> None:
    """Measure, print and draw."""
    print_critical_peaks()
    peaks = build(*SCENARIOS[FIGURE])
    off_peak = best_off_peak(peaks)
    stages = [Stage(temperature_usd=t) for t in TEMPERATURES_USD]
    runs = {points: by_stage(over_peaks(peaks, off_peak, points, *stages)) for points in POINTS}
    best = runs[POINTS[-1]][-1]
    assert best.net is not None
    assert best.optimum is not None
    chosen, exact = exact_leader(peaks, off_peak, peaks_posted(best))
    days = [label[-1] for label in peaks.economy.common.labels()]
    print(f"\n{FIGURE}. Exact leader: {exact:.6f} USD per household-day with peak prices", end=" ")
    print(", ".join(f"{day} {peak:.3f}" for day, peak in zip(days, chosen, strict=True)))
    print("  epsilon  own slope  slope*epsilon  net loss  temperature     error     bound    mixing  closure, kW")

    figure, (cooling, refining, policy) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    radii, losses, slopes = [], [], []
    # slopes measured on nested nets only grow; the finest net's is the best estimate from below
    steepest = lipschitz(best.net, best.optimum.table)
    for colour, cooled in enumerate(runs.values()):
        net, optimum = cooled[0].net, cooled[0].optimum
        assert net is not None
        assert optimum is not None
        loss, slope, own = exact - optimum.objective, steepest * net.epsilon, lipschitz(net, optimum.table)
        errors = [exact - found.objective for found in cooled]
        bounds = [slope + (found.bound_usd or 0.0) for found in cooled]
        for found, error, bound in zip(cooled, errors, bounds, strict=True):
            print(
                f"  {net.epsilon:7.4f}  {own:9.4f}  {slope:13.2e}  {loss:8.2e}  {found.temperature_usd:11.2e}"
                f"  {error:8.2e}  {bound:8.2e}  {found.mixing_usd:8.1e}"
                f"  {found.closure_error_kw:11.1e}"
            )
        cooling.loglog(TEMPERATURES_USD, errors, "o-", color=f"C{colour}", label=f"ε = {net.epsilon:g}")
        cooling.loglog(TEMPERATURES_USD, bounds, "--", color=f"C{colour}")
        radii.append(net.epsilon)
        losses.append(loss)
        slopes.append(slope)
    cooling.set(xlabel="temperature η [USD per household-day]", ylabel="USD per household-day", ylim=(5e-6, None))
    cooling.set_title("Loss to the exact leader (dashed: bound)", fontsize="medium")
    cooling.legend(loc="lower right", ncols=2, fontsize="small")
    refining.loglog(radii, losses, "ko-", label="measured")
    refining.loglog(radii, slopes, "k--", label="bound: slope times ε")
    refining.set(xlabel="covering radius ε [share of the range]", xticks=radii, xticklabels=[f"{r:g}" for r in radii])
    refining.minorticks_off()
    refining.set_title("Loss of the best on the net", fontsize="medium")
    refining.legend(loc="upper left", fontsize="small")
    warm = runs[POINTS[-1]][len(TEMPERATURES_USD) // 2]
    assert warm.net is not None
    for day, row in zip(days, warm.policy, strict=True):
        policy.plot(warm.net.parameters[:, 1], row, "o-", label=day)
    policy.set(xlabel="peak price over off-peak [USD/kWh]", ylabel="probability", ylim=(0, None))
    policy.set_title(f"Policy at η = {warm.temperature_usd:.1g} USD", fontsize="medium")
    policy.legend(title="day type")
    figure.savefig(IMAGE, dpi=110)
    print(f"\nDrawn: {IMAGE.relative_to(Path(__file__).parents[2])}, {IMAGE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
