"""The market is a good citizen of Mesa: agents, data collection, batch runs, visualisation, and it can be let go."""

import gc
import inspect
import runpy
import warnings
import weakref
from collections.abc import Iterator
from dataclasses import FrozenInstanceError

import mesa
import numpy as np
import pytest
from mesa.batchrunner import batch_run
from repository import ROOT

from meanwatt.agents.prosumer import Prosumer
from meanwatt.agents.utility import Utility
from meanwatt.model.market import market as module
from meanwatt.model.market.billing import QUANTUM_USD
from meanwatt.model.market.history import SUMMARY
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.loading import load_scenario

EXAMPLE = ROOT / "docs" / "examples" / "solaraviz.py"


@pytest.fixture(scope="module")
def textbook() -> Economy:
    return build_economy(load_scenario("textbook", tariff="filed"))


@pytest.fixture
def market(textbook: Economy) -> Iterator[ProsumerMarket]:
    made = ProsumerMarket(textbook, households=150, behaviour="belief", rng=3)
    made.step()
    made.step()
    yield made
    made.close()


def test_every_household_is_a_registered_agent_beside_one_utility(market: ProsumerMarket) -> None:
    assert len(market.agents) == 151
    assert len(market.agents_by_type[Prosumer]) == 150
    assert list(market.agents_by_type[Utility]) == [market.utility]
    assert [agent.household for agent in market.agents_by_type[Prosumer]] == list(range(150))


def test_a_prosumer_reads_its_row(market: ProsumerMarket) -> None:
    people = market.population
    for household in range(150):
        agent = market.prosumer(household)
        kind = market.household_types[people.type_of(household)]
        assert agent.type is kind
        assert (agent.income_group, agent.technology) == (kind.income_group, kind.technology)
        assert agent.bus == market.feeder.buses[people.bus[household]]
        assert agent.level == people.level[household]
        assert agent.shock == people.shock[household]
        assert agent.stored_kwh == (people.level[household] * kind.battery.level_kwh if kind.battery else 0)
        assert (agent.net_load_kw == people.energy_kwh[household] / market.slot_hours).all()
        assert agent.net_energy_kwh == pytest.approx(people.energy_kwh[household].sum(dtype=float), rel=1e-12)
        assert agent.bill_usd_to_date == people.bill_usd[household]


def test_agents_can_be_selected_and_aggregated_the_mesa_way(market: ProsumerMarket) -> None:
    owners = market.agents_by_type[Prosumer].select(lambda agent: agent.technology == "pv_battery")
    kinds = [household.technology == "pv_battery" for household in market.household_types]
    assert len(owners) == market.population.count[kinds].sum() > 0
    total = market.agents_by_type[Prosumer].agg("bill_usd_to_date", sum)
    rounded_usd = market.day * market.households * QUANTUM_USD / 2
    assert total == pytest.approx(market.utility.account.revenue_usd, rel=1e-13, abs=rounded_usd)


def test_a_large_market_makes_prosumers_on_demand(textbook: Economy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REGISTERED_LIMIT", 99)
    market = ProsumerMarket(textbook, households=100, behaviour="belief")
    market.step()
    assert list(market.agents) == [market.utility]
    agent = market.prosumer(42)
    assert agent.household == 42
    assert agent.bill_usd_to_date == market.population.bill_usd[42] != 0
    assert list(market.agents) == [market.utility]
    market.close()


def test_a_market_for_studies_registers_nobody_and_lives_the_same_days(market: ProsumerMarket) -> None:
    quiet = module.UnregisteredMarket(market.economy, households=150, behaviour="belief", rng=3)
    quiet.step()
    quiet.step()
    assert list(quiet.agents) == [quiet.utility]
    assert quiet.day_digest == market.day_digest
    assert quiet.prosumer(42).bill_usd_to_date == market.prosumer(42).bill_usd_to_date
    quiet.close()


def test_the_limit_of_registered_markets_is_twenty_thousand() -> None:
    assert module.REGISTERED_LIMIT == 20_000


def test_the_data_collector_has_one_row_a_day_equal_to_the_history(market: ProsumerMarket) -> None:
    rows = market.datacollector.get_model_vars_dataframe()
    days = market.history.days
    assert list(rows.columns) == ["key", *SUMMARY]
    assert len(rows) == len(days) == market.steps == market.day == 2
    for name in SUMMARY:
        assert (rows[name].to_numpy() == days[name].to_numpy()).all()
    assert market.today == {name: rows[name].iloc[-1] for name in SUMMARY}


def test_history_tables_are_tidy_and_agree_with_each_other(market: ProsumerMarket) -> None:
    history, slots, buses = market.history, market.economy.slots, market.population.buses
    by_slot, by_bus, by_type, by_group = history.slots, history.bus_slots, history.type_days, history.group_days
    assert by_slot[["day", "slot"]].drop_duplicates().shape[0] == len(by_slot) == 2 * slots
    assert by_bus[["day", "slot", "bus"]].drop_duplicates().shape[0] == len(by_bus) == 2 * slots * buses
    assert len(by_type) == 2 * len(market.household_types)
    assert len(by_group) == 2 * len(market.economy.groups)
    assert not by_slot.drop(columns="transformer_loading").isna().any(axis=None)
    lowest = by_bus.groupby(["day", "slot"])["voltage_pu"].min().to_numpy()
    assert (by_slot["min_voltage_pu"].to_numpy() == lowest).all()
    assert history.days["min_voltage_pu"].to_numpy() == pytest.approx(by_slot.groupby("day")["min_voltage_pu"].min())
    assert by_group["bill_usd"].sum() == pytest.approx(by_type["bill_usd"].sum(), rel=1e-12)
    assert by_group["households"].sum() == 2 * 150
    energy = by_slot["net_load_kw"].sum() * market.slot_hours * 150
    assert by_type["net_kwh"].sum() == pytest.approx(energy, rel=1e-9)
    means = by_group["bill_usd"] / by_group["households"]
    assert (by_group["mean_bill_usd"] == means).all()


def test_the_volatility_of_a_day_counts_the_step_over_midnight(market: ProsumerMarket) -> None:
    first, second = (record.wholesale_usd_per_kwh for record in market.history)
    assert market.history[0].imv_usd_per_kwh == pytest.approx(np.abs(np.diff(first)).mean(), rel=1e-12)
    path = np.concatenate([first[-1:], second])
    assert market.history[1].imv_usd_per_kwh == pytest.approx(np.abs(np.diff(path)).sum() / len(second), rel=1e-12)


def test_records_cannot_be_changed_afterwards(market: ProsumerMarket) -> None:
    record = market.history[0]
    with pytest.raises(ValueError, match="read-only"):
        record.net_load_kw[0] = 0
    with pytest.raises(FrozenInstanceError):
        record.day = 7  # type: ignore[misc]
    assert market.history[:1] == (record,)


def test_a_market_without_power_flow_has_no_grid_figures(textbook: Economy) -> None:
    market = ProsumerMarket(textbook, households=20, behaviour="belief", power_flow=False)
    market.step()
    assert market.history[0].grid is None
    assert market.history.bus_slots.empty
    assert "loss_kw" not in market.history.slots
    assert np.isnan(market.today["min_voltage_pu"])
    market.close()


def test_tables_of_a_market_that_has_not_begun_are_empty(textbook: Economy) -> None:
    history = ProsumerMarket(textbook, households=20, behaviour="belief").history
    assert len(history) == 0
    for table in (history.slots, history.bus_slots, history.type_days, history.group_days, history.days):
        assert len(table) == 0


@pytest.mark.parametrize("rng", [5, (5, 1), np.random.SeedSequence(5)])
def test_construction_is_silent_and_seeds_mesas_own_generators(textbook: Economy, rng: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = (ProsumerMarket(textbook, households=5, behaviour="belief", rng=rng) for _ in range(2))  # type: ignore[arg-type]
    assert one.rng.random() == two.rng.random()
    assert one.random.random() == two.random.random()


def test_a_closed_market_is_collected(textbook: Economy) -> None:
    """Mesa 3.3 keeps an open one for ever; see ``ProsumerMarket.close``."""
    market = ProsumerMarket(textbook, households=400, behaviour="belief", threads=2)
    market.step()
    agent = weakref.ref(market.prosumer(3))
    gone = weakref.ref(market)
    market.close()
    del market
    gc.collect()
    assert gone() is None
    assert agent() is None


def test_closing_leaves_other_markets_alone(textbook: Economy) -> None:
    kept, closed = (ProsumerMarket(textbook, households=30, behaviour="belief") for _ in range(2))
    closed.step()
    closed.close()
    kept.step()
    assert len(kept.agents) == 31
    assert mesa.Agent(kept).unique_id == 32
    kept.close()


def test_a_closed_market_keeps_its_records_and_refuses_another_day(textbook: Economy) -> None:
    market = ProsumerMarket(textbook, households=30, behaviour="belief", threads=2)
    market.step()
    market.close()
    market.close()
    assert len(market.history.days) == len(market.day_digest) == 1
    assert not market.running
    with pytest.raises(ValueError, match="this market is closed; make a new one"):
        market.step()


def test_batch_runs_differ_by_key_and_repeat_with_it(textbook: Economy) -> None:
    """Mesa 3.5 takes the keys as an argument of its own, and overrides the parameter of that name."""
    parameters = {"scenario": [textbook], "households": [40, 80], "behaviour": ["belief"], "power_flow": [False]}
    keys = {"rng": [1, 2]}
    arguments = ({"parameters": parameters} | keys) if _takes_keys() else {"parameters": parameters | keys}

    def peaks() -> list[float]:
        rows = batch_run(ProsumerMarket, max_steps=2, display_progress=False, data_collection_period=1, **arguments)
        assert len(rows) in (2 * 2 * 2, 2 * 2 * 3)  # Mesa 3.3 makes one step more than max_steps
        return [row["net_load_peak_kw"] for row in rows]

    first = peaks()
    assert peaks() == first
    assert len(set(first)) == len(first)


@pytest.mark.filterwarnings("ignore:.*iterations.*")  # Mesa 3.5 would rather be told rng
@pytest.mark.parametrize("processes", [1, 2])
def test_iterations_are_different_runs_and_every_row_can_be_repeated(processes: int) -> None:
    """With the arguments a user gives who knows Mesa, whichever version; also where processes share nothing."""
    parameters = {"households": [40], "tariff": ["filed"], "behaviour": ["passive"], "power_flow": [False]}
    rows = batch_run(
        ProsumerMarket, parameters, number_processes=processes, iterations=3, max_steps=1, display_progress=False
    )
    # shocks have few levels: the peaks alone of two runs may well coincide
    lived = {row["key"]: (row["net_load_peak_kw"], row["net_load_mean_kw"], row["imv_usd_per_kwh"]) for row in rows}
    assert len(lived) == len(set(lived.values())) == 3
    for row in rows:
        market = ProsumerMarket(households=40, tariff="filed", behaviour="passive", rng=row["key"], power_flow=False)
        for _ in range(int(row["Step"]) + (not _takes_keys())):  # Mesa 3.3 counts steps from 0, Mesa 3.5 from 1
            market.step()
        assert market.today["net_load_peak_kw"] == row["net_load_peak_kw"]
        market.close()


@pytest.mark.parametrize("rng", [None, 7, (7, 2), 2**70, np.random.default_rng(7), np.random.SeedSequence(7)])
def test_the_key_repeats_the_run_and_stands_in_every_table(textbook: Economy, rng: object) -> None:
    def lived(given: object) -> ProsumerMarket:
        made = ProsumerMarket(textbook, households=25, behaviour="passive", rng=given)  # type: ignore[arg-type]
        made.step()
        return made

    first = lived(rng)
    again = lived(first.key)
    assert again.key == first.key
    assert again.day_digest == first.day_digest
    assert again.rng.random() == first.rng.random()
    history = first.history
    for table in ("slots", "bus_slots", "type_days", "class_days", "behaviour_days", "group_days", "days"):
        assert set(getattr(history, table)["key"].tolist()) == {first.key}
    if rng == 7:
        assert first.key == 7
    if rng is None:
        assert lived(None).key != first.key


def test_people_of_the_market_neither_leave_nor_come_and_others_do(market: ProsumerMarket) -> None:
    one_line = (
        r"^household 3 cannot be removed from its market; make a market of other households, or close\(\) this one$"
    )
    with pytest.raises(ValueError, match=one_line):
        market.prosumer(3).remove()
    with pytest.raises(ValueError, match=r"^the utility cannot be removed"):
        market.utility.remove()
    with pytest.raises(ValueError, match=r"^household 0 cannot be removed"):
        market.remove_all_agents()
    with pytest.raises(ValueError, match=r"^households and the utility are made with their market; give Prosumer"):
        Prosumer.create_agents(market, 2, household=[1, 2])
    for reset in (market.reset_rng, market.reset_randomizer):
        with pytest.raises(ValueError, match=r"^a market's draws follow from its key; make a new one with .*rng=5"):
            reset(5)
    assert len(market.agents) == 151
    guest = mesa.Agent(market)
    assert len(market.agents) == 152
    guest.remove()
    assert len(market.agents) == 151
    market.step()


def _takes_keys() -> bool:
    return "rng" in inspect.signature(batch_run).parameters


def test_the_solaraviz_example_renders_both_plots_of_a_model_of_its_own() -> None:
    pytest.importorskip("altair", reason="Mesa's visualisation needs altair, which Meanwatt does not")
    import ipywidgets
    import solara

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Mesa's page breaks Solara's rules of hooks
        page = runpy.run_path(str(EXAMPLE))
        assert not [value for value in page.values() if isinstance(value, mesa.Model)]
        _, context = solara.render(page["Page"](), handle_error=False)
        assert len(context.find(ipywidgets.Image).widgets) == 2
        context.close()
