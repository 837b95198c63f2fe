"""Bills of a simulated population under two tariffs, beside a biller in plain loops and laws of the accounts."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.analysis.impacts.frozen_terms import frozen_terms
from meanwatt.analysis.impacts.population import PopulationImpacts, population_impacts
from meanwatt.analysis.practice.filing import predict
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.posted_terms import make_offer, with_adder
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.messages import scenario_messages

SMALL = "battery_levels=5"
HOMES, DAYS = 40, 5
SIZE = {"households": HOMES, "rng": 7, "threads": 1}


@cache
def done(preset: str, a: str, b: str) -> PopulationImpacts:
    return population_impacts(
        preset_economy(preset, SMALL),
        preset_tariff(preset, a, SMALL),
        preset_tariff(preset, b, SMALL),
        size=SIZE,
        days=DAYS,
    )


def by_hand(preset: str, lived: str, billed: Tariff, adder: float, charge: np.ndarray) -> np.ndarray:
    """A year's bills of the meters under one tariff by another's rates: a slot after the other, in plain floats."""
    economy = preset_economy(preset, SMALL)
    market = ProsumerMarket(economy, policies=solved(preset, lived, SMALL), power_flow=False, households=HOMES, rng=7)
    bills = [0.0] * HOMES
    for _ in range(DAYS):
        market.step()
        record = market.history[-1]
        today = int(economy.common.today[record.common_state])
        for home in range(HOMES):
            own = economy.types[market.population.type_of(home)]
            bill = float(charge[own.group])
            bill += sum(one.usd_per_day(own) for one in billed.standing_charges)
            for slot in range(economy.slots):
                price = float(record.wholesale_usd_per_kwh[slot])
                posted = float(billed.energy_usd_per_kwh[today, slot]) + billed.pass_through * price + adder
                bought = (1 - float(billed.discount[own.group])) * posted
                sold = float(billed.export_usd_per_kwh[today, slot]) + billed.export_pass_through * price
                if billed.export_rule is ExportRule.NET_METERING:
                    sold = bought
                elif billed.export_rule is ExportRule.NONE:
                    sold = 0.0
                elif billed.capped_at_import:
                    sold = min(sold, bought)
                kwh = float(market.population.energy_kwh[home, slot])
                bill += kwh * (bought if kwh > 0 else sold)
            bills[home] += bill
    market.close()
    return np.array(bills) * 365 / DAYS


@pytest.mark.parametrize(
    ("preset", "a", "b"),
    [
        ("textbook", "flat", "rtp"),
        ("textbook", "rtp", "tou"),
        ("oahu", "flat", "filed"),
        ("california", "flat", "filed"),
    ],
)
def test_every_bill_is_that_of_a_biller_in_plain_loops(preset: str, a: str, b: str) -> None:
    found = done(preset, a, b)
    one, other, new = found.without_response, found.with_response, found.new
    assert one is not None
    assert other is not None
    assert found.frozen is not None
    assert new is not None
    offer = found.frozen.offer
    assert (offer.adder_usd_per_kwh > 0) == (b == "tou")  # the only one here that an adder balances
    in_force = found.in_force
    for bills, lived, tariff, adder, charge in (
        (one.before_usd_per_year, a, in_force.tariff, in_force.adder_usd_per_kwh, in_force.fixed_charge_usd_per_day),
        (one.after_usd_per_year, a, offer.tariff, offer.adder_usd_per_kwh, offer.fixed_charge_usd_per_day),
        (other.after_usd_per_year, b, new.tariff, new.adder_usd_per_kwh, new.fixed_charge_usd_per_day),
    ):
        # B is solved from A there and from nowhere here: the adders differ by less than a solve's tolerance
        assert bills == pytest.approx(by_hand(preset, lived, tariff, adder, charge), rel=1e-6, abs=1e-3)
    assert (one.before_usd_per_year == other.before_usd_per_year).all()


def test_the_same_tariff_changes_exactly_nothing() -> None:
    tariff = preset_tariff("textbook", "flat", SMALL)
    found = population_impacts(preset_economy("textbook", SMALL), tariff, tariff, size=SIZE, days=DAYS)
    for part in (found.without_response, found.with_response):
        assert part is not None
        assert (part.change_usd_per_year == 0).all()
    assert found.messages[-5:][0] == "A and B are the same tariff, flat: nothing changes."


def test_a_fixed_charge_on_top_changes_every_bill_by_itself() -> None:
    """A charge that does not depend on use moves nobody, so it does so with the response, too."""
    economy = preset_economy("textbook", SMALL)
    posted = replace(preset_tariff("textbook", "rtp", SMALL), recovery=Recovery.POSTED)
    charge = posted.fixed_charge_usd_per_day + np.array([0.1, 0.2, 0.3])
    found = population_impacts(
        economy, posted, replace(posted, name="more", fixed_charge_usd_per_day=charge), size=SIZE, days=DAYS
    )
    for part in (found.without_response, found.with_response):
        assert part is not None
        due = 365 * np.array([0.1, 0.2, 0.3])[part.customers.income_index]
        assert part.change_usd_per_year == pytest.approx(due, abs=1e-4)


def test_a_charge_by_kw_of_solar_changes_the_bills_of_those_who_have_solar_by_itself() -> None:
    economy = preset_economy("textbook", SMALL)
    posted = replace(preset_tariff("textbook", "rtp", SMALL), recovery=Recovery.POSTED)
    access = AccessCharge(usd_per_pv_kw_day=0.05, usd_per_household_day={"pv": 0.1})
    found = population_impacts(
        economy, posted, replace(posted, name="more", standing_charges=(access,)), size=SIZE, days=DAYS
    )
    for part in (found.without_response, found.with_response):
        assert part is not None
        who = part.customers
        own = {(one.group, one.technology): access.usd_per_day(one) for one in economy.types}
        keys = zip(who.income_index.tolist(), who.technology_index.tolist(), strict=True)
        due = [365 * own[group, who.technologies[place]] for group, place in keys]
        assert max(due) > min(due) == 0
        assert part.change_usd_per_year == pytest.approx(due, abs=1e-4)


@pytest.mark.parametrize(("preset", "name"), [("textbook", "flat"), ("oahu", "flat"), ("california", "tou")])
def test_frozen_books_of_the_tariff_in_force_are_its_own(preset: str, name: str) -> None:
    """What is predicted for it at its own loads, with its own adder, is what the equilibrium's accounts say."""
    in_force = solved(preset, name, SMALL)
    posted = with_adder(make_offer(in_force.tariff, in_force))
    if in_force.tariff.recovery is not Recovery.FIXED:
        books = predict(in_force, posted, elasticity=0.0).surplus_usd_per_household_day
        assert books == pytest.approx(in_force.surplus_usd_per_household_day, abs=1e-9)
    again = frozen_terms(in_force, replace(in_force.tariff, name="again"))
    assert again.offer.adder_usd_per_kwh == pytest.approx(in_force.adder_usd_per_kwh, abs=1e-6)
    assert again.offer.fixed_charge_usd_per_day == pytest.approx(in_force.fixed_charge_usd_per_day, abs=1e-6)


@pytest.mark.parametrize("recovery", [Recovery.VOLUMETRIC, Recovery.FIXED])
def test_a_new_tariff_balances_its_books_at_the_loads_in_force(recovery: Recovery) -> None:
    in_force = solved("textbook", "flat", SMALL)
    new = replace(preset_tariff("textbook", "tou", SMALL), recovery=recovery)
    found = frozen_terms(in_force, new)
    offer = found.offer
    assert found.adequate
    posted = replace(with_adder(offer), fixed_charge_usd_per_day=offer.fixed_charge_usd_per_day)
    assert predict(in_force, posted, elasticity=0.0).surplus_usd_per_household_day == pytest.approx(0, abs=1e-9)


def test_where_no_adder_balances_the_books_at_the_loads_in_force_the_result_says_so() -> None:
    economy, flat = preset_economy("textbook", SMALL), preset_tariff("textbook", "flat", SMALL)
    found = population_impacts(
        economy, flat, replace(flat, name="capped", adder_cap_usd_per_kwh=0.01), size=SIZE, days=1
    )
    assert found.outcome is Outcome.NO_ADEQUATE_TARIFF
    assert found.without_response is None
    assert found.with_response is None
    assert "Tariff B, capped" in found.message


def test_who_stops_it_gets_a_result_that_says_so() -> None:
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(lived) > 1

    lived: list[str] = []
    found = population_impacts(
        preset_economy("textbook", SMALL),
        preset_tariff("textbook", "flat", SMALL),
        preset_tariff("textbook", "tou", SMALL),
        size=SIZE,
        days=DAYS,
        watch=Watch(cancelled=stop),
        told=lambda text, _: lived.append(text),
    )
    assert found.outcome is Outcome.CANCELLED
    assert found.with_response is None
    assert lived == ["day 1 of 5 under flat", "day 2 of 5 under flat"]


def test_classes_that_are_set_aside_are_said_once_with_both_tariffs(tmp_path: Path) -> None:
    file = tmp_path / "solar.toml"
    file.write_text('extends = "textbook"\n[rate_classes.solar]\ntariff = "tou"\ntechnologies = ["pv"]\n')
    scenario = load_scenario(file, tariff="flat")
    found = done("textbook", "flat", "tou")
    in_force = replace(found.in_force, economy=replace(found.in_force.economy, scenario=scenario))
    said = replace(found, in_force=in_force, market_messages=scenario_messages(scenario)).messages
    assert [one for one in said if "set aside" in one] == [
        "rate_classes_in_force = false: everybody has tariff flat under A and tariff tou under B, and solar of"
        " rate_classes set aside; A and B are for everybody."
    ]
