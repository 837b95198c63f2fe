"""Who lives where: masses are kept, whole homes come out whole, and a file that cannot be used is refused in a line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.market.frames import network
from meanwatt.analysis.hosting.placements import home_technology
from meanwatt.analysis.hosting.sweep import HostingPlan, Neighbourhood
from meanwatt.analysis.metrics.bus_groups import bus_thirds
from meanwatt.analysis.metrics.bus_loads import bus_loads
from meanwatt.analysis.simulation.simulation import simulate
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.market.bus_placement import home_buses, settle
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.population import Population
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.network.residents import Residents, place_residents, spread
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

RURAL = {"feeder.name": "lv_rural", "tariff.recovery": "posted"}


def town(**residents: Any) -> tuple[Economy, Feeder, Residents]:
    changes = {f"feeder.residents.{key}": value for key, value in residents.items()}
    economy = build_economy(load_scenario("textbook", overrides={**RURAL, **changes}, tariff="filed"))
    feeder = scenario_feeder(economy.scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
    return economy, feeder, place_residents(economy.scenario, economy.types, feeder)


def market(economy: Economy, households: int, **size: Any) -> ProsumerMarket:
    return ProsumerMarket(economy, households=households, behaviour="passive", rng=3, power_flow=False, **size)


@given(
    st.lists(st.just(0.0) | st.floats(0.01, 5), min_size=1, max_size=12).filter(any),
    st.lists(st.just(0.0) | st.floats(0.01, 5), min_size=1, max_size=6).filter(any),
    st.randoms(use_true_random=False),
)
def test_groups_laid_out_along_the_customers_keep_the_mass_of_every_bus(
    mass: list[float], share: list[float], random: Any
) -> None:
    order = list(range(len(mass)))
    random.shuffle(order)
    part = np.array(share) / np.sum(share)
    rows = spread(np.array(mass), np.array(order), part)
    assert np.allclose(rows.sum(axis=1), 1)
    assert np.allclose(part @ rows, np.array(mass) / np.sum(mass), atol=1e-9)
    position = np.argsort(order)
    for poorer, richer in zip(np.flatnonzero(part)[:-1], np.flatnonzero(part)[1:], strict=True):
        assert position[rows[poorer] > 1e-9].max() <= position[rows[richer] > 1e-9].min()  # at most one bus in common


@pytest.mark.parametrize("incomes", ["far", "near", "clustered", "mixed"])
@pytest.mark.parametrize("adoption", ["far", "clustered"])
def test_a_pattern_moves_people_and_neither_their_number_nor_the_customers(incomes: str, adoption: str) -> None:
    economy, feeder, residents = town(incomes=incomes, adoption=adoption)
    assert np.allclose(residents.share.sum(axis=1), 1)
    assert np.allclose(economy.type_share @ residents.share, feeder.customers / feeder.customers.sum())
    people = market(economy, 301).population
    assert people.count.tolist() == largest_remainder(economy.type_share, 301).tolist()
    off = np.abs(people.customers_at - residents.share * people.count[:, None])
    assert off.max() < 2


def test_one_end_of_the_feeder_is_rich_and_sunny_if_asked_for() -> None:
    economy, feeder, residents = town(incomes="far", adoption="far")
    away = tidy_tree(feeder, along="impedance")[:, 0]
    solar = np.array([household.pv_installed_kw > 0 for household in economy.types])
    income = np.array([household.income_usd_per_year for household in economy.types])
    distance = residents.share @ away
    for group in range(len(economy.groups)):
        own = np.array([household.group == group for household in economy.types])
        if (own & solar).any():
            assert distance[own & solar].min() > distance[own & ~solar].max()
    poor, rich = income == income.min(), income == income.max()
    assert distance[rich].min() > distance[poor].max()
    near = town(incomes="near")[2].share @ away
    assert near[rich].max() < near[poor].min()


def test_clustered_follows_branches_by_its_own_seed_and_not_by_the_run_s() -> None:
    one, again, other = (town(incomes="clustered", seed=seed)[2].share for seed in (0, 0, 4))
    assert (one == again).all()
    assert (one != other).any()
    economy, feeder, _ = town(incomes="clustered")
    richest = [household.group == len(economy.groups) - 1 for household in economy.types]
    with_rich = (one[richest].sum(axis=0) > 0) & (feeder.customers > 0)
    steps = sum(
        with_rich[bus] != with_rich[parent]
        for bus, parent in enumerate(feeder.parent.tolist())
        if parent >= 0 and feeder.customers[parent] and feeder.customers[bus]
    )
    assert steps <= 2  # the walk passes along cables: it can change on one of them at either end of a group


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=15).filter(any),
    st.integers(0, 2**63),
    st.integers(0, 40),
    st.integers(1, 3),
)
def test_a_table_of_whole_homes_is_met_home_by_home(table: list[int], state: int, cut: int, times: int) -> None:
    share, total = np.array(table, dtype=float), times * sum(table)
    whole = settle(share, state, total)
    assert np.bincount(whole, minlength=len(table)).tolist() == [times * homes for homes in table]
    cut = min(cut, total)
    assert (settle(share, state, cut) == whole[:cut]).all()  # a smaller market is contained in a larger one
    assert (settle(share, state, total - cut, first=cut) == whole[cut:]).all()  # and parts are parts


def test_parts_of_a_market_house_who_the_whole_houses() -> None:
    economy, feeder, residents = town(incomes="far")
    size = {
        "share": economy.type_share,
        "customers": residents.customers(feeder),
        "households": 200,
        "slots": 24,
        "key": 9,
    }
    whole, parts = Population(**size), [Population(**size, part=part, parts=3) for part in range(3)]
    assert (sum(part.customers_at for part in parts) == whole.customers_at).all()
    assert (home_buses(residents.customers(feeder), 9, whole.count) == whole.bus).all()


def test_mixed_is_the_market_without_the_key_bit_for_bit() -> None:
    plain = build_economy(load_scenario("textbook", overrides=RURAL, tariff="filed"))
    runs = [market(economy, 60) for economy in (plain, town(incomes="mixed", adoption="mixed", seed=8)[0])]
    for run in runs:
        run.step()
    assert runs[0].day_digest == runs[1].day_digest
    assert (runs[0].population.bus == runs[1].population.bus).all()
    assert not any("residents" in sentence for run in runs for sentence in run.messages)


def written(
    path: Path, economy: Economy, feeder: Feeder, households: int, column: str = ""
) -> tuple[Path, NDArray[np.int64]]:
    """A file of whole homes of the scenario's own number by type, and these by type and bus."""
    rng = np.random.default_rng(1)
    count = largest_remainder(economy.type_share, households)
    homes = np.array([rng.multinomial(own, feeder.customers / feeder.customers.sum()) for own in count])
    technologies = list(dict.fromkeys(household.technology for household in economy.types))
    lines = [",".join(["bus", "income_group", *technologies])]
    for bus, name in enumerate(feeder.buses):
        for number, group in enumerate(economy.groups):
            cells = [
                sum(
                    int(homes[k, bus])
                    for k, one in enumerate(economy.types)
                    if (one.group, one.technology) == (number, technology)
                )
                for technology in technologies
            ]
            if any(cells):
                lines.append(",".join([name, group, *map(str, cells)]))
    path.write_text("\n".join(lines) + "\n")
    return path, homes


def test_a_file_of_whole_homes_is_the_market_home_by_home(tmp_path: Path) -> None:
    plain, feeder, _ = town()
    path, homes = written(tmp_path / "homes.csv", plain, feeder, 150)
    economy, _, residents = town(file=str(path))
    assert economy.scenario.feeder.residents.sha256 is not None
    people = market(economy, 150)
    assert (people.population.customers_at == homes).all()
    assert not any(
        "of the homes in the file and" in sentence and "scenario" in sentence for sentence in residents.messages
    )
    assert "150 households rounded" in people.messages[-1]
    plan = HostingPlan(
        feeder=feeder,
        scenarios={"filed": economy.scenario},
        levels=(0.0, 1.0),
        placements=3,
        key=2,
    )
    drawn = Neighbourhood(plan).placements
    solar = np.array([household.pv_installed_kw > 0 for household in economy.types])
    allowed = homes[solar].sum(axis=0) > 0
    for placed in drawn:
        assert len(placed.bus) == feeder.customers.sum()
        owns = np.isin(home_technology(placed, economy.scenario), [1, 2, 5])
        first = placed.solar_draw < 0.05
        assert allowed[placed.bus[owns & first]].all()  # who adopts first has solar in the file
    with pytest.raises(ValueError, match="has changed since the scenario was read"):
        _changed(path, economy, feeder)


def _changed(path: Path, economy: Economy, feeder: Feeder) -> None:
    path.write_text(path.read_text() + "\n")
    place_residents(economy.scenario, economy.types, feeder)


def test_homes_and_shares_say_the_same_as_counts(tmp_path: Path) -> None:
    texts = {
        "counts": "bus,income_group,none,pv\n1-02,middle,3,1\n1-03,middle,2,2\n",
        "shares": "bus,income_group,homes,none,pv\n1-02,middle,4,.75,.25\n\n1-03,middle,4,0.5,.5\n",
    }
    placed = []
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        placed.append(town(file=str(tmp_path / name))[2])
    assert np.allclose(placed[0].share, placed[1].share)
    economy, feeder, residents = town(file=str(tmp_path / "counts"))
    at = [feeder.index(bus) for bus in ("1-02", "1-03")]
    kinds = [(one.income_group, one.technology) for one in economy.types]
    assert residents.share[kinds.index(("middle", "none"))][at].tolist() == [0.6, 0.4]
    assert "live anywhere alike" in residents.messages[0]
    (tmp_path / "only").write_text("bus,income_group,homes\n1-02,middle,4\n1-03,middle,1\n")
    only = town(file=str(tmp_path / "only"))[2]
    assert np.allclose(only.share[kinds.index(("middle", "pv"))][at], [0.8, 0.2])


REFUSED = {
    "income_group,pv\nlow,1\n": "no column bus in the heading 'income_group,pv'",
    "bus,income_group,heat\n1-02,low,1\n": "unknown technology 'heat'",
    "bus,income_group\n1-02,low\n": "neither homes nor technologies (none, pv, pv_battery, battery, ev, pv_ev)",
    "bus,income_group,pv,pv\n1-02,low,1,1\n": "a column comes twice",
    "bus,income_group,pv\n1-02,low\n": "line 2 has 2 cells; give 3, as the heading has",
    "bus,income_group,pv\n1-02,low,-1\n": "line 2: pv is '-1'; give a number from 0 to 1e+09",
    "bus,income_group,pv\n1-02,low,nan\n": "line 2: pv is 'nan'",
    "bus,income_group,pv\n1-02,low,1\n1-02,low,2\n": "line 3: bus 1-02 and income group low come twice",
    "bus,income_group,pv\n1-02,low,0\n": "there is no home in it",
    "bus,income_group,homes,pv\n1-02,low,3,.5\n": "line 2: shares of technologies sum to 0.5",
    "bus,income_group,pv\n1-02,rich,1\n": "unknown income group 'rich'",
    "bus,income_group,pv\n1-99,low,1\n": "unknown bus '1-99'",
    "": "no column bus",
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_a_file_of_residents_that_cannot_be_used_is_refused_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "homes.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"homes\.csv: ") as error:
        town(file=str(path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_stands_in_the_place_of_a_pattern_and_the_reverse(tmp_path: Path) -> None:
    path = tmp_path / "homes.csv"
    path.write_text("bus,income_group,homes\n2,low,4\n")
    own = tmp_path / "own.toml"
    own.write_text('extends = "textbook"\n[feeder.residents]\nfile = "homes.csv"\n')
    above = tmp_path / "above.toml"
    above.write_text('extends = "own.toml"\n[feeder.residents]\nincomes = "far"\n')
    assert load_scenario(own).feeder.residents.file == str(path)
    assert load_scenario(above).feeder.residents.file is None
    changed = load_scenario(own, overrides=["feeder.residents.adoption=near"]).feeder.residents
    assert (changed.file, changed.sha256, changed.adoption) == (None, None, "near")
    own.write_text(own.read_text() + 'incomes = "far"\n')
    with pytest.raises(ValueError, match="file and a pattern"):
        load_scenario(own)
    with pytest.raises(ValueError, match=r"feeder\.residents\.incomes"):
        load_scenario("textbook", overrides=["feeder.residents.incomes=east"])


def test_expected_loads_of_all_buses_sum_to_the_population_s() -> None:
    economy, feeder, _ = town(incomes="far")
    found = solve_equilibrium(economy, build_tariff(economy.scenario), certify=False)
    use, net_load = bus_loads(found, feeder)
    assert np.allclose(net_load.sum(axis=-1), found.net_load_kw * feeder.customers.sum())
    mixed = bus_loads(solve_equilibrium(town()[0], found.tariff, certify=False), feeder)
    assert np.allclose(use.sum(axis=-1), mixed[0].sum(axis=-1))
    assert np.abs(net_load - mixed[1]).max() > 0.1


def thirds(economy: Economy) -> dict[str, Any]:
    run = simulate(
        economy,
        build_tariff(economy.scenario),
        equilibrium=None,
        behaviour="passive",
        households=198,
        days=2,
        seed=5,
    )
    assert run.bus_groups is not None
    assert run.metrics is not None
    bills = sum(group.households * (group.bill_usd_per_household_day or 0) for group in run.bus_groups)
    paid = float(run.history.type_days["bill_usd"].sum()) / 2
    assert bills == pytest.approx(paid, rel=1e-9)
    assert sum(group.households for group in run.bus_groups) == 198
    return {"groups": run.bus_groups, "inverters": run.inverters}


def test_who_sits_at_the_end_of_the_feeder_loses_most() -> None:
    changes: dict[str, Any] = {
        **RURAL,
        "pv_share_scale": 3.0,
        "pv_scale": 3.0,
        "battery_share_scale": 0.0,
        "feeder.volt_watt.enabled": True,
        "feeder.residents.incomes": "far",
    }
    economy = build_economy(load_scenario("textbook", overrides=changes, tariff="filed"))
    found = thirds(economy)
    near, middle, far = found["groups"]
    assert far.income_usd_per_year > middle.income_usd_per_year > near.income_usd_per_year
    lost = [group.curtailed_kwh_per_solar_household_day or 0.0 for group in (near, middle, far)]
    assert lost[2] > lost[1] >= lost[0]
    assert far.voltage_max_pu > near.voltage_max_pu
    assert far.burden < near.burden
    total = sum(kwh * group.solar_share * group.households for kwh, group in zip(lost, found["groups"], strict=True))
    assert total / 198 == pytest.approx(found["inverters"]["curtailed_kwh_per_household_day"])


def test_the_map_says_who_lives_at_a_bus_where_that_is_not_all_alike() -> None:
    def drawn(**residents: Any) -> list[dict[str, Any]]:
        economy, feeder, _ = town(**residents)
        volts = np.ones((1, economy.slots, len(feeder.buses)))
        return network(feeder, tidy_tree(feeder), VoltageLimits.ANSI_C84_1, volts, economy)["buses"]  # type: ignore[no-any-return]

    assert all("income" not in bus for bus in drawn())
    settled = drawn(incomes="far")
    assert {bus["solar"] for bus in settled if bus["homes"]} > {"0%"}
    incomes = [float(bus["income"].strip("$").replace(",", "")) for bus in settled if bus["homes"]]
    assert max(incomes) > 2 * min(incomes)
    assert all(bus["income"] == "" for bus in settled if not bus["homes"])


def test_thirds_hold_a_third_of_the_customers_each_and_lie_behind_one_another() -> None:
    _, feeder, _ = town()
    third, away = bus_thirds(feeder), tidy_tree(feeder, along="impedance")[:, 0]
    homes: Floats = np.bincount(third, weights=feeder.customers)
    assert homes.tolist() == [33, 33, 33]
    for number in (0, 1):
        assert away[third == number].max() <= away[third == number + 1].min()
