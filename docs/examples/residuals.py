"""Who pays for a shift of load, and default rates by class: ``uv run python docs/examples/residuals.py``."""

import sys

import numpy as np

from meanwatt.analysis.metrics.default_rate import ClassDemand, default_rate
from meanwatt.analysis.metrics.equity import own_marginal_cost_usd_per_day
from meanwatt.analysis.metrics.residual_allotment import Allotter, Loads, allotted_residual_usd_per_day, shift_incidence
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

CENTS = 100.0
CASES = (
    ("as it is", {}),
    ("most of it paid by a fixed charge", {"fixed_charge_usd_per_day": 0.8}),
    ("more paid by the fixed charge than allotted", {"fixed_charge_usd_per_day": 1.2}),
    ("ten times the residual", {"residual_usd_per_day": 9.86}),
    ("a residual that no rate below the cap pays", {"residual_usd_per_day": 20.0}),
    ("customers who leave (elasticity 1, flexibility 1)", {"elasticity": 1.0, "flexibility": 1.0}),
    ("the same, twice the residual", {"elasticity": 1.0, "flexibility": 1.0, "residual_usd_per_day": 1.97}),
    ("nothing bought from the grid", {"reference_kwh_per_day": 0.0}),
)


def loads_of(found: Equilibrium) -> Loads:
    """What an allotter sees of every household type at an equilibrium."""
    economy = found.economy
    cost = own_marginal_cost_usd_per_day(
        found.type_net_load_kw,
        found.wholesale_usd_per_kwh,
        slot_hours=economy.slot_hours,
        probability=economy.common.probability,
    )
    imported = []
    for response, flow in zip(found.answer.responses, found.answer.flows, strict=True):
        by_slot = (flow.frequency * response.outcome.imported_kw).sum(axis=(2, 3))
        imported.append(economy.slot_hours * float(economy.common.probability @ by_slot.sum(axis=1)))
    return Loads(own_marginal_cost_usd_per_day=cost, imported_kwh_per_day=np.array(imported))


def main() -> None:
    """Print both tables."""
    tariff = "tou"
    after_scenario = load_scenario("textbook", tariff=tariff)
    before_scenario = load_scenario("textbook", overrides={"battery_share_scale": 0}, tariff=tariff)
    before, after = (
        solve_equilibrium(build_economy(one), build_tariff(one), certify=False)
        for one in (before_scenario, after_scenario)
    )
    economy = after.economy
    residual, share = economy.fixed_cost_usd_per_day, economy.type_share
    names = [f"{one.income_group} / {one.technology}" for one in economy.types]
    old, new = loads_of(before), loads_of(after)
    of = [[f"{one.income_group} / {one.technology}" for one in before.economy.types].index(_without(n)) for n in names]
    old = Loads(
        own_marginal_cost_usd_per_day=old.own_marginal_cost_usd_per_day[of],
        imported_kwh_per_day=old.imported_kwh_per_day[of],
    )
    sys.stdout.write(f"cents per household-day; residual {CENTS * residual:.1f}\n")
    for allotter in Allotter:
        found = shift_incidence(old, new, residual, allotter=allotter, weights=share)
        allotted = allotted_residual_usd_per_day(
            residual,
            allotter=allotter,
            own_marginal_cost_usd_per_day=new.own_marginal_cost_usd_per_day,
            allotment_kwh_per_day=new.imported_kwh_per_day if allotter is Allotter.PER_KWH else None,
            weights=share,
        )
        assert found is not None
        assert allotted is not None
        for place, name in enumerate(names):
            numbers = (allotted[place], found.frozen[place], found.adjusting[place])
            sys.stdout.write(f"{allotter} | {name} | " + " | ".join(f"{CENTS * one:.2f}" for one in numbers) + "\n")
    for label, change in CASES:
        settings = {
            "reference_kwh_per_day": 14.0,
            "reference_price_usd_per_kwh": 0.185,
            "elasticity": 0.1,
            "flexibility": 0.5,
            "marginal_cost_usd_per_kwh": 0.1125,
            "residual_usd_per_day": 0.986,
            "fixed_charge_usd_per_day": 0.0,
        }
        found_rate = default_rate(ClassDemand(**(settings | change)))
        rate = "–" if found_rate.usd_per_kwh is None else f"{found_rate.usd_per_kwh:.4f}"
        line = (label, rate, str(found_rate.reason or ""), f"{found_rate.missing_usd_per_day:.3f}")
        sys.stdout.write(" | ".join((*line, f"{found_rate.largest_margin_usd_per_day:.3f}")) + "\n")


def _without(name: str) -> str:
    """The same home before it had a battery."""
    return name.replace("pv_battery", "pv").replace("/ battery", "/ none")


if __name__ == "__main__":
    main()
