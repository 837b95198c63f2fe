"""The exported game of households that carry the day's largest import, judged from its file alone."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from plain_peak import Game, day_charge_usd, flow, respond
from rate_class_worlds import in_classes
from scenarios import small_battery, small_economy, small_tariff

from meanwatt.agents.household.electric_vehicle import ElectricVehicle
from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.analysis.cli import main
from meanwatt.analysis.output.composed_export import composed_arrays
from meanwatt.analysis.output.export import write_arrays
from meanwatt.model.mean_field.components.solving import Composed, solve_composed

CHARGE = DemandCharge(
    usd_per_kw_day=0.8, counted=np.array([False, True, True]), decision=DemandView.STATE, demand_levels=5
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Composed, Game]:
    """A battery, and a car on the road at noon; homes without either of the high group pay no such charge."""
    economy = small_economy(temperature_usd=0.1)
    car = ElectricVehicle(
        **(asdict(small_battery(3)) | {"departure_hour": 8.0, "return_hour": 16.0, "trip_kwh": 1.4}),
        unmet_usd_per_kwh=0.4,
        vehicle_to_grid=True,
    )
    types = (*economy.types[:-1], replace(economy.types[-1], battery=car))
    economy = replace(economy, types=types)
    plain = small_tariff(economy)
    charged = [("none", 0), ("pv_battery", 0), ("pv_battery", 1)]
    tariff = in_classes((replace(plain, components=(CHARGE,)), charged), (plain, [("none", 1)]))
    composed = solve_composed(economy, tariff, certify=False)
    file = tmp_path_factory.mktemp("peak") / "game.npz"
    write_arrays(file, composed_arrays(composed))
    with np.load(file) as archive:
        return composed, dict(archive)


def kinds(game: Game) -> range:
    return range(len(game["share"]))


SHAPES = {
    **dict.fromkeys(("reward", "net_load_kw", "policy", "peak_lower", "peak_upper"), "tchezlj"),
    **dict.fromkeys(("plan_share", "plan_net_load_kw", "plan_curtailed_kw"), "tchezljp"),
    "law": "tchezl",
    "feasible": "tej",
    "peak_levels": "t",
    "peak_level_kw": "tl",
    "peak_counted": "th",
    "peak_usd_per_kw_day": "t",
    "peak_charge_usd": "tl",
    "peak_charge_usd_per_day": "t",
    "shock_levels": "z",
    "home_reference_kw": "tch",
    "home_pv_kw": "tch",
    "home_power_kw": "thj",
    "home_cost_usd": "thj",
    **{f"home_{name}": "t" for name in ("elasticity", "flexibility", "reference_price_usd_per_kwh", "curtailable")},
}


def own(game: Game, name: str, kind: int) -> np.ndarray:
    """A table by state and move of one type, on its own levels of the largest import."""
    return np.asarray(game[name][kind][..., : int(game["peak_levels"][kind]), :])


def test_plain_loops_find_use_and_moves_flow_load_and_charge_again(world: tuple[Composed, Game]) -> None:
    """Nothing is taken from the file but the homes, the grid, the rates, and what nature draws."""
    _, game = world
    load = np.zeros_like(game["net_load"])
    for kind in kinds(game):
        policy, net_kw = respond(game, kind)
        np.testing.assert_allclose(policy, own(game, "policy", kind), rtol=0, atol=1e-9)
        np.testing.assert_allclose(net_kw, own(game, "net_load_kw", kind), rtol=0, atol=1e-9)
        law = flow(game, kind, policy, net_kw)
        np.testing.assert_allclose(law, game["law"][kind][..., : law.shape[-1]], rtol=0, atol=1e-9)
        load += game["share"][kind] * np.einsum("chezl,chezlj,chezlj->ch", law, policy, net_kw)
        assert day_charge_usd(game, kind, law, policy) == pytest.approx(game["peak_charge_usd_per_day"][kind], abs=1e-9)
    np.testing.assert_allclose(load, game["net_load"], rtol=0, atol=1e-9)
    price = np.interp(load + game["rest_load_kw"], game["supply_x"], game["supply_usd_per_kwh"])
    np.testing.assert_allclose(price, game["wholesale_usd_per_kwh"], rtol=0, atol=1e-9)


def test_the_largest_import_is_one_more_axis_of_states_and_moves(world: tuple[Composed, Game]) -> None:
    _, game = world
    size = dict(zip("tchezlj", game["policy"].shape, strict=True)) | {"p": 1}
    assert size == {"t": 4, "c": 3, "h": 3, "e": 4, "z": 2, "l": 5, "j": 5, "p": 1}
    for name, axes in SHAPES.items():
        assert game[name].shape == tuple(size[axis] for axis in axes), name
    assert game["peak_levels"].tolist() == [5, 5, 1, 5]
    assert {game[name].dtype for name in ("peak_levels", "peak_lower")} == {np.dtype(np.int64)}
    assert {game[name].dtype for name in ("peak_counted", "home_curtailable")} == {np.dtype(np.bool_)}
    here = np.arange(5) < game["peak_levels"][:, None]
    exists = here[:, None, None, None, None] & (np.arange(4) < game["levels"][:, None])[:, None, None, :, None, None]
    np.testing.assert_allclose(game["policy"].sum(axis=-1), np.broadcast_to(exists, game["law"].shape), atol=1e-12)
    np.testing.assert_allclose(game["law"].sum(axis=(3, 4, 5)), 1.0, atol=1e-12)
    assert (game["law"][:, :, 0, ..., 1:] == 0).all()  # a day begins with nothing imported
    assert not (game["policy"] * ~game["feasible_by_slot"][:, None, :, :, None, None]).any()


def test_a_move_raises_the_largest_import_to_its_mean_and_earns_what_its_use_is_worth(
    world: tuple[Composed, Game],
) -> None:
    """Rewards hold utility, payment at the rates posted, wear and trips, and no part of the charge."""
    _, game = world
    hours = game["slot_hours"]
    for kind in kinds(game):
        open_to = game["feasible_by_slot"][kind][:, :, None, None]
        net, level_kw = own(game, "net_load_kw", kind), game["peak_level_kw"][kind]
        lower, upper = own(game, "peak_lower", kind), own(game, "peak_upper", kind)
        held = level_kw[: net.shape[-2], None]
        mean = (1 - upper) * level_kw[lower] + upper * level_kw[np.minimum(lower + 1, 4)]
        top = np.where(game["peak_counted"][kind][:, None, None, None, None], np.maximum(net, held), held)
        np.testing.assert_allclose(np.where(open_to, mean - top, 0.0), 0.0, atol=1e-12)
        reference = (game["home_reference_kw"][kind][..., None] * game["shock_levels"])[:, :, None, :, None, None]
        use = net - game["home_power_kw"][kind][:, None, None, None] + game["home_pv_kw"][kind][..., *[None] * 4]
        bent = (use - reference) ** 2 / (2 * game["home_elasticity"][kind] * reference)
        enjoyed = game["home_reference_price_usd_per_kwh"][kind] * (use - reference - bent)
        buys, sells = (game[f"type_{side}_usd_per_kwh"][kind][..., *[None] * 4] for side in ("import", "export"))
        worth = hours * (enjoyed - np.where(net > 0, buys, sells) * net)
        worth -= game["home_cost_usd"][kind][:, None, None, None]
        np.testing.assert_allclose(own(game, "reward", kind), np.where(open_to, worth, 0.0), atol=1e-12)


def test_bills_hold_the_charge_on_what_is_drawn_which_levels_miss_by_less_than_their_width(
    world: tuple[Composed, Game],
) -> None:
    composed, game = world
    np.testing.assert_array_equal(game["bill_usd_per_day"], composed.equilibrium.bill_usd_per_day)
    gaps = np.diff(game["peak_charge_usd"], axis=1).max(axis=1)
    missed = np.abs(game["peak_charge_usd_per_day"] - game["demand_charge_usd_per_day"])
    assert (missed[[0, 1, 3]] < gaps[[0, 1, 3]]).all()
    assert game["demand_charge_usd_per_day"][2] == game["peak_charge_usd_per_day"][2] == 0.0
    assert (game["peak_charge_usd_per_day"][[0, 1, 3]] > 0.1).all()


def test_the_supply_curve_reaches_whatever_use_is_possible(world: tuple[Composed, Game]) -> None:
    _, game = world
    reach = 1 + game["home_flexibility"][:, None, None]
    most = reach * game["home_reference_kw"] * game["shock_levels"].max() + game["home_power_kw"].max(axis=2)[:, None]
    highest = np.tensordot(game["share"], most, axes=1) + game["rest_load_kw"]
    assert game["supply_x"][-1] > highest.max()


def test_the_command_writes_the_larger_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "game.npz"
    keys = ("usd_per_kw_day=0.2", "decision=state", "demand_levels=2")
    given = [part for key in keys for part in ("--set", f"tariff.demand_charge.{key}")]
    given += ["--set", "battery_levels=4", "--set", "tariff.recovery=posted", "--tariff", "flat"]
    assert main(["export", "textbook", *given, "--to", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["shapes"]["peak_level_kw"] == [said["shapes"]["share"][0], 2]
    assert any("as a part of their state" in text for text in said["messages"])
    assert file.exists()
