# ruff: noqa: T201
"""Error and bound of a softmax leader end to end: ``uv run python docs/examples/softmax_end_to_end.py`` prints both.

The leader wants welfare less price volatility. It posts an energy charge on top of a share of the wholesale price;
imports and exports have one rate. Oahu is without memory, its batteries in 9 levels; one free parameter means that the
energy charge is that of carbon. What was measured of a box is kept in ``run/softmax_end_to_end.json``.
"""

import json
import time
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import meanwatt
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.analysis.leader.bill_range import burden_gap_range
from meanwatt.analysis.leader.leader_spec import LeaderSpec
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
WORTH = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": STABILITY}).objective()
LOWEST_SHARE = 0.4
TEMPERATURES_USD = (0.02, 0.0025, 3e-4, 3e-5)
LIMIT_USD = 1e-6
"""Stands for the limit of softmax households where no bound holds. [USD]"""
LEADERS_USD = (1e-2, 1e-3, 1e-4)
EQUITY = 5.0
"""Weight of the burden gap that its interval is multiplied by, as in the commission's designs."""
SMALLEST_USD = 1e-9
"""Errors below are not drawn, nor is what a bound is over them. [USD per household-day]"""
KEPT = Path("run") / "softmax_end_to_end.json"
STYLES = dict(zip(LEADERS_USD, ("-", "--", ":"), strict=True))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Error and bound at one temperature of households, covering radius and temperature of the leader."""

    temperature_usd: float
    epsilon: float
    leader_usd: float
    found: SoftmaxError


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that is measured of a box.

    Attributes
    ----------
    rows
        Error and bound.
    said
        What is printed above them.
    followers_usd
        Largest |J_0 − J_η| of a member between the exact equilibrium and softmax at `LIMIT_USD`, an estimate of
        J̄_0 − J̲_0, where no bound holds; else None. [USD per household-day]
    """

    rows: list[Row]
    said: list[str]
    followers_usd: float | None = None


@dataclass(kw_only=True)
class Nets:
    """A box's members at temperature 0, and what they are worth."""

    box: Box
    known: dict[bytes, Equilibrium] = field(default_factory=dict)

    def cold(self, net: EpsilonNet) -> tuple[list[Equilibrium], Floats]:
        """Exact equilibria of a net's members, each solved once, and J_0."""
        found = []
        for at in net.parameters:
            key = at.round(12).tobytes()
            if key not in self.known:
                self.known[key] = solved(self.box, at, 0.0, None)
            found.append(self.known[key])
        return found, np.array([WORTH(one) for one in found])


def solved(box: Box, at: Floats, temperature: float, start: Equilibrium | None) -> Equilibrium:
    """The households' equilibrium at a temperature, exact at 0."""
    economy = at_temperature(box.economy, temperature)
    if temperature == 0:
        cold = solve_cold(economy, box.tariff(at)).equilibrium
        assert cold is not None
        return cold
    return solve_equilibrium(economy, box.tariff(at), start=start, certify=False)


def certify(nets: Nets) -> list[str]:
    """Say how far apart the best tariffs of a box can be, its net halved where they may lie."""
    box, said = nets.box, []
    net = box.net(box.points[-1])
    for step in range(box.halvings + 1):
        cold, exact = nets.cold(net)
        cells = [box.cell(at, net) for at in net.parameters]
        kept, apart = best_prices_apart(cold, exact, cells, stability=STABILITY)
        said.append(
            f"ε = {net.epsilon:.4f}: best tariffs lie in {len(kept)} of {len(cold)} cells; prices of any two are"
            f" within {100 * apart / np.sqrt(24.0):.2f} ct/kWh in the mean square; best J_0 {exact.max():.5f}"
        )
        if step < box.halvings:
            net = net.halved(kept)
    return said


def burdens(cold: list[Equilibrium], exact: Floats) -> str:
    """Say what wear among tied plans leaves open of the burden gap at temperature 0."""
    ranges = [burden_gap_range(one) for one in cold]
    widths = [float(one.high - one.low) for one in ranges]
    best = ranges[int(exact.argmax())]
    return (
        f"burden gap at η = 0: {100 * float(best.low):.3f} to {100 * float(best.high):.3f} % of income at the best"
        f" member, open by {100 * max(widths):.3f} % at most; with equity={EQUITY:g} J̄_0 − J̲_0 is at most"
        f" {EQUITY * max(widths):.5f}"
    )


def measure(box: Box) -> Measured:
    """Error and bound at each households' temperature, covering radius and leader's temperature."""
    began, finest, nets = time.process_time(), box.net(box.points[-1]), Nets(box=box)
    cold, exact = nets.cold(finest)
    best = float(exact.max())
    gains = [
        net_bound(one, box.cell(at, finest), softness_usd(one), stability=STABILITY)
        for one, at in zip(cold, finest.parameters, strict=True)
    ]
    above = float((exact + gains).max()) - best
    known = f"J*_0 at most {above:.1e} above" if np.isfinite(above) else "J*_0 not bounded"
    said = [
        f"best J_0 {best:.5f}, range {np.ptp(exact):.4f}, {known};"
        f" steepest slope between members {lipschitz(finest, exact):.4f} per range",
        *(certify(nets) if np.isfinite(above) else []),
        burdens(cold, exact),
    ]
    rows: list[Row] = []
    warm: list[Equilibrium | None] = [None] * len(cold)
    for temperature in TEMPERATURES_USD:
        warm = [solved(box, at, temperature, before) for at, before in zip(finest.parameters, warm, strict=True)]
        soft = [softness_usd(one) for one in warm if one is not None]
        for points in box.points:
            net = box.net(points)
            members = []
            for at in net.parameters:
                place = int(np.abs(finest.parameters - at).sum(axis=1).argmin())
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
                found = replace(softmax_error(members, leader, best), largest=float(np.ptp(exact)))
                rows.append(Row(temperature_usd=temperature, epsilon=net.epsilon, leader_usd=leader, found=found))
    followers = None
    if not np.isfinite([row.found.bound for row in rows]).all():
        limit = [solved(box, at, LIMIT_USD, before) for at, before in zip(finest.parameters, warm, strict=True)]
        followers = max(abs(WORTH(one) - worth) for one, worth in zip(limit, exact.tolist(), strict=True))
    said.append(f"{time.process_time() - began:.0f} s of processor time")
    return Measured(rows=rows, said=said, followers_usd=followers)


def kept(box: Box) -> Measured:
    """What an earlier run measured of a box, or else what is measured now, kept for the next."""
    KEPT.parent.mkdir(exist_ok=True)
    table: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    decides = [meanwatt.__version__, box.title, box.low.tolist(), box.high.tolist(), box.points, box.halvings]
    key = json.dumps([*decides, STABILITY, TEMPERATURES_USD, LIMIT_USD, LEADERS_USD])
    if key not in table:
        table[key] = asdict(measure(box))
        KEPT.write_text(json.dumps(table), encoding="utf-8")
    one = table[key]
    rows = [Row(**{**row, "found": SoftmaxError(**row["found"])}) for row in one["rows"]]
    return Measured(rows=rows, said=one["said"], followers_usd=one["followers_usd"])


def show(box: Box, measured: Measured) -> None:
    """Print it."""
    print(f"\n{box.title}")
    for sentence in measured.said:
        print(f"  {sentence}")
    print("  temperature  epsilon  leader's     error     bound      net  followers   leader    ratio")
    for row in measured.rows:
        found = row.found
        parts = (
            f"{found.bound:8.1e}  {found.net:7.1e}  {found.followers:9.1e}  {found.leader:7.1e}"
            f"  {found.bound / max(found.error, 1e-12):7.1e}{'  vacuous' if found.vacuous else ''}"
            if np.isfinite(found.bound)
            else "none"
        )
        print(f"  {row.temperature_usd:11.1e}  {row.epsilon:7.4f}  {row.leader_usd:8.0e}  {found.error:8.1e}  {parts}")
    if measured.followers_usd is not None:
        print(
            f"  no bound is claimed; measured between exact and softmax at {LIMIT_USD:g}: {measured.followers_usd:.1e}"
        )


def draw(above: Axes, below: Axes, box: Box, measured: Measured) -> None:
    """Error and bound over the temperature, and their ratio; where there is no bound it says so."""
    for colour, points in enumerate(box.points):
        radius = box.net(points).epsilon
        for leader, style in STYLES.items():
            own = [row for row in measured.rows if row.epsilon == radius and row.leader_usd == leader]
            etas = [row.temperature_usd for row in own]
            errors = np.array([row.found.error for row in own])
            errors[errors < SMALLEST_USD] = np.nan
            bounds = np.array([row.found.bound for row in own])
            label = f"ε = {radius:.3g}" if leader == LEADERS_USD[0] else None
            above.loglog(etas, errors, style, marker=".", color=f"C{colour}", label=label)
            if np.isfinite(bounds).all():
                above.loglog(etas, bounds, style, color=f"C{colour}", alpha=0.35, lw=3)
                below.loglog(etas, bounds / errors, style, marker=".", color=f"C{colour}")
    largest = measured.rows[0].found.largest
    above.axhline(largest, color="k", lw=0.8)
    above.set_ylim(SMALLEST_USD / 20, 5.0)
    above.axhspan(largest, 5.0, color="grey", alpha=0.15, lw=0)
    above.text(0.98, 0.97, "vacuous: above the range of J", transform=above.transAxes, ha="right", va="top", size=8)
    above.set_title(box.title, fontsize="medium")
    above.legend(fontsize="x-small", loc="lower left")
    above.set_xticklabels([])
    below.set(xlabel="households' temperature η [USD]", xlim=above.get_xlim())
    if measured.followers_usd is not None:
        below.set(xscale="log", yticks=[])
        below.text(
            0.5,
            0.5,
            "No bound is claimed: the supply curve\nis flat within reach of the loads,\nσ_min = 0, and d/σ_min is"
            " infinite.\n\nMeasured, not proved:\nexact households and softmax ones at\n"
            f"η = {LIMIT_USD:g} are at most {measured.followers_usd:.1e} apart\n(for J̄_0 − J̲_0), USD per"
            " household-day",
            transform=below.transAxes,
            ha="center",
            va="center",
            size=9,
        )


def main() -> None:
    """Measure, print and draw."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 7), layout="constrained")
    for (above, below), box in zip(axes.T, boxes(), strict=True):
        measured = kept(box)
        show(box, measured)
        draw(above, below, box, measured)
    axes[0, 0].set(ylabel="error (thin) and bound (wide)\n[USD per household-day]")
    axes[1, 0].set(ylabel="bound over error")
    lines = [Line2D([], [], color="k", ls=style, label=f"η_L = {leader:g}") for leader, style in STYLES.items()]
    axes[1, 0].legend(handles=lines, fontsize="x-small")
    figure.savefig(IMAGE, dpi=110)
    print(f"\nDrawn: {IMAGE.relative_to(Path(__file__).parents[2])}, {IMAGE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
