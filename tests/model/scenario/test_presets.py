"""The presets: sourced numbers, the break-even prices they were made for, and tariffs that make sense."""

import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq

from meanwatt.agents.household.demand import best_use_kw, wanted_use_kw
from meanwatt.agents.tariff.rates import payment_usd
from meanwatt.agents.tariff.tariff import Tariff, rates
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import PRESETS, Scenario, load_scenario, presets

NAMES = ("textbook", "oahu", "california", "stress")
FLAT_WITHOUT_PV = {"textbook": 0.185, "oahu": 0.427, "california": 0.350, "stress": 0.427}
FLAT_NET_METERING = {"textbook": 0.238, "oahu": 0.527, "california": 0.377}
FLAT_NET_BILLING = {"textbook": 0.187, "oahu": 0.433, "california": 0.343, "stress": 0.552}


def surplus_usd_per_day(economy: Economy, tariff: Tariff, adder_usd_per_kwh: float) -> float:
    """Revenue less cost per household-day, fixed charges aside, of households that leave their batteries alone.

    An independent route to what the equilibrium solver finds: price and use answer each other until they agree.
    """
    price, before = np.full(economy.rest_load_kw.shape, 0.2), np.inf
    for _ in range(400):
        posted = rates(tariff, economy.common.today, price, adder_usd_per_kwh)
        load_kw, revenue_usd = np.zeros_like(price), np.zeros_like(price)
        for household in economy.types:
            own = tariff.for_group(posted, household.group)
            buying_kw, selling_kw = (
                wanted_use_kw(
                    economy.shock_levels[:, None, None] * household.reference_kw,
                    rate,
                    elasticity=household.elasticity,
                    flexibility=household.flexibility,
                    reference_price=household.reference_price_usd_per_kwh,
                )
                for rate in (own.import_usd_per_kwh, own.export_usd_per_kwh)
            )
            net_kw = best_use_kw(household.pv_kw, buying_kw, selling_kw) - household.pv_kw
            paid = payment_usd(net_kw, own.import_usd_per_kwh, own.export_usd_per_kwh, economy.slot_hours)
            load_kw += household.share * np.tensordot(economy.shock_probability, net_kw, 1)
            revenue_usd += household.share * np.tensordot(economy.shock_probability, paid, 1)
        answer = economy.supply.price(load_kw + economy.rest_load_kw)
        gap = np.abs(answer - price).max()
        if gap < 1e-11:
            break
        price = answer if gap < before / 2 else (price + answer) / 2
        before = gap
    else:
        pytest.fail("price and use did not agree in 400 rounds")
    cost_usd = economy.slot_hours * answer * load_kw
    expected = economy.common.probability @ (revenue_usd - cost_usd).sum(axis=1)
    return float(expected) - economy.fixed_cost_usd_per_day


def break_even_usd_per_kwh(scenario: Scenario) -> float | None:
    """Smallest flat price at which the scenario's flat tariff covers its cost, or None."""
    economy, tariff = build_economy(scenario), build_tariff(scenario, "flat")
    energy = float(tariff.energy_usd_per_kwh[0, 0])

    def surplus(price: float) -> float:
        return surplus_usd_per_day(economy, tariff, price - energy)

    grid = np.concatenate([np.arange(0.10, 0.80, 0.05), np.arange(0.8, 2.01, 0.2)])
    for (low, below), (high, above) in pairwise((price, surplus(price)) for price in grid):
        if below < 0 <= above:
            return float(brentq(surplus, low, high, xtol=1e-7))
    return None


def test_the_four_presets_are_there_and_the_textbook_comes_first() -> None:
    assert presets() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_without_pv_the_flat_price_breaks_even_where_the_preset_was_meant_to(name: str) -> None:
    scenario = load_scenario(name, overrides=["pv_share_scale=0"], tariff="flat")
    price = break_even_usd_per_kwh(scenario)
    assert price == pytest.approx(FLAT_WITHOUT_PV[name], rel=0.005)
    # at p0 demand is the reference demand, so the closed form needs no elasticity: p = (E[λq] + K) / E[q]
    economy = build_economy(scenario)
    load_kw = economy.mean_reference_kw
    hourly = economy.common.probability[:, None] * economy.slot_hours
    closed = ((hourly * economy.supply.price(load_kw) * load_kw).sum() + economy.fixed_cost_usd_per_day) / (
        hourly * load_kw
    ).sum()
    assert closed == pytest.approx(price, rel=5e-4)
    assert scenario.reference_price_usd_per_kwh == pytest.approx(closed, abs=5e-4)


@pytest.mark.parametrize("name", sorted(FLAT_NET_METERING))
def test_with_pv_the_flat_price_under_net_metering_is_near_the_target(name: str) -> None:
    scenario = load_scenario(name, overrides=["tariff.export.rule=net_metering"], tariff="flat")
    assert break_even_usd_per_kwh(scenario) == pytest.approx(FLAT_NET_METERING[name], rel=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_with_pv_the_flat_price_under_net_billing_is_near_the_target(name: str) -> None:
    assert break_even_usd_per_kwh(load_scenario(name, tariff="flat")) == pytest.approx(FLAT_NET_BILLING[name], rel=0.15)


def test_under_stress_net_metering_breaks_even_at_an_absurd_price_and_with_more_solar_at_none() -> None:
    metered = ["tariff.export.rule=net_metering"]
    today = load_scenario("stress", overrides=metered, tariff="flat")
    assert break_even_usd_per_kwh(today) == pytest.approx(1.69, rel=0.15)
    sunnier = load_scenario("stress", overrides=[*metered, "pv_scale=1.5"], tariff="flat")
    assert break_even_usd_per_kwh(sunnier) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tariff", ["flat", "tou"])
@pytest.mark.parametrize("pv", ["pv_share_scale=0", "pv_share_scale=1"])
def test_volumetric_tariffs_need_an_adder_so_none_starts_in_surplus(name: str, tariff: str, pv: str) -> None:
    scenario = load_scenario(name, overrides=[pv], tariff=tariff)
    assert surplus_usd_per_day(build_economy(scenario), build_tariff(scenario), 0.0) < 0


@pytest.mark.parametrize("name", NAMES)
def test_the_flat_energy_charge_is_the_mean_social_marginal_cost_without_pv(name: str) -> None:
    economy = build_economy(load_scenario(name, overrides=["pv_share_scale=0"]))
    social = economy.supply.shifted_by_carbon(economy.carbon_usd_per_t)
    load_kw = economy.mean_reference_kw
    weight = economy.common.probability[:, None] * load_kw
    mean = float((weight * social.price(load_kw)).sum() / weight.sum())
    charge = build_tariff(economy.scenario, "flat").energy_usd_per_kwh
    assert charge == pytest.approx(np.full(charge.shape, mean), abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tariff", ["rtp", "two_part", "income_graduated"])
def test_marginal_price_tariffs_charge_and_credit_the_social_marginal_cost(name: str, tariff: str) -> None:
    economy = build_economy(load_scenario(name))
    posted = build_tariff(economy.scenario, tariff)
    price = np.full(economy.rest_load_kw.shape, 0.2)
    own = rates(posted, economy.common.today, price, 0.0)
    carbon = economy.carbon_usd_per_t * float(economy.supply.marginal_emissions_t_per_kwh(0.5))
    assert own.import_usd_per_kwh == pytest.approx(price + carbon, abs=1e-12)
    assert own.export_usd_per_kwh == pytest.approx(price + carbon, abs=1e-12)
    assert posted.export_usd_per_kwh == pytest.approx(np.full((len(posted.energy_usd_per_kwh), 24), carbon), abs=1e-12)
    assert posted.recovery == "fixed"


@pytest.mark.parametrize("name", NAMES)
def test_time_of_use_is_one_to_two_to_three(name: str) -> None:
    rate = build_tariff(load_scenario(name), "tou").energy_usd_per_kwh
    levels = np.unique(rate)
    assert levels / levels[0] == pytest.approx([1, 2, 3], rel=1e-12)
    assert (rate[:, 9] == levels[0]).all()
    assert (rate[:, 18] == levels[2]).all()
    assert (rate[:, 0] == levels[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_graduated_charge_rises_with_income_and_the_equal_one_does_not(name: str) -> None:
    scenario = load_scenario(name)
    incomes = [group.income_usd_per_year for group in scenario.income_groups.values()]
    assert incomes == sorted(incomes)
    assert (np.diff(build_tariff(scenario, "income_graduated").fixed_charge_shape) > 0).all()
    assert (np.diff(build_tariff(scenario, "two_part").fixed_charge_shape) == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_offers_the_promised_tariffs(name: str) -> None:
    scenario = load_scenario(name)
    assert set(scenario.tariffs) == {"flat", "tou", "rtp", "two_part", "income_graduated", "filed"}
    assert scenario.selected_tariff == ("flat" if name == "textbook" else "filed")
    assert scenario.tariffs["filed"].recovery == "posted"
    assert all(tariff.title for tariff in scenario.tariffs.values())


def test_real_rates_carry_the_date_they_were_in_force() -> None:
    for name, date in (("oahu", "2024-02-01"), ("california", "2026-03-01"), ("stress", "2024-02-01")):
        assert load_scenario(name).tariffs["filed"].as_of == date


def test_stress_is_oahu_but_for_its_solar_its_storage_its_feeder_and_its_flexibility() -> None:
    def leaves(table: object, place: str = "") -> dict[str, object]:
        if not isinstance(table, dict):
            return {place: table}
        return {key: leaf for name, inner in table.items() for key, leaf in leaves(inner, f"{place}.{name}").items()}

    oahu, stress = (leaves(load_scenario(name).model_dump()) for name in ("oahu", "stress"))
    changed = {key for key in oahu.keys() | stress.keys() if oahu.get(key) != stress.get(key)}
    own = {
        f".income_groups.{group}.{key}"
        for group in ("low", "middle", "high")
        for key in ("pv_share", "pv_kw", "storage_share_of_pv")
    }
    assert changed == own | {".name", ".title", ".feeder.name", ".flexibility"}


@pytest.mark.parametrize("name", ["oahu", "california"])
def test_owners_produce_as_much_as_they_use_in_a_year(name: str) -> None:
    economy = build_economy(load_scenario(name))
    for household in economy.types:
        if household.pv_kw.any():
            produced, used = (
                float(economy.common.probability @ kw.sum(axis=1)) for kw in (household.pv_kw, household.reference_kw)
            )
            # sizes are rounded to 0.1 kW of at least 3.7 kW, and use factors to two digits
            assert produced == pytest.approx(used, rel=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_preset_says_where_it_comes_from(name: str) -> None:
    """An entry with a number has a comment on one of its lines, or right above it."""
    entry, said, above, checked = "", False, False, 0
    for line in (PRESETS / f"{name}.toml").read_text(encoding="utf-8").splitlines():
        code, _, comment = re.sub(r'"[^"]*"', '""', line).partition("#")
        if not code.strip() and not entry:
            above = bool(comment.strip())
            continue
        entry, said = entry + code, said or bool(comment.strip())
        if entry.count("[") == entry.count("]") and entry.count("{") == entry.count("}"):
            value = entry.partition("=")[2]
            if re.search(r"\d", re.sub(r"[A-Za-z_]\w*", "", value)):
                checked += 1
                assert said or above, f"{name}.toml: no source for {entry.strip()}"
            entry, said, above = "", False, False
    assert checked > 9


@pytest.mark.parametrize("name", NAMES)
def test_group_shares_and_penetration_are_those_stated(name: str) -> None:
    economy = build_economy(load_scenario(name))
    owners = sum(household.share for household in economy.types if household.pv_kw.any())
    stated = {"textbook": 0.3, "oahu": 0.258, "california": 0.143, "stress": 0.6}
    assert owners == pytest.approx(stated[name], abs=5e-4)
