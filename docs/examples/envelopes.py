# ruff: noqa: T201
"""How much solar fits within operating envelopes: ``uv run python docs/examples/envelopes.py`` prints and draws it.

The rural feeder of ``envelopes.toml`` without limits; with an export limit for all, at all times, a tight and a mild
one; and with a limit on the far half of every cable, round noon alone. How much solar fits in each case, and who
curtails what for it.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.hosting.adoption import Swept, adoption_levels, scenario_at
from meanwatt.analysis.hosting.first_violation import ANY, percentiles, violation_share
from meanwatt.analysis.hosting.judged import HostedTariff, judge
from meanwatt.analysis.hosting.sweep import HostingPlan, sweep
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.envelope_outcome import by_envelope
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import Scenario, load_scenario

SCENARIO = Path(__file__).with_name("envelopes.toml")
IMAGE = Path(__file__).parents[1] / "images" / "envelopes.png"
FREE = 100.0  # kW, more than anybody feeds in
NOON = [FREE] * 9 + [1.5] * 7 + [FREE] * 8
CASES: dict[str, dict[str, Any]] = {
    "none": {},
    "fixed": {"feeder.envelopes.all.export_limit_kw": 1.5},
    "mild": {"feeder.envelopes.all.export_limit_kw": 2.0},
    "far at noon": {"feeder.envelopes.noon.branch": "far", "feeder.envelopes.noon.export_limit_kw": NOON},
}
LOOKS = {
    "none": ("#d55e00", "s", "--"),
    "fixed": ("#0072b2", "o", "-"),
    "mild": ("#cc79a7", "v", ":"),
    "far at noon": ("#009e73", "^", "-."),
}
NAMES = {
    "none": "no limit",
    "fixed": "1.5 kW for all, always",
    "mild": "2 kW for all, always",
    "far at noon": "1.5 kW on the far half, 9 to 16 h",
}
ADOPTION = 0.8
PLACEMENTS = 20


def scenario(case: str) -> Scenario:
    """The scenario of a case."""
    return load_scenario(SCENARIO, overrides=CASES[case])


def hosted(case: str) -> tuple[HostingPlan, HostedTariff]:
    """First violations in the placements at every tenth of adoption."""
    loaded = scenario(case)
    peak_kw = build_located_economy(loaded).peak_reference_kw
    plan = HostingPlan(
        feeder=scenario_feeder(loaded.feeder, peak_reference_kw=peak_kw),
        scenarios={case: loaded},
        levels=adoption_levels(0.1),
        placements=PLACEMENTS,
        key=key_from(0),
    )
    return plan, judge(plan, list(sweep(plan)))[0]


def at_adoption(case: str) -> Equilibrium:
    """The equilibrium where four of five homes have solar."""
    grown = scenario_at(scenario(case), Swept.SOLAR, ADOPTION)
    return solve_equilibrium(build_located_economy(grown), build_tariff(grown), certify=False)


def curtailed(found: Equilibrium) -> dict[str, dict[str, float]]:
    """Part of its solar output that each income group curtails, on the near and on the far half; and of both."""
    parts: dict[str, dict[str, list[float]]] = {}
    for household, response, flow in zip(found.economy.types, found.answer.responses, found.answer.flows, strict=True):
        spilt = response.outcome.curtailed_kw
        chance = found.economy.common.probability
        lost = 0.0 if spilt is None else float(chance @ (flow.frequency * spilt).sum(axis=(1, 2, 3)))
        for half in (household.branch, "both"):
            sums = parts.setdefault(half, {}).setdefault(household.income_group, [0.0, 0.0])
            sums[0] += household.share * lost
            sums[1] += household.share * float(chance @ household.pv_kw.sum(axis=1))
    return {half: {g: round(100 * a / b, 2) if b else 0.0 for g, (a, b) in own.items()} for half, own in parts.items()}


def solar_bills(found: Equilibrium) -> dict[str, float]:
    """Mean yearly bill of homes with solar, by half of the cable. [USD]"""
    types, share = found.economy.types, found.economy.type_share
    bills = {}
    for half in ("rest", "far"):
        here = np.array([one.branch == half and one.pv_installed_kw > 0 for one in types])
        bills[half] = round(365 * float(share[here] @ found.bill_usd_per_day[here] / share[here].sum()), 0)
    return bills


def draw(judged: dict[str, tuple[HostingPlan, HostedTariff]], lost: dict[str, dict[str, dict[str, float]]]) -> None:
    """Placements in violation over adoption (left), and what is curtailed by income group and place (right)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    for case, (plan, one) in judged.items():
        color, mark, stroke = LOOKS[case]
        share = 100 * np.array(violation_share(one.broken[ANY]))
        left.plot(100 * np.array(plan.levels), share, color=color, marker=mark, ls=stroke, label=NAMES[case])
    groups = list(lost["fixed"]["both"])
    for number, (case, half) in enumerate((("fixed", "both"), ("mild", "both"), ("far at noon", "far"))):
        where = " (homes there; the near half nothing)" if half == "far" else ""
        part = [lost[case][half].get(group, 0.0) for group in groups]
        place = np.arange(len(groups)) + 0.25 * (number - 1)
        right.bar(place, part, 0.22, color=LOOKS[case][0], label=NAMES[case] + where)
    right.set_xticks(np.arange(len(groups)), groups)
    left.set(xlabel="homes with solar, %", ylabel="placements with a violation, %")
    left.set_title("How much solar fits", fontsize=11)
    left.legend(frameon=False, fontsize=9)
    right.set(xlabel="income group", ylabel="of its solar output curtailed, %")
    right.set_title(f"Who curtails it, {ADOPTION:.0%} of homes with solar", fontsize=11)
    right.legend(frameon=False, fontsize=8)
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    figure.savefig(IMAGE, dpi=100)


def main() -> None:
    """Print a few lines for each case and draw the figure."""
    judged, lost = {}, {}
    for case in CASES:
        found = at_adoption(case)
        metrics = equilibrium_metrics(found)
        lost[case] = curtailed(found)
        print(f"{case}: welfare {metrics.welfare_usd_per_household_day:.4f}, burden", metrics.burden)
        print(f"  {found.curtailed_kwh_per_household_day:.3f} kWh curtailed, % of solar", lost[case])
        print("  yearly bill with solar", solar_bills(found))
        for row in by_envelope(found.envelopes):
            print(f"  binds {row.export_hours:.2f} h a day, held back {row.held_back_kwh:.3f} kWh")
    for case in CASES:
        judged[case] = hosted(case)
        first: dict[str, Any] = {kind: percentiles(values) for kind, values in judged[case][1].first.items()}
        print(case, first[ANY], "overvoltage", first["overvoltage"], "transformer", first["transformer"], flush=True)
    draw(judged, lost)


if __name__ == "__main__":
    main()
