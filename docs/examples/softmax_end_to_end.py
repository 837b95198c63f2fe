# ruff: noqa: T201
"""Error and bound of a softmax leader end to end: ``uv run python docs/examples/softmax_end_to_end.py`` prints both.

The leader wants welfare less price volatility. It posts an energy charge on top of a share of the wholesale price;
imports and exports have one rate. Oahu is without memory, its batteries in 9 levels; one free parameter means that the
energy charge is that of carbon.
"""

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.analysis.leader.aims import Aims
from meanwatt.analysis.leader.softmax_error import (
    Member,
    SoftmaxError,
    best_prices_apart,
    followers_bound,
    net_bound,
    softmax_error,
    softness_usd,
)
from meanwatt.model.mean_field.cold import at_temperature, solve_cold
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.epsilon_net import EpsilonNet, epsilon_net, lipschitz
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "softmax_end_to_end.png"
STABILITY = 0.1
WORTH = Aims(leader="commission", weights={"equity": 0.0, "stability": STABILITY}).objective()
LOWEST_SHARE = 0.4
TEMPERATURES_USD = (0.02, 0.0025, 3e-4, 3e-5)
LEADERS_USD = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """A box of tariffs with one rate, and the nets over it, the finest last, which a certificate halves."""

    title: str
    economy: Economy
    low: Floats
    high: Floats
    points: tuple[int, ...]
    halvings: int = 0

    def tariff(self, at: Floats) -> Tariff:
        """Energy charge [USD/kWh] and pass-through, cut to the box."""
        energy, passed = np.clip(at, self.low, self.high).tolist()
        like = build_tariff(self.economy.scenario, "rtp")
        flat = np.full_like(like.energy_usd_per_kwh, energy)
        return replace(
            like,
            energy_usd_per_kwh=flat,
            export_usd_per_kwh=flat,
            pass_through=passed,
            export_pass_through=passed,
            export_rule=ExportRule.NET_METERING,
            recovery=Recovery.FIXED,
        )

    def net(self, points: int) -> EpsilonNet:
        """A net with as many points for each parameter that is free."""
        return epsilon_net(self.low, self.high, points)

    def cell(self, at: Floats, net: EpsilonNet) -> list[Tariff]:
        """Corners of the cell around a member."""
        half = np.where(self.high > self.low, net.spacing / 2, 0.0)
        return [self.tariff(at + np.array(sign) * half) for sign in product((-1, 1), repeat=2)]


def boxes() -> list[Box]:
    """Textbook with one and with two free parameters, oahu with one."""
    textbook = build_economy(load_scenario("textbook"))
    oahu = build_economy(load_scenario("oahu", overrides={"memory": 0, "battery_levels": 9}))

    def carbon(economy: Economy) -> float:
        emitted = economy.supply.marginal_emissions_t_per_kwh(economy.mean_reference_kw)
        return economy.carbon_usd_per_t * float(emitted.mean())

    two = (np.array([0.0, 0.8]), np.array([0.05, 1.0]))
    lowest = ((textbook, LOWEST_SHARE), (oahu, 0.8))
    one = [(np.array([carbon(e), share]), np.array([carbon(e), 1.0])) for e, share in lowest]
    return [
        Box(title="textbook, pass-through", economy=textbook, low=one[0][0], high=one[0][1], points=(3, 9, 33)),
        Box(
            title="textbook, charge and pass-through",
            economy=textbook,
            low=two[0],
            high=two[1],
            points=(3, 5, 9),
            halvings=1,
        ),
        Box(title="oahu, pass-through", economy=oahu, low=one[1][0], high=one[1][1], points=(3, 9)),
    ]


def solved(box: Box, at: Floats, temperature: float, start: Equilibrium | None) -> Equilibrium:
    """The households' equilibrium at a temperature, exact at 0."""
    economy = at_temperature(box.economy, temperature)
    if temperature == 0:
        cold = solve_cold(economy, box.tariff(at)).equilibrium
        assert cold is not None
        return cold
    return solve_equilibrium(economy, box.tariff(at), start=start, certify=False)


def certify(box: Box, halvings: int) -> None:
    """Print how far apart the best tariffs of a box can be, its net halved where they may lie."""
    known: dict[bytes, Equilibrium] = {}
    net = box.net(box.points[-1])
    for step in range(halvings + 1):
        for at in net.parameters:
            key = at.round(12).tobytes()
            if key not in known:
                known[key] = solved(box, at, 0.0, None)
        cold = [known[at.round(12).tobytes()] for at in net.parameters]
        exact = np.array([WORTH(one) for one in cold])
        cells = [box.cell(at, net) for at in net.parameters]
        kept, apart = best_prices_apart(cold, exact, cells, stability=STABILITY)
        print(
            f"  ε = {net.epsilon:.4f}: best tariffs lie in {len(kept)} of {len(cold)} cells; prices of any two are"
            f" within {100 * apart / np.sqrt(24.0):.2f} ct/kWh in the mean square; best J_0 {exact.max():.5f}",
            flush=True,
        )
        if step < halvings:
            net = net.halved(kept)


def measure(box: Box) -> list[tuple[float, float, float, SoftmaxError]]:
    """Error and bound at each households' temperature, covering radius and leader's temperature."""
    finest = box.net(box.points[-1])
    cold = [solved(box, at, 0.0, None) for at in finest.parameters]
    exact = np.array([WORTH(one) for one in cold])
    best = float(exact.max())
    slope = lipschitz(finest, exact)
    gains = [
        net_bound(one, box.cell(at, finest), softness_usd(one), stability=STABILITY)
        for one, at in zip(cold, finest.parameters, strict=True)
    ]
    upper = float((exact + np.array(gains)).max())
    print(
        f"\n{box.title}: best J_0 {best:.5f}, range {np.ptp(exact):.4f}, J*_0 at most {upper - best:.1e} above;",
        end=" ",
    )
    print(f"steepest slope between members {slope:.4f} per range")
    certify(box, box.halvings)
    rows = []
    warm: list[Equilibrium | None] = [None] * len(cold)
    print("  temperature  epsilon  leader's     error     bound      net  followers   leader    ratio")
    for temperature in TEMPERATURES_USD:
        warm = [solved(box, at, temperature, before) for at, before in zip(finest.parameters, warm, strict=True)]
        soft = [softness_usd(one) for one in warm if one is not None]
        for points in box.points:
            net = box.net(points)
            places = [int(np.abs(finest.parameters - at).sum(axis=1).argmin()) for at in net.parameters]
            members = []
            for place, at in zip(places, net.parameters, strict=True):
                one = warm[place]
                assert one is not None
                members.append(
                    Member(
                        warm=one,
                        warm_objective=WORTH(one),
                        cold_objective=float(exact[place]),
                        followers=followers_bound(one, soft[place], stability=STABILITY),
                        net=net_bound(one, box.cell(at, net), soft[place], stability=STABILITY),
                    )
                )
            for leader in LEADERS_USD:
                found = softmax_error(members, leader, best)
                found = replace(found, largest=float(np.ptp(exact)))
                rows.append((temperature, net.epsilon, leader, found))
                ratio = found.bound / max(found.error, 1e-12)
                print(
                    f"  {temperature:11.1e}  {net.epsilon:7.4f}  {leader:8.0e}  {found.error:8.1e}  {found.bound:8.1e}"
                    f"  {found.net:7.1e}  {found.followers:9.1e}  {found.leader:7.1e}  {ratio:7.1e}"
                    f"{'  vacuous' if found.vacuous else ''}"
                )
    return rows


def main() -> None:
    """Measure, print and draw."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 6.4), layout="constrained", sharex=True)
    for (above, below), box in zip(axes.T, boxes(), strict=True):
        rows = measure(box)
        for colour, points in enumerate(box.points):
            radius = box.net(points).epsilon
            for leader, style in zip(LEADERS_USD, ("-", "--", ":"), strict=True):
                own = [row for row in rows if row[1] == radius and row[2] == leader]
                etas = [row[0] for row in own]
                known = [max(row[3].error, 1e-9) for row in own]
                bounds = [row[3].bound for row in own]
                label = f"ε = {radius:.3g}" if leader == LEADERS_USD[0] else None
                above.loglog(etas, known, style, marker=".", color=f"C{colour}", label=label)
                above.loglog(etas, bounds, style, color=f"C{colour}", alpha=0.35, lw=3)
                below.loglog(etas, np.array(bounds) / known, style, color=f"C{colour}")
        above.axhline(rows[0][3].largest, color="k", lw=0.8)
        above.set_title(box.title, fontsize="medium")
        above.legend(fontsize="small")
        below.set(xlabel="households' temperature η [USD]")
    axes[0, 0].set(ylabel="error (thin), bound (wide)\n[USD per household-day]; black: range of J")
    axes[1, 0].set(ylabel="bound over error\nη_L: solid 1e-2, dashed 1e-3, dotted 1e-4")
    figure.savefig(IMAGE, dpi=110)
    print(f"\nDrawn: {IMAGE.relative_to(Path(__file__).parents[2])}, {IMAGE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
