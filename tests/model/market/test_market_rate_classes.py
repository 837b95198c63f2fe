"""Rate classes in the finite market: every household is billed by its own, whoever decides for it, on any threads."""

from functools import cache

import numpy as np
import pytest
from rate_class_worlds import in_classes
from scenarios import preset_economy, preset_tariff

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium

COARSE = "battery_levels=5"
GROUPS = range(3)
BUYERS = [("none", group) for group in GROUPS]
SOLAR = [(technology, group) for technology in ("pv", "pv_battery") for group in GROUPS]


@cache
def found(alike: bool = False) -> Equilibrium:
    """The textbook, its solar homes with a real-time price, the others with a flat or the same one."""
    economy = preset_economy("textbook", COARSE)
    live = preset_tariff("textbook", "rtp", COARSE, "tariff.recovery=volumetric")
    flat = preset_tariff("textbook", "flat", COARSE)
    assert flat.recovery is Recovery.VOLUMETRIC
    return solve_equilibrium(economy, in_classes((live if alike else flat, BUYERS), (live, SOLAR)), certify=False)


def lived(solved: Equilibrium, behaviour: str = "equilibrium", **how: object) -> ProsumerMarket:
    settings = {"households": 60, "rng": (7, 1), "power_flow": False, **how}
    market = ProsumerMarket(solved.economy, policies=solved, behaviour=behaviour, **settings)
    for _ in range(4):
        market.step()
    return market


MIXED = "belief=.4,qlearning=.3,passive=.3"


@pytest.mark.parametrize("behaviour", ["equilibrium", MIXED])
def test_any_number_of_threads_lives_the_same_days(behaviour: str) -> None:
    one, four = (lived(found(), behaviour, threads=threads) for threads in (1, 4))
    assert one.day_digest == four.day_digest
    assert np.array_equal(one.population.bill_usd, four.population.bill_usd)


@pytest.mark.parametrize("behaviour", ["equilibrium", MIXED])
def test_two_classes_with_one_tariff_live_the_days_of_one(behaviour: str) -> None:
    parted = found(alike=True)
    alone = solve_equilibrium(parted.economy, parted.tariff.classes[0].tariff, certify=False)
    markets = [lived(solved, behaviour) for solved in (parted, alone)]
    assert markets[0].day_digest == markets[1].day_digest
    assert np.array_equal(markets[0].population.bill_usd, markets[1].population.bill_usd)


def test_every_household_pays_what_its_own_tariff_makes_of_its_meter() -> None:
    """Day by day from the realised price, with nothing but the tariff's definition."""
    solved = found()
    market = ProsumerMarket(solved.economy, households=60, policies=solved, rng=(7, 1), power_flow=False)
    paid = np.zeros(60)
    for _ in range(3):
        market.step()
        record, people = market.history[-1], market.population
        today = solved.economy.common.today[record.common_state]
        for household in range(60):
            kind = market.household_types[people.type_of(household)]
            tariff: Tariff = solved.tariff.classes[0 if kind.technology == "none" else 1].tariff
            bought = tariff.energy_usd_per_kwh[today] + tariff.pass_through * record.wholesale_usd_per_kwh
            bought = (1 - tariff.discount[kind.group]) * (bought + solved.adder_usd_per_kwh)
            sold = tariff.export_usd_per_kwh[today] + tariff.export_pass_through * record.wholesale_usd_per_kwh
            meter = people.energy_kwh[household].astype(float)
            paid[household] += (np.where(meter > 0, bought, sold) * meter).sum()
            paid[household] += tariff.fixed_charge_usd_per_day[kind.group]
    np.testing.assert_allclose(market.population.bill_usd, paid, atol=1e-5)


def test_many_homes_live_near_the_mean_field() -> None:
    """Load and bills of 4,000 homes lie within the noise of so many: a kW or two of spread, and √N."""
    solved = found()
    market = lived(solved, households=4000)
    for record in market.history:
        expected = solved.net_load_kw[record.common_state]
        assert np.abs(record.net_load_kw - expected).max() <= 5 * 2.0 / 4000**0.5
    by_type = np.array(
        [
            market.population.bill_usd[market.population.of_type(kind)].mean() / 4
            for kind in range(market.population.types)
        ]
    )
    assert by_type == pytest.approx(solved.bill_usd_per_day, abs=0.25)
    flat, live = (solved.tariff.classes[place].tariff for place in (0, 1))
    assert flat.pass_through != live.pass_through


def test_policies_of_other_classes_are_not_taken_for_those_asked_for() -> None:
    solved = found()
    with pytest.raises(ValueError, match="tariff is flat but the policies were solved for class0=flat, class1=rtp;"):
        ProsumerMarket(solved.economy, policies=solved, tariff="flat")
