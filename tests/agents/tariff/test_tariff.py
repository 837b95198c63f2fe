"""A tariff: rates by its rules, the posted export credit paid, and the bill."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.tariff.rates import Rates, payment_usd
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff, rates

TODAY = np.array([1, 0, 1])  # two day types, three common states


def tariff_of(**changes: object) -> Tariff:
    """Two day types, four slots, three income groups."""
    settings: dict[str, object] = {
        "name": "trial",
        "energy_usd_per_kwh": [[0.10, 0.20, 0.30, 0.40], [0.15, 0.25, 0.35, 0.90]],
        "export_usd_per_kwh": [[0.05, 0.30, 0.05, 0.05], [0.08, 0.08, 0.08, 0.08]],
        "pass_through": 0.5,
        "export_pass_through": 0.75,
        "export_rule": ExportRule.NET_BILLING,
        "recovery": Recovery.VOLUMETRIC,
        "fixed_charge_usd_per_day": [0.1, 0.2, 0.3],
        "fixed_charge_shape": [1.0, 1.0, 1.0],
        "discount": [0.3, 0.0, 0.0],
    }
    return Tariff(**{**settings, **changes})


prices = st.lists(st.floats(-0.5, 1.5), min_size=12, max_size=12).map(lambda row: np.reshape(row, (3, 4)))


@given(prices, st.floats(0, 2), st.sampled_from(ExportRule), st.booleans())
def test_rates_are_the_rules_written_out(wholesale: np.ndarray, adder: float, rule: ExportRule, capped: bool) -> None:
    tariff = tariff_of(export_rule=rule, capped_at_import=capped)
    posted = rates(tariff, TODAY, wholesale, adder)
    for c in range(3):
        for h in range(4):
            bought = tariff.energy_usd_per_kwh[TODAY[c], h] + 0.5 * wholesale[c, h] + adder
            credit = {
                ExportRule.NET_METERING: bought,
                ExportRule.NET_BILLING: tariff.export_usd_per_kwh[TODAY[c], h] + 0.75 * wholesale[c, h],
                ExportRule.NONE: 0.0,
            }[rule]
            assert posted.import_usd_per_kwh[c, h] == pytest.approx(bought, abs=1e-12)
            expected = min(credit, bought) if capped else credit
            assert posted.export_usd_per_kwh[c, h] == pytest.approx(expected, abs=1e-12)


def test_a_credit_above_the_import_rate_and_one_at_a_negative_import_rate_are_paid_as_posted() -> None:
    """Import 8.5 cents by night, export 15; import −8 cents, export 5; and no credit at all is no charge."""
    night = tariff_of(
        energy_usd_per_kwh=np.full((2, 4), 0.085),
        export_usd_per_kwh=np.full((2, 4), 0.15),
        pass_through=0.0,
        export_pass_through=0.0,
    )
    assert (rates(night, TODAY, np.zeros((3, 4)), 0.0).export_usd_per_kwh == 0.15).all()
    for rule, credit in ((ExportRule.NET_BILLING, 0.05), (ExportRule.NONE, 0.0)):
        negative = tariff_of(
            energy_usd_per_kwh=np.full((2, 4), -0.08),
            export_usd_per_kwh=np.full((2, 4), 0.05),
            pass_through=0.0,
            export_pass_through=0.0,
            export_rule=rule,
        )
        posted = rates(negative, TODAY, np.zeros((3, 4)), 0.0)
        assert (posted.import_usd_per_kwh == -0.08).all()
        assert (posted.export_usd_per_kwh == credit).all()


@given(prices, st.floats(0, 2), st.sampled_from(ExportRule), st.integers(0, 2))
def test_with_a_cap_an_export_never_earns_more_than_an_import_costs(
    wholesale: np.ndarray, adder: float, rule: ExportRule, group: int
) -> None:
    tariff = tariff_of(export_rule=rule, capped_at_import=True)
    posted = rates(tariff, TODAY, wholesale, adder)
    for own in (posted, tariff.for_group(posted, group)):
        assert (own.export_usd_per_kwh <= own.import_usd_per_kwh).all()


@pytest.mark.parametrize(
    ("changes", "export"),
    [
        ({}, [0.1, 0.35]),
        ({"capped_at_import": True}, [0.1, 0.28]),
        ({"export_rule": ExportRule.NET_METERING}, [0.28, 0.28]),
    ],
)
def test_a_discount_lowers_the_import_rate_and_leaves_the_posted_credit(
    changes: dict[str, object], export: list[float]
) -> None:
    posted = Rates(import_usd_per_kwh=np.array([[0.4, 0.4]]), export_usd_per_kwh=np.array([[0.1, 0.35]]))
    own = tariff_of(**changes).for_group(posted, 0)
    assert own.import_usd_per_kwh == pytest.approx(np.array([[0.28, 0.28]]))
    assert own.export_usd_per_kwh == pytest.approx(np.array([export]))


@given(prices)
def test_no_discount_changes_no_rate(wholesale: np.ndarray) -> None:
    posted = rates(tariff_of(), TODAY, wholesale, 0.1)
    own = tariff_of().for_group(posted, 1)
    assert (own.import_usd_per_kwh == posted.import_usd_per_kwh).all()
    assert (own.export_usd_per_kwh == posted.export_usd_per_kwh).all()


@given(
    st.lists(st.floats(-3, 3), min_size=5, max_size=5).map(np.array),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([1.0, 0.5, 0.25]),
)
def test_a_household_pays_for_what_it_buys_and_is_paid_for_what_it_sells(
    net_load_kw: np.ndarray, one: float, other: float, slot_hours: float
) -> None:
    bought, sold = max(one, other), min(one, other)
    paid = payment_usd(net_load_kw, np.array(bought), np.array(sold), slot_hours)
    for usd, kw in zip(paid, net_load_kw, strict=True):
        assert usd == pytest.approx(slot_hours * (bought * max(kw, 0) - sold * max(-kw, 0)), abs=1e-12)
        assert usd >= 0 if kw > 0 else usd <= 0


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_payment_is_convex_in_the_net_load(a: float, b: float, weight: float, one: float, other: float) -> None:
    load_kw = np.array([a, b, weight * a + (1 - weight) * b])
    at_a, at_b, between = payment_usd(load_kw, np.array(max(one, other)), np.array(min(one, other)), 1.0)
    assert between <= weight * at_a + (1 - weight) * at_b + 1e-12


def test_a_tariff_keeps_its_own_read_only_copies() -> None:
    energy = np.full((2, 4), 0.2)
    tariff = tariff_of(energy_usd_per_kwh=energy)
    energy[:] = 9.0
    assert (tariff.energy_usd_per_kwh == 0.2).all()
    with pytest.raises(ValueError, match="read-only"):
        tariff.discount[0] = 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"export_usd_per_kwh": np.zeros((2, 3))},
            "tariff trial: export_usd_per_kwh has shape (2, 3); give (2, 4), axes (day type, slot)",
        ),
        (
            {"energy_usd_per_kwh": [[0.1, 0.2, np.nan, 0.4], [0.1, 0.2, 0.3, 0.4]]},
            "tariff trial: energy_usd_per_kwh is nan at index [0, 2]; give finite numbers",
        ),
        (
            {"fixed_charge_usd_per_day": [0.1, np.inf, 0.3]},
            "tariff trial: fixed_charge_usd_per_day is inf at index [1]; give finite numbers",
        ),
        ({"discount": [0.3, 0.0]}, "tariff trial: discount has shape (2,); give (3,), axes (income group,)"),
        ({"discount": [0.3, 1.0, 0.0]}, "tariff trial: discount is [0.3, 1.0, 0.0]; give shares in [0, 1)"),
        ({"discount": [-0.1, 0.0, 0.0]}, "tariff trial: discount is [-0.1, 0.0, 0.0]; give shares in [0, 1)"),
        ({"pass_through": 1.2}, "tariff trial: pass_through is 1.2; give a share in [0, 1]"),
        ({"export_pass_through": -0.1}, "tariff trial: export_pass_through is -0.1; give a share in [0, 1]"),
        ({"pass_through": float("nan")}, "tariff trial: pass_through is nan; give a share in [0, 1]"),
        (
            {"fixed_charge_shape": [0.0, 0.0, 0.0]},
            "tariff trial: fixed_charge_shape is [0.0, 0.0, 0.0]; give numbers >= 0, at least one positive",
        ),
        (
            {"fixed_charge_shape": [1.0, -1.0, 0.0]},
            "tariff trial: fixed_charge_shape is [1.0, -1.0, 0.0]; give numbers >= 0, at least one positive",
        ),
        ({"adder_cap_usd_per_kwh": 0.0}, "tariff trial: adder_cap_usd_per_kwh is 0.0; give a positive number"),
    ],
)
def test_what_is_no_tariff_is_refused_in_words(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as error:
        tariff_of(**changes)
    assert str(error.value) == message
