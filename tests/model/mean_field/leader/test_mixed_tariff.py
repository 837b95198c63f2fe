"""A tariff drawn at midnight: the extended economy against the plain one, and what cannot be mixed."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scenarios import small_economy, small_tariff

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.mixed_tariff import SHARED, extended_economy, extended_tariff, tariff_by_day_type
from meanwatt.model.scenario.economy import Economy

RATES = 1e-8
"""Prices are solved to 1e-9 USD/kWh by two different routes; loads follow at a few kW per USD/kWh."""


@cache
def island(memory: int = 0) -> Economy:
    return small_economy(temperature_usd=0.03, memory=memory)


@cache
def calm() -> Economy:
    """One day type only."""
    return small_economy(temperature_usd=0.03, weather=np.array([[1.0]]))


def peak(economy: Economy, usd_per_kwh: float, **changes: object) -> Tariff:
    """A peak price on the last slot beside half of the wholesale price, a cent more for each day type."""
    days = len(economy.common.day_types)
    energy = np.full((days, economy.slots), 0.05) + 0.01 * np.arange(days)[:, None]
    energy[:, -1] += usd_per_kwh
    settings = {"pass_through": 0.5, "export_pass_through": 0.5, "recovery": Recovery.FIXED, **changes}
    return small_tariff(economy, name=f"peak {usd_per_kwh:g}", energy_usd_per_kwh=energy, **settings)


def drawn(economy: Economy, menu: list[Tariff], policy: Floats) -> Equilibrium:
    return solve_equilibrium(
        extended_economy(economy, menu, policy), extended_tariff(economy, menu, policy), certify=False
    )


def random_policy(seed: int, states: int, tariffs: int) -> Floats:
    return np.random.default_rng(seed).dirichlet(np.ones(tariffs), states)


def test_a_menu_of_one_tariff_is_the_plain_game_to_the_last_bit() -> None:
    for economy in (island(), island(memory=1), island(memory=2), calm()):
        only = peak(economy, 0.1)
        plain = solve_equilibrium(economy, only, certify=False)
        found = drawn(economy, [only], np.ones((economy.common.count, 1)))
        assert (found.wholesale_usd_per_kwh == plain.wholesale_usd_per_kwh).all()
        assert (found.net_load_kw == plain.net_load_kw).all()
        assert (found.bill_usd_per_day == plain.bill_usd_per_day).all()
        assert (found.tariff.energy_usd_per_kwh == only.energy_usd_per_kwh[economy.common.today]).all()


@pytest.mark.parametrize("element", [0, 1])
def test_a_policy_with_all_its_mass_on_a_tariff_is_that_tariff(element: int) -> None:
    economy = island()
    menu = [peak(economy, 0.0), peak(economy, 0.2)]
    plain = solve_equilibrium(economy, menu[element], certify=False)
    found = drawn(economy, menu, np.tile(np.eye(2)[element], (economy.common.count, 1)))
    assert found.net_load_kw == pytest.approx(plain.net_load_kw, abs=RATES)
    assert equilibrium_metrics(found) == equilibrium_metrics(plain)


@pytest.mark.parametrize("memory", [0, 1])
def test_identical_tariffs_under_any_mix_are_the_plain_game(memory: int) -> None:
    economy = island(memory)
    menu = [replace(peak(economy, 0.1), name=name) for name in ("one", "two", "three")]
    plain = solve_equilibrium(economy, menu[0], certify=False)
    found = drawn(economy, menu, random_policy(0, economy.common.count, 3))
    weather = np.repeat(np.arange(economy.common.count), 3)
    assert found.economy.common.count == 3 * economy.common.count
    assert found.wholesale_usd_per_kwh == pytest.approx(plain.wholesale_usd_per_kwh[weather], abs=RATES)
    assert found.net_load_kw == pytest.approx(plain.net_load_kw[weather], abs=RATES)
    mixed, single = equilibrium_metrics(found).to_json(), equilibrium_metrics(plain).to_json()
    for name, value in single.items():
        assert mixed[name] == pytest.approx(value, abs=1e-6), name


def test_the_extended_chain_is_the_weather_with_a_draw_that_knows_only_today() -> None:
    economy, policy = island(), random_policy(1, 3, 2)
    common = extended_economy(economy, [peak(economy, 0.0), peak(economy, 0.1)], policy).common
    weather, element = np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)
    for i, (c, a) in enumerate(zip(weather, element, strict=True)):
        assert common.probability[i] == pytest.approx(economy.common.probability[c] * policy[c, a])
        for k, (d, b) in enumerate(zip(weather, element, strict=True)):
            assert common.kernel[i, k] == pytest.approx(economy.common.kernel[c, d] * policy[d, b])
    joint = common.probability[:, None] * common.kernel
    assert joint.sum(axis=0) == pytest.approx(common.probability), "stationary"
    assert common.backward == pytest.approx(joint.T / joint.sum(axis=0)[:, None]), "Bayes"
    assert len(set(common.labels())) == 6


def test_states_that_never_come_are_left_out() -> None:
    economy = island()
    menu = [peak(economy, 0.0), peak(economy, 0.1)]
    policy = np.array([[1.0, 0.0], [0.3, 0.7], [0.0, 1.0]])
    extended = extended_economy(economy, menu, policy)
    assert extended.common.probability == pytest.approx(economy.common.probability[[0, 1, 1, 2]] * [1, 0.3, 0.7, 1])
    assert [t.reference_kw.shape for t in extended.types] == [(4, 3)] * 4
    assert extended_tariff(economy, menu, policy).energy_usd_per_kwh[:, -1] == pytest.approx([0.05, 0.06, 0.16, 0.17])


def test_nobody_knows_the_draw_before_midnight_and_everybody_acts_on_it_after() -> None:
    economy = calm()
    found = drawn(economy, [peak(economy, 0.0), peak(economy, 0.4)], np.array([[0.3, 0.7]]))
    for law in found.laws:
        assert law[0, 0] == pytest.approx(law[1, 0], abs=1e-9), "the same households meet either tariff"
    assert found.net_load_kw[0, -1] > found.net_load_kw[1, -1] + 0.05, "and shun the peak price"
    assert found.economy.common.probability.tolist() == [0.3, 0.7]
    ends = [equilibrium_metrics(solve_equilibrium(economy, peak(economy, p), certify=False)) for p in (0.0, 0.4)]
    load, low, high = (m.mean_wholesale_usd_per_kwh for m in (equilibrium_metrics(found), *ends))
    assert min(low, high) - 1e-3 <= load <= max(low, high) + 1e-3


@pytest.mark.parametrize("memory", [0, 1])
def test_a_pure_choice_by_day_type_is_an_ordinary_tariff(memory: int) -> None:
    economy = island(memory)
    menu = [peak(economy, 0.0, fixed_charge_shape=np.array([1.0, 2.0])), peak(economy, 0.1), peak(economy, 0.3)]
    choice = np.array([2, 0, 1])[economy.common.today]
    posted = tariff_by_day_type(economy, menu, choice)
    assert posted.energy_usd_per_kwh[:, -1] == pytest.approx([0.35, 0.06, 0.17])
    plain = solve_equilibrium(economy, posted, certify=False)
    found = drawn(economy, menu, np.eye(3)[choice])
    assert found.net_load_kw == pytest.approx(plain.net_load_kw, abs=RATES)
    assert found.bill_usd_per_day == pytest.approx(plain.bill_usd_per_day, abs=1e-7)


def test_posted_fixed_charges_are_expected_over_the_draws() -> None:
    economy = island()
    cheap, dear = (
        peak(economy, 0.1, recovery=Recovery.POSTED, fixed_charge_usd_per_day=np.array([f, 3 * f])) for f in (0.2, 1.0)
    )
    policy = random_policy(2, 3, 2)
    often = float(economy.common.probability @ policy[:, 1])
    charge = extended_tariff(economy, [cheap, dear], policy).fixed_charge_usd_per_day
    assert charge == pytest.approx(np.array([1.0, 3.0]) * (0.2 * (1 - often) + 1.0 * often))
    found = drawn(economy, [cheap, dear], policy)
    payments = float(economy.type_share @ found.bill_usd_per_day)
    metrics = equilibrium_metrics(found)
    assert metrics.surplus_usd_per_household_day == pytest.approx(found.surplus_usd_per_household_day, abs=1e-9)
    assert payments > 0


def test_fixed_charges_balance_the_books_over_all_draws_together() -> None:
    economy = island()
    found = drawn(economy, [peak(economy, 0.0), peak(economy, 0.3)], random_policy(3, 3, 2))
    assert equilibrium_metrics(found).surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("menu", "policy", "text"),
    [
        (lambda e: [], np.ones((3, 0)), "the menu is empty; give at least one tariff"),
        (
            lambda e: [peak(e, 0.1, recovery=Recovery.VOLUMETRIC)],
            np.ones((3, 1)),
            "tariff peak 0.1 recovers cost by an adder, which is not defined for each tariff of a menu;"
            " give recovery fixed or posted",
        ),
        (
            lambda e: [peak(e, 0.1), peak(e, 0.2, pass_through=1.0)],
            np.full((3, 2), 0.5),
            "tariffs peak 0.1 and peak 0.2 differ in pass_through, 0.5 and 1.0;"
            " give a menu that differs in charges and export credits only",
        ),
        (
            lambda e: [peak(e, 0.1), peak(e, 0.2, discount=np.array([0.3, 0.0]))],
            np.full((3, 2), 0.5),
            "tariffs peak 0.1 and peak 0.2 differ in discount, [0.0, 0.0] and [0.3, 0.0];"
            " give a menu that differs in charges and export credits only",
        ),
        (
            lambda e: [peak(e, 0.1), peak(e, 0.2)],
            np.array([[0.5, 0.5], [0.7, 0.7], [1.0, 0.0]]),
            "policy row 1 is [0.7, 0.7]; give probabilities >= 0 that sum to one",
        ),
        (
            lambda e: [peak(e, 0.1)],
            np.ones((2, 1)),
            "policy has shape (2, 1); give (3, 1), axes (common state, tariff)",
        ),
        (
            lambda e: [peak(calm(), 0.1)],
            np.ones((3, 1)),
            "tariff peak 0.1: rates has shape (1, 3); give (3, 3), axes (day type, slot)",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused_in_one_line(menu: object, policy: Floats, text: str) -> None:
    for build in (extended_economy, extended_tariff):
        with pytest.raises(ValueError) as error:
            build(island(), menu(island()), policy)
        assert str(error.value) == text


def test_a_tariff_by_day_type_cannot_treat_days_of_a_type_differently() -> None:
    economy = island(memory=1)
    menu = [peak(economy, 0.0), peak(economy, 0.1)]
    with pytest.raises(ValueError) as error:
        tariff_by_day_type(economy, menu, np.arange(economy.common.count) // 3 % 2)
    assert str(error.value) == (
        "days of type type0 get different tariffs; give one for each type, or solve the drawn game"
    )


def test_every_part_of_a_tariff_is_mixed_or_must_be_shared() -> None:
    mixed = {"name", "energy_usd_per_kwh", "export_usd_per_kwh", "fixed_charge_usd_per_day", "fixed_charge_shape"}
    mixed |= {"periods"}  # names of hours: those of all, or none
    assert mixed | set(SHARED) == set(Tariff.__slots__)


def test_drawn_menus_keep_the_cap_on_the_credit() -> None:
    """The cap of a credit above the import rate; what is drawn of one tariff alone is that tariff."""
    economy = island()
    menu = [peak(economy, usd, capped_at_import=True, export_usd_per_kwh=np.full((3, 3), 0.3)) for usd in (0.1, 0.2)]
    policy = random_policy(1, economy.common.count, 2)
    choice = np.zeros(economy.common.count, dtype=np.int64)
    for tariff in (extended_tariff(economy, menu, policy), tariff_by_day_type(economy, menu, choice)):
        assert tariff.capped_at_import
    found = drawn(economy, menu, policy)
    assert (found.rates.export_usd_per_kwh <= found.rates.import_usd_per_kwh).all()
    with pytest.raises(ValueError, match="differ in capped_at_import, True and False"):
        extended_tariff(economy, [menu[0], replace(menu[1], capped_at_import=False)], policy)
