"""The arrays of a game under components, beside plain games that households play alike."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_economy, small_tariff

from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.agents.tariff.components.tiers import Tiers
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.output.composed_export import POSTED, composed_arrays
from meanwatt.analysis.output.export import game_arrays
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import Economy

CHARGE = DemandCharge(
    usd_per_kw_month=5.0, counted=np.ones(3, dtype=bool), decision=DemandView.IGNORED, window=("0-24",)
)


def under(economy: Economy, *components: object) -> tuple[Tariff, Composed]:
    plain = small_tariff(economy, discount=np.array([0.2, 0.0]))
    return plain, solve_composed(economy, replace(plain, components=components), certify=False)


def test_a_charge_that_nobody_sees_leaves_every_array_of_the_plain_game_but_the_bill() -> None:
    economy = small_economy()
    plain, composed = under(economy, CHARGE)
    alone, found = game_arrays(solve_equilibrium(economy, plain, certify=False)), composed_arrays(composed)
    for name, array in alone.items():
        if not name.startswith("supply"):
            np.testing.assert_allclose(found[name], array, atol=1e-7, err_msg=name)
    seen = found["seen_import_usd_per_kwh"]
    np.testing.assert_allclose(seen, np.repeat(found["type_import_usd_per_kwh"][..., None], seen.shape[-1], axis=-1))
    assert (found["demand_charge_usd_per_day"] > 0).all()
    assert found["bill_usd_per_day"] == pytest.approx(composed.equilibrium.bill_usd_per_day)


def test_tiers_that_never_end_are_seen_as_so_much_more_of_the_rate() -> None:
    """After discount: the adder is the same for everybody, so it is the dearer the rate before discount."""
    economy = small_economy()
    plain, composed = under(economy, Tiers(limits_kwh_per_month=(1e6,), adders_usd_per_kwh=(0.05, 0.3)))
    found = composed_arrays(composed)
    more = found["seen_import_usd_per_kwh"] - found["type_import_usd_per_kwh"][..., None]
    np.testing.assert_allclose(more, 0.05, atol=1e-12)
    month = composed.amounts.month_kwh[:, 0]
    assert found["tiers_usd_per_day"] == pytest.approx(0.05 * month * 12 / 365, rel=1e-9)
    dearer = replace(plain, discount=np.zeros(2), energy_usd_per_kwh=plain.energy_usd_per_kwh + 0.05)
    undiscounted = solve_composed(
        economy, replace(plain, discount=np.zeros(2), components=composed.posted.components), certify=False
    )
    np.testing.assert_allclose(
        composed_arrays(undiscounted)["policy"],
        game_arrays(solve_equilibrium(economy, dearer, certify=False))["policy"],
        atol=1e-6,
    )


def test_the_seen_adder_of_a_demand_charge_is_on_imports_alone_by_own_shock() -> None:
    economy = small_economy()
    _, composed = under(economy, replace(CHARGE, decision=DemandView.EX_ANTE))
    found = composed_arrays(composed)
    for k, adder in enumerate(composed.seen.peak_adder_usd_per_kwh):
        more = found["seen_import_usd_per_kwh"][k] - found["type_import_usd_per_kwh"][k][..., None]
        np.testing.assert_allclose(more, adder, atol=1e-12)
    assert np.ptp(more) > 0
    np.testing.assert_allclose(found["net_load"], composed.equilibrium.net_load_kw)
    assert set(POSTED) <= found.keys()
