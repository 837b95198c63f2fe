"""Charges that do not depend on use in the finite market: on every bill, on the meters, in no digest."""

import numpy as np
import pytest
from scenarios import solved

from meanwatt.agents.behaviour.protocol import DayLived, Situation
from meanwatt.analysis.learning.environment import expected_reading
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium

COARSE = "battery_levels=5"
POSTED = "tariff.recovery=posted"
CHARGED = (
    "tariff.access_charge.usd_per_pv_kw_day=0.05",
    "tariff.access_charge.usd_per_household_day={pv=0.1, pv_battery=0.2}",
)
DAYS, HOUSEHOLDS = 4, 60


def lived(found: Equilibrium, behaviour: object = "equilibrium") -> ProsumerMarket:
    market = ProsumerMarket(
        found.economy, households=HOUSEHOLDS, policies=found, behaviour=behaviour, rng=(7, 1), power_flow=False
    )
    for _ in range(DAYS):
        market.step()
    return market


@pytest.mark.parametrize("behaviour", ["equilibrium", "belief=.5,qlearning=.3,passive=.2"])
@pytest.mark.parametrize("recovery", ["posted", "fixed"])
def test_the_charge_changes_no_bit_of_what_households_do(behaviour: str, recovery: str) -> None:
    posted = f"tariff.recovery={recovery}"
    without, charged = (lived(solved("textbook", "tou", COARSE, posted, *more), behaviour) for more in ((), CHARGED))
    assert without.day_digest == charged.day_digest
    for one, other in zip(without.history, charged.history, strict=True):
        assert one.wholesale_usd_per_kwh.tobytes() == other.wholesale_usd_per_kwh.tobytes()
        assert one.net_load_kw.tobytes() == other.net_load_kw.tobytes()


def test_every_bill_has_the_charge_of_its_household() -> None:
    without, charged = (lived(solved("textbook", "tou", COARSE, POSTED, *more)) for more in ((), CHARGED))
    by_technology = {"pv": 4 * 0.05 + 0.1, "pv_battery": 4 * 0.05 + 0.2}
    paid = np.array([by_technology.get(t.technology, 0.0) for t in charged.household_types])
    own = paid[charged.population.type_index]
    assert len(set(own.tolist())) == 3
    np.testing.assert_allclose(charged.population.bill_usd, without.population.bill_usd + DAYS * own, atol=1e-9)
    more = charged.utility.account.revenue_usd - without.utility.account.revenue_usd
    assert more == pytest.approx(DAYS * own.sum(), abs=1e-7)
    for name in ("type_days", "class_days", "group_days"):
        bills = [float(getattr(market.history, name)["bill_usd"].sum()) for market in (without, charged)]
        assert bills[1] - bills[0] == pytest.approx(DAYS * own.sum(), abs=1e-7)


class Idle:
    """A household that leaves its battery alone and keeps its bills."""

    def __init__(self) -> None:
        self.bills_usd: list[float] = []

    def move(self, situation: Situation) -> int:
        """Stand still."""
        return 0

    def learn(self, day: DayLived) -> None:
        """Keep the bill."""
        self.bills_usd.append(day.bill_usd)


def test_a_household_with_a_mind_of_its_own_is_told_the_bill_that_is_sent() -> None:
    found = solved("textbook", "tou", COARSE, POSTED, *CHARGED)
    market = ProsumerMarket(found.economy, households=HOUSEHOLDS, policies=found, rng=(7, 1), power_flow=False)
    roofs = [k for k, household in enumerate(market.household_types) if household.pv_installed_kw > 0]
    home, mind = market.population.first[roofs[0]], Idle()
    market.prosumer(int(home)).strategy = mind
    for _ in range(2):
        market.step()
    assert sum(mind.bills_usd) == pytest.approx(float(market.population.bill_usd[home]), abs=1e-6)


def test_the_meters_show_the_bills_that_were_sent() -> None:
    charged = lived(solved("textbook", "tou", COARSE, POSTED, *CHARGED))
    record, reading = charged.history[-1], charged.meter()
    assert reading.bill_usd_per_day[0].sum() == pytest.approx(record.account.revenue_usd / HOUSEHOLDS, abs=1e-9)
    assert reading.margin_usd_per_day[0] == pytest.approx(record.account.surplus_usd / HOUSEHOLDS, abs=1e-9)


def test_the_meters_of_the_continuum_show_its_bills_and_surplus() -> None:
    found = solved("textbook", "tou", COARSE, POSTED, *CHARGED)
    reading = expected_reading(found)
    group = [household.group for household in found.economy.types]
    bills = np.bincount(group, weights=found.economy.type_share * found.bill_usd_per_day, minlength=3)
    np.testing.assert_allclose(reading.weight @ reading.bill_usd_per_day, bills, atol=1e-12)
    margin = float(reading.weight @ reading.margin_usd_per_day)
    assert margin == pytest.approx(found.surplus_usd_per_household_day, abs=1e-12)
