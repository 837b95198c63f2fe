"""The bound on the welfare of a family: never below any member's, and exact where all that it relaxes is absent."""

import numpy as np
import pytest
from family_files import (
    BARE,
    PEAK,
    TWO,
    WELFARE,
    best_rates,
    families_of,
    textbook_families,
    welfare_at,
    windows_by_hour,
)
from scenarios import preset_economy

from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.first_best import GAP_USD_PER_DAY, solve_first_best
from meanwatt.model.mean_field.leader.welfare_bound import WelfareBound
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import load_scenario

SMALL = "battery_levels=5"
FREE = """
[free]
"energy_usd_per_kwh.day" = [0.0, 0.6]
"energy_usd_per_kwh.peak" = [0.0, 0.6]
{more}
[fixed]
{fixed}
[windows]
peak = {{ start = [14, 20], width = [2, 6] }}
"""
WORLDS = {
    "batteries": ((SMALL,), "", 'recovery = "fixed"'),
    "solar and no battery": (("battery_share_scale=0",), "", 'recovery = "fixed"'),
    "solar under net metering": (
        ("battery_share_scale=0",),
        "",
        'recovery = "fixed"\nexport.rule = "net_metering"',
    ),
    "solar that may be curtailed": (
        ("battery_share_scale=0", "pv.curtailable=true", "pv_share_scale=2"),
        "",
        'recovery = "fixed"\nexport.rule = "net_metering"',
    ),
    "an adder on every kWh": (("battery_share_scale=0",), "", 'recovery = "volumetric"'),
    "an adder on a narrow range": (("battery_share_scale=0",), "", 'recovery = "volumetric"'),
    "solar that earns its worth beside dear imports": (
        ("battery_share_scale=0", "pv_share_scale=2", "elasticity=0.3"),
        "",
        'recovery = "fixed"\nexport.usd_per_kwh = 0.09\nexport.pass_through = 0.0',
    ),
    "a discount": (("battery_share_scale=0",), "", 'recovery = "fixed"\ndiscount.low = 0.4'),
    "a discount that is free": (("battery_share_scale=0",), '"discount.low" = [0.0, 0.6]', 'recovery = "fixed"'),
    "a wholesale part": (("battery_share_scale=0",), "pass_through = [0.0, 1.0]", 'recovery = "fixed"'),
    "hardly any flexibility": (
        ("battery_share_scale=0", "elasticity=0.4", "flexibility=0.05"),
        "",
        'recovery = "fixed"',
    ),
    "impatient households": ((SMALL, "discount_per_day=0.7"), "", 'recovery = "fixed"'),
}


BOUNDS = {"an adder on a narrow range": "[0.0, 0.02]", "solar that earns its worth beside dear imports": "[0.5, 0.6]"}
"""Of both energy charges, where they are others."""


@pytest.mark.parametrize("name", WORLDS)
def test_no_tariff_of_a_family_has_more_welfare_than_its_bound(name: str) -> None:
    """From supports at three loads: of the tariff in force, of a member, and of no tariff at all."""
    overrides, more, fixed = WORLDS[name]
    scenario = load_scenario("textbook", overrides=list(overrides))
    economy = build_economy(scenario)
    text = FREE.format(more=more, fixed=fixed)
    families = families_of(economy, text.replace("[0.0, 0.6]", BOUNDS.get(name, "[0.0, 0.6]")))
    value, bound = WELFARE.objective(), WelfareBound(economy)
    rng = np.random.default_rng(11)
    found = []
    for place in rng.choice(len(families.combinations.allowed), 3, replace=False):
        family = families.family(families.combinations.allowed[place])
        found += [
            (family, solve_equilibrium(economy, family.tariff(rng.uniform(family.low, family.high)), certify=False))
            for _ in range(2)
        ]
    loads = [found[0][1].net_load_kw, found[-1][1].net_load_kw, 1.3 * economy.mean_reference_kw]
    supports = [bound.support(load) for load in loads]
    for family, equilibrium in found:
        tied = bound.tied_types(family)
        assert min(bound.of(tied, support) for support in supports) >= value(equilibrium)


def test_posted_rates_tie_nobody_whose_use_an_envelope_may_hold_back() -> None:
    family = textbook_families(PEAK, *BARE).first
    free = preset_economy("textbook", *BARE)
    scenario = load_scenario(free.scenario, overrides={"feeder.envelopes.all.import_limit_kw": 1.0})
    assert len(WelfareBound(free).tied_types(family)) == len(free.types)
    assert WelfareBound(build_located_economy(scenario)).tied_types(family) == ()


def test_a_family_that_ties_nobody_is_bounded_by_the_first_best() -> None:
    """At the planner's load all types do what the planner does; carbon and batteries included."""
    economy = preset_economy("textbook", SMALL)
    best, bound = solve_first_best(economy), WelfareBound(economy)
    family = textbook_families("[free]\npass_through = [0.0, 1.0]\n", SMALL).first
    assert bound.tied_types(family) == ()
    limit = bound.of((), bound.support(best.net_load_kw))
    assert limit == pytest.approx(best.welfare_usd_per_household_day, abs=GAP_USD_PER_DAY)
    assert limit >= best.welfare_usd_per_household_day - best.duality_gap_usd


def test_without_batteries_and_solar_the_bound_is_the_best_welfare_of_the_windows() -> None:
    """Strong duality: at the load of the best rates, in plain NumPy."""
    economy = preset_economy("textbook", *BARE)
    reference = economy.mean_reference_kw[0]
    families, bound = textbook_families(PEAK, *BARE), WelfareBound(economy)
    for windows in families.combinations.allowed[::4]:
        window = windows_by_hour(windows)
        rate = best_rates(reference, window, 0.05, 0.10)[window]
        use = reference * (1 + 0.1 * (1 - rate / 0.185))
        best = welfare_at(rate, reference, 0.05, 0.10, economy.fixed_cost_usd_per_day)
        limit = bound.of(bound.tied_types(families.family(windows)), bound.support(use[None]))
        assert limit == pytest.approx(best, abs=3e-9)


def test_rates_that_the_family_does_not_reach_lower_the_bound() -> None:
    economy = preset_economy("textbook", *BARE)
    bound = WelfareBound(economy)
    support = bound.support(economy.mean_reference_kw)
    wide, narrow = (
        textbook_families(text, *BARE).first for text in (TWO, TWO.replace("peak = [0.0, 1.0]", "peak = [0.9, 1.0]"))
    )
    assert bound.of(bound.tied_types(narrow), support) < bound.of(bound.tied_types(wide), support) - 1e-3


def test_a_single_day_and_a_falling_cost_have_no_bound() -> None:
    one_day = preset_economy("textbook", "one_day.charge=empty")
    with pytest.raises(ValueError, match="single day"):
        WelfareBound(one_day)
