"""The exported game, judged from its file alone: none of our solvers is used to check it."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from plain_game import Game, exploitability, flow, respond
from rate_class_worlds import BUYERS, STORING, in_classes, posted, two_shares
from scenarios import real_time, small_battery, small_economy, small_tariff, solved, toy

from meanwatt.agents.household.decision_problem import OneDay
from meanwatt.agents.household.electric_vehicle import ElectricVehicle
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.cli import main
from meanwatt.analysis.output.export import write_game
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.supply import SupplyCurve

SHAPES = {
    "share": "t",
    "levels": "t",
    "moves": "j",
    "reward": "tchzj",
    "net_load_kw": "tchzj",
    "plan_share": "tchzjp",
    "plan_net_load_kw": "tchzjp",
    "plan_curtailed_kw": "tchzjp",
    "feasible": "tej",
    "feasible_by_slot": "thej",
    "chosen": "th",
    "shock_kernel": "zz",
    "common_kernel": "cc",
    "common_probability": "c",
    "supply_x": "x",
    "supply_usd_per_kwh": "x",
    "rest_load_kw": "ch",
    "wholesale_usd_per_kwh": "ch",
    "import_usd_per_kwh": "ch",
    "export_usd_per_kwh": "ch",
    "policy": "tchezj",
    "law": "tchez",
    "net_load": "ch",
    "temperature": "",
    "discount_per_day": "",
    "slot_hours": "",
    "value_rule": "",
    "one_day": "",
    "salvage_usd": "te",
    "rate_class": "t",
    "type_import_usd_per_kwh": "tch",
    "type_export_usd_per_kwh": "tch",
    "import_discount": "t",
    "income_usd_per_year": "t",
    "fixed_charge_usd_per_day": "t",
    "access_charge_usd_per_day": "t",
    "adder_usd_per_kwh": "",
}


def weathered() -> Equilibrium:
    """Three kinds of days, remembered for one day."""
    economy = small_economy(memory=1)
    return solve_equilibrium(economy, small_tariff(economy), certify=False)


def impatient() -> Equilibrium:
    """Discounted noise in carrying out the plan, and a discount for one group."""
    economy = small_economy(discount_per_day=0.7, value_rule="boltzmann")
    return solve_equilibrium(economy, small_tariff(economy, discount=np.array([0.2, 0.0])), certify=False)


def cold() -> Equilibrium:
    """Temperature 0 at rates that do not depend on the wholesale price."""
    economy = small_economy(temperature_usd=0)
    return solve_equilibrium(economy, small_tariff(economy, pass_through=0.0, export_pass_through=0.0), certify=False)


def curved() -> Equilibrium:
    """A supply curve with a clamp and a bend."""
    economy = replace(small_economy(), supply=SupplyCurve.polynomial([0.05, 0.05, 0.1], clamp_below_kw=0.3))
    return solve_equilibrium(economy, small_tariff(economy), certify=False)


def single_day() -> Equilibrium:
    """A day that is all there is, batteries low before it and worth something after it."""
    one_day = OneDay(charge_law=np.array([0.4, 0.3, 0.2, 0.1]), salvage_usd_per_kwh=0.12)
    economy = replace(small_economy(temperature_usd=0.05), one_day=one_day)
    return solve_equilibrium(economy, small_tariff(economy), certify=False)


def vehicles() -> Equilibrium:
    """Home batteries beside vehicles whose trip is no whole number of levels, and which may feed in."""
    economy = small_economy(slots=6)
    ev = ElectricVehicle(
        **(asdict(small_battery(6)) | {"departure_hour": 8.0, "return_hour": 16.0, "trip_kwh": 1.4}),
        unmet_usd_per_kwh=0.4,
        vehicle_to_grid=True,
    )
    types = [replace(home, battery=ev) if home.battery and home.group == 0 else home for home in economy.types]
    economy = replace(economy, types=tuple(types))
    return solve_equilibrium(economy, small_tariff(economy), certify=False)


def rate_classes() -> Equilibrium:
    """Buyers and those who store pay different shares of the wholesale price, one group at a discount."""
    economy = small_economy()
    return solve_equilibrium(economy, two_shares(economy), certify=False)


def posted_class() -> Equilibrium:
    """A class that keeps its posted rates, beside one that bears the adder."""
    economy = replace(small_economy(temperature_usd=0.01), fixed_cost_usd_per_day=0.5)
    flat = posted(economy, pass_through=0.0, discount=np.array([0.2, 0.0]))
    live = posted(economy, recovery=Recovery.VOLUMETRIC)
    return solve_equilibrium(economy, in_classes((flat, BUYERS), (live, STORING)), certify=False)


WORLDS = {
    "textbook flat": lambda: solved("textbook", "flat"),
    "textbook rtp": lambda: solved("textbook", "rtp"),
    "weathered": weathered,
    "impatient": impatient,
    "cold": cold,
    "curved": curved,
    "single day": single_day,
    "vehicles": vehicles,
    "rate classes": rate_classes,
    "a class of posted rates": posted_class,
}


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Equilibrium, Game]:
    found = WORLDS[request.param]()
    file = tmp_path_factory.mktemp("export") / "game.npz"
    write_game(file, found)
    with np.load(file) as archive:
        return found, dict(archive)


def test_the_file_holds_exactly_what_is_promised(world: tuple[Equilibrium, Game]) -> None:
    found, game = world
    size = {
        "t": len(found.economy.types),
        "c": found.economy.common.count,
        "h": found.economy.slots,
        "e": max(t.levels for t in found.economy.types),
        "z": len(found.economy.shock_levels),
        "j": len(game["moves"]),
        "p": 1,  # nobody parts in these worlds
        "x": len(game["supply_x"]),
    }
    assert {name: array.shape for name, array in game.items()} == {
        name: tuple(size[axis] for axis in axes) for name, axes in SHAPES.items()
    }
    flags = {"feasible", "feasible_by_slot", "chosen"}
    whole = {"levels", "moves", "value_rule", "one_day", "rate_class"}
    for name, array in game.items():
        assert array.dtype == (np.int64 if name in whole else np.bool_ if name in flags else np.float64), name


def test_probabilities_are_probabilities(world: tuple[Equilibrium, Game]) -> None:
    _, game = world
    assert np.allclose(game["law"].sum(axis=(3, 4)), 1.0, atol=1e-12)
    exists = np.arange(game["policy"].shape[3]) < game["levels"][:, None]
    rows = game["policy"].sum(axis=-1)
    assert np.allclose(rows, exists[:, None, None, :, None], atol=1e-12)
    assert (game["policy"][np.broadcast_to(~game["feasible"][:, None, None, :, None], game["policy"].shape)] == 0).all()
    assert (game["law"] * ~exists[:, None, None, :, None] == 0).all()
    for kernel in ("shock_kernel", "common_kernel"):
        assert np.allclose(game[kernel].sum(axis=1), 1.0)
    assert np.allclose(game["common_probability"] @ game["common_kernel"], game["common_probability"])


def test_feasible_moves_are_those_that_stay_on_the_grid(world: tuple[Equilibrium, Game]) -> None:
    _, game = world
    for kind, levels in enumerate(game["levels"]):
        for e in range(game["feasible"].shape[1]):
            for j, move in enumerate(game["moves"]):
                stays = e < levels and 0 <= e + move < levels
                assert game["feasible"][kind, e, j] <= stays
    assert game["feasible"][:, 0, game["moves"] == 0].all()


def test_the_policies_are_best_responses_to_the_rewards(world: tuple[Equilibrium, Game]) -> None:
    _, game = world
    for kind in range(len(game["share"])):
        _, policy = respond(game, kind, float(game["temperature"]))
        assert np.abs(policy - game["policy"][kind]).max() < 1e-7


def test_every_type_pays_the_rates_of_its_class_after_its_groups_discount(world: tuple[Equilibrium, Game]) -> None:
    found, game = world
    tariffs = [one.tariff for one in found.tariff.classes] or [found.tariff]
    today, price = found.economy.common.today, game["wholesale_usd_per_kwh"]
    for kind, household in enumerate(found.economy.types):
        own = tariffs[game["rate_class"][kind]]
        bears = len(tariffs) == 1 or own.recovery is Recovery.VOLUMETRIC
        rate = own.energy_usd_per_kwh[today] + own.pass_through * price + bears * found.adder_usd_per_kwh
        bought = game["type_import_usd_per_kwh"][kind]
        assert game["import_discount"][kind] == own.discount[household.group]
        assert bought == pytest.approx((1 - own.discount[household.group]) * rate, abs=1e-15)
        sold = game["type_export_usd_per_kwh"][kind]
        net, share = game["plan_net_load_kw"][kind], game["plan_share"][kind]
        rates = np.where(net > 0, bought[:, :, None, None, None], sold[:, :, None, None, None])
        paid = (share * rates * net).sum(axis=-1) * game["slot_hours"]
        outcome = found.answer.responses[kind].outcome
        possible = game["feasible_by_slot"][kind].any(axis=1)[None, :, None]
        column = np.searchsorted(game["moves"], outcome.moves)
        there = np.broadcast_to(possible, paid.shape)[..., column]
        assert paid[..., column][there] == pytest.approx(outcome.payment_usd[there], abs=1e-12)
    assert set(game["rate_class"].tolist()) == set(range(len(tariffs)))


def test_the_laws_are_the_flow_of_the_policies(world: tuple[Equilibrium, Game]) -> None:
    _, game = world
    for kind in range(len(game["share"])):
        if game["levels"][kind] > 1:
            assert np.abs(flow(game, kind, game["policy"][kind]) - game["law"][kind]).max() < 1e-10


def test_the_prices_are_a_fixed_point(world: tuple[Equilibrium, Game]) -> None:
    found, game = world
    load = np.einsum(
        "t,tchez,tchezj,tchzj->ch", game["share"], game["law"], game["policy"], game["net_load_kw"], optimize=True
    )
    assert np.allclose(load, game["net_load"], atol=1e-12)
    price = np.interp(load + game["rest_load_kw"], game["supply_x"], game["supply_usd_per_kwh"])
    assert np.abs(price - game["wholesale_usd_per_kwh"]).max() <= found.residual_usd_per_kwh + 1e-12
    assert (np.diff(game["supply_x"]) > 0).all()
    assert np.isin(game["net_load"] + game["rest_load_kw"], game["supply_x"]).all()
    kinks = found.economy.supply.breaks_kw
    assert np.isin(kinks[(kinks > game["supply_x"][0]) & (kinks < game["supply_x"][-1])], game["supply_x"]).all()


def test_the_exploitability_is_the_solvers(world: tuple[Equilibrium, Game]) -> None:
    found, game = world
    assert exploitability(game) == pytest.approx(found.exploitability_usd_per_household_day, abs=1e-8)


def test_salvage_is_the_worth_of_a_level_and_only_of_a_single_day(world: tuple[Equilibrium, Game]) -> None:
    found, game = world
    one_day = found.economy.one_day
    assert game["one_day"] == (one_day is not None)
    for household, salvage in zip(found.economy.types, game["salvage_usd"], strict=True):
        level_kwh = household.battery.capacity_kwh / (household.levels - 1) if household.battery else 0.0
        worth = one_day.salvage_usd_per_kwh if one_day else 0.0
        assert salvage == pytest.approx([worth * level_kwh * e for e in range(len(salvage))], abs=1e-15)
        if one_day is not None and household.battery:
            start = game["law"][found.economy.types.index(household)][:, 0].sum(axis=-1)
            assert start == pytest.approx(np.broadcast_to(one_day.charge_law, start.shape), abs=1e-12)


def test_the_command_writes_the_file_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "game.npz"
    assert main(["export", "textbook", "--tariff", "filed", "--to", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: {len(SHAPES)} arrays, ")
    assert [path.name for path in tmp_path.iterdir()] == ["game.npz"]
    first = file.read_bytes()
    assert main(["export", "textbook", "--tariff", "filed", "--to", str(file), "--json"]) == 0
    assert file.read_bytes() == first


@pytest.mark.parametrize("temperature", [0.02, 0.0])
def test_where_households_part_the_shares_of_their_plans_are_in_the_file(temperature: float, tmp_path: Path) -> None:
    """Exports earn ten cents more than imports cost: buyers and sellers tie, and their mean clears the market."""
    economy = toy(temperature, rest_kw=0.05)
    found = solve_equilibrium(economy, real_time(economy, credit=0.1), certify=False)
    write_game(tmp_path / "parted.npz", found)
    game = dict(np.load(tmp_path / "parted.npz"))
    share, net, law, policy = (game[name] for name in ("plan_share", "plan_net_load_kw", "law", "policy"))
    assert ((share > 0) & (share < 1)).any()
    there = game["feasible"].any(axis=1)
    assert share.sum(axis=-1) == pytest.approx(
        np.broadcast_to(there[:, None, None, None] * 1.0, share.shape[:-1]), abs=1e-12
    )
    assert (share * net).sum(axis=-1) == pytest.approx(game["net_load_kw"], abs=1e-12)
    frequency = np.einsum("tchez,tchezj->tchzj", law, policy)
    load = np.einsum("t,tchzj,tchzjp,tchzjp->ch", game["share"], frequency, share, net)
    price = np.interp(load + game["rest_load_kw"], game["supply_x"], game["supply_usd_per_kwh"])
    assert price == pytest.approx(game["wholesale_usd_per_kwh"], abs=1e-8)
