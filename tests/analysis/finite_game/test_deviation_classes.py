"""What one of N households could gain where rate classes pay different rates."""

import numpy as np
import pytest
from rate_class_worlds import BUYERS, STORING, WORLDS, in_classes, posted
from scenarios import small_economy

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.finite_game import deviation
from meanwatt.analysis.finite_game.deviation import finite_exploitability_usd_per_day
from meanwatt.analysis.finite_game.expected_rates import expected_rates
from meanwatt.analysis.finite_game.others import Others
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium


def solved(name: str) -> Equilibrium:
    economy = small_economy()
    return solve_equilibrium(economy, WORLDS[name](economy), certify=False)


@pytest.mark.parametrize("name", WORLDS)
def test_in_an_endless_crowd_it_is_the_exploitability_of_the_equilibrium(name: str) -> None:
    found = solved(name)
    limit = finite_exploitability_usd_per_day(found, np.inf)
    assert limit == pytest.approx(found.exploitability_usd_per_household_day, abs=1e-8)
    gains = [finite_exploitability_usd_per_day(found, households) for households in (2, 30, 1e4, 1e5)]
    assert min(gains) >= -1e-9
    if "who store" not in name:  # there nobody has moves to choose from at the market's price, and the pace is N^(−2)
        assert (gains[3] - limit) / (gains[2] - limit) == pytest.approx(0.1, rel=1e-2)


def test_classes_that_share_a_tariff_gain_what_one_class_does() -> None:
    economy = small_economy()
    own = posted(economy, pass_through=0.7, export_pass_through=0.7, recovery=Recovery.VOLUMETRIC)
    apart, together = (
        solve_equilibrium(economy, tariff, certify=False) for tariff in (in_classes((own, BUYERS), (own, STORING)), own)
    )
    assert together.adder_usd_per_kwh > 0
    for households in (3, 1000):
        gains = [finite_exploitability_usd_per_day(found, households) for found in (apart, together)]
        assert gains[0] == pytest.approx(gains[1], abs=1e-9)


def test_a_class_that_keeps_its_rates_among_others_expects_no_adder() -> None:
    economy = small_economy()
    balanced = posted(economy, recovery=Recovery.VOLUMETRIC, pass_through=0.5, export_pass_through=0.5)
    found = solve_equilibrium(economy, in_classes((balanced, BUYERS), (posted(economy), STORING)), certify=False)
    assert found.adder_usd_per_kwh > 0.01
    seen = deviation.expectation(found, np.inf)
    for place, rates in enumerate(found.rates.by_class):
        assert seen(0.0, place).import_base == pytest.approx(rates.import_usd_per_kwh, abs=1e-9)


def test_the_table_of_expected_rates_is_the_closed_form_on_a_straight_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    found = solved("two shares of the price")
    closed, others = finite_exploitability_usd_per_day(found, 20), Others(found, 20)
    monkeypatch.setattr(
        deviation, "expectation", lambda *_: lambda discount, place: expected_rates(found, discount, others, place)
    )
    assert finite_exploitability_usd_per_day(found, 20) == pytest.approx(closed, abs=1e-9)
