"""Energy balances of the finite market, from the cell of a battery to the feeder."""

from collections.abc import Iterator

import numpy as np
import pytest

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.agents.household.battery import grid_power_kw
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.power_flow import VoltageLimits, hours_outside
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

HOUSEHOLDS = 80


class Recorder:
    """A household that follows the plan and writes down its states and moves."""

    def __init__(self) -> None:
        self.seen: list[Situation] = []

    def move(self, situation: Situation) -> int:
        """Do as planned."""
        self.seen.append(situation)
        return situation.planned_move


@pytest.fixture(scope="module")
def textbook() -> Economy:
    return build_economy(load_scenario("textbook"))


@pytest.fixture(scope="module")
def rtp(textbook: Economy) -> Equilibrium:
    return solve_equilibrium(textbook, build_tariff(textbook.scenario, "rtp"), certify=False)


@pytest.fixture(scope="module")
def observed(rtp: Equilibrium) -> Iterator[tuple[ProsumerMarket, list[Recorder]]]:
    """Two days of a market whose every household is written down slot by slot."""
    market = ProsumerMarket(rtp.economy, households=HOUSEHOLDS, policies=rtp, rng=6)
    recorders = [Recorder() for _ in range(HOUSEHOLDS)]
    for household, recorder in enumerate(recorders):
        market.prosumer(household).strategy = recorder
    market.step()
    market.step()
    yield market, recorders
    market.close()


Observed = tuple[ProsumerMarket, list[Recorder]]


def test_the_python_path_and_the_kernel_give_identical_numbers(observed: Observed, rtp: Equilibrium) -> None:
    market, recorders = observed
    compiled = ProsumerMarket(rtp.economy, households=HOUSEHOLDS, policies=rtp, rng=6)
    compiled.step()
    compiled.step()
    assert market.day_digest == compiled.day_digest
    assert all(len(recorder.seen) == 48 for recorder in recorders)
    for name in ("level", "shock", "energy_kwh", "bill_usd"):
        assert (getattr(market.population, name) == getattr(compiled.population, name)).all()
    for name in ("net_load_kw", "use_kw", "stored_kwh", "wholesale_usd_per_kwh", "bill_usd"):
        assert (market.history.stacked(name) == compiled.history.stacked(name)).all()


def test_cell_energy_is_what_the_grid_side_power_brought_less_losses(observed: Observed) -> None:
    """ΔE = η_c b⁺ Δ − b⁻ Δ / η_d summed over 48 slots, in float64 within 1e-9 kWh."""
    market, recorders = observed
    batteries = 0
    for household, recorder in enumerate(recorders):
        battery = market.prosumer(household).type.battery
        if battery is None:
            continue
        batteries += 1
        stored = recorder.seen[0].level * battery.level_kwh
        for now in recorder.seen:
            assert now.level * battery.level_kwh == pytest.approx(stored, abs=1e-9)
            power = float(grid_power_kw(battery, np.array([now.planned_move]), market.slot_hours)[0])
            assert abs(power) <= battery.power_limit_kw * (1 + 1e-9)
            way = battery.charge_efficiency if power > 0 else 1 / battery.discharge_efficiency
            stored += way * power * market.slot_hours
        assert market.prosumer(household).stored_kwh == pytest.approx(stored, abs=1e-9)
    assert batteries > 10


def test_net_energy_is_use_less_sun_plus_charging(observed: Observed, rtp: Equilibrium) -> None:
    """Slot by slot within 1e-9 kWh; the float32 meter within 4 units in its last place."""
    market, recorders = observed
    meters = market.population.energy_kwh
    for household, recorder in enumerate(recorders):
        kind = market.population.type_of(household)
        own, policy = market.household_types[kind], rtp.policies[kind]
        for now in recorder.seen[-24:]:
            j = int(np.flatnonzero(policy.moves == now.planned_move)[0])
            battery_kw = float(grid_power_kw(own.battery, np.array([now.planned_move]), market.slot_hours)[0])
            net_kw = policy.use_kw[0, now.slot, now.shock, j] - own.pv_kw[0, now.slot] + battery_kw
            assert now.net_load_kw[now.moves == now.planned_move] == pytest.approx(net_kw, abs=1e-9)
            metered = meters[household, now.slot]
            assert abs(metered - net_kw * market.slot_hours) <= 4 * np.spacing(np.abs(metered)) + 1e-9


def test_recorded_use_and_storage_are_the_means_over_households(observed: Observed, rtp: Equilibrium) -> None:
    """Use is derived from float32 meters: 2⁻²⁴ of each reading at most."""
    market, recorders = observed
    use = np.zeros(48)
    stored = np.zeros(48)
    for household, recorder in enumerate(recorders):
        kind = market.population.type_of(household)
        policy, battery = rtp.policies[kind], market.household_types[kind].battery
        for i, now in enumerate(recorder.seen):
            j = int(np.flatnonzero(policy.moves == now.planned_move)[0])
            use[i] += policy.use_kw[0, now.slot, now.shock, j] / HOUSEHOLDS
            stored[i] += (now.level + now.planned_move) * (battery.level_kwh if battery else 0.0) / HOUSEHOLDS
    assert market.history.stacked("use_kw").ravel() == pytest.approx(use, abs=2**-24 * 10)
    assert market.history.stacked("stored_kwh").ravel() == pytest.approx(stored, abs=1e-9)


@pytest.mark.parametrize("name", ["textbook", "oahu"])
def test_bus_loads_are_the_meters_scaled_to_the_customers_and_sum_to_the_market(name: str) -> None:
    market = ProsumerMarket(name, households=2_000, tariff="filed", behaviour="belief", rng=1)
    market.step()
    record, people = market.history[0], market.population
    assert record.grid is not None
    scale = market.feeder.customers.sum() / 2_000
    metered = people.energy_kwh.astype(float) / market.slot_hours
    for bus in range(people.buses):
        here = metered[people.bus == bus].sum(axis=0) * scale
        size = np.abs(metered[people.bus == bus]).sum(axis=0) * scale
        assert (np.abs(record.grid.net_load_kw[:, bus] - here) <= 1e-9 * size + 1e-12).all()
    whole = record.net_load_kw * market.feeder.customers.sum()
    assert record.grid.net_load_kw.sum(axis=1) == pytest.approx(whole, rel=1e-9)
    market.close()


@pytest.mark.parametrize("name", ["textbook", "oahu"])
def test_voltages_balance_the_power_at_every_bus(name: str) -> None:
    """S = V (Y V)* with the lines' admittances: mismatch below 1e-6 of the feeder's load (solver: 1e-10 pu)."""
    market = ProsumerMarket(name, households=1_000, tariff="filed", behaviour="belief", rng=1)
    market.step()
    assert market.power_flow is not None
    feeder, state = market.feeder, market.power_flow.result
    assert state is not None
    assert not feeder.transformers
    volts = state.voltage_pu * np.exp(1j * state.voltage_angle_rad) * feeder.nominal_kv
    admittance = np.zeros((len(feeder.buses),) * 2, dtype=complex)
    for a, b, r, x, shunt in zip(
        feeder.line_from, feeder.line_to, feeder.line_r_ohm, feeder.line_x_ohm, feeder.line_b_us, strict=True
    ):
        y = 1 / (r + 1j * x)
        admittance[[a, b], [a, b]] += y + 0.5e-6j * shunt
        admittance[[a, b], [b, a]] -= y
    power_kva = volts * np.conj(volts @ admittance.T) * 1e3  # kV² / ohm = MVA
    grid = market.history[0].grid
    assert grid is not None
    load = np.delete(grid.net_load_kw, feeder.index(feeder.source), axis=1)
    drawn = -np.delete(power_kva.real, feeder.index(feeder.source), axis=1)
    assert np.abs(drawn - load).max() < 1e-6 * feeder.p_kw.sum()
    assert grid.loss_kw == pytest.approx(power_kva.real.sum(axis=1), abs=1e-6 * feeder.p_kw.sum())
    market.close()


def test_loading_does_not_depend_on_how_many_households_are_simulated(rtp: Equilibrium) -> None:
    """Peak bus load of 500 and 8,000 simulated households agrees within 4 standard errors of the smaller market."""
    peaks = []
    for households in (500, 8_000):
        market = ProsumerMarket(rtp.economy, households=households, policies=rtp, rng=3)
        market.step()
        grid = market.history[0].grid
        assert grid is not None
        peaks.append(grid.net_load_kw.sum(axis=1))
        spread = market.population.energy_kwh.std(axis=0) / market.slot_hours
        if households == 500:
            error = spread * market.feeder.customers.sum() / np.sqrt(households)
        market.close()
    assert (np.abs(peaks[0] - peaks[1]) < 4 * error * np.sqrt(1 + 500 / 8_000)).all()


def test_grid_figures_of_the_record_are_those_of_the_solver(rtp: Equilibrium) -> None:
    market = ProsumerMarket(rtp.economy, households=300, policies=rtp)
    market.step()
    assert market.power_flow is not None
    state, grid = market.power_flow.result, market.history[0].grid
    assert state is not None
    assert grid is not None
    assert (grid.voltage_pu == state.voltage_pu).all()
    assert (grid.line_loading == state.line_loading.max(axis=1)).all()
    assert np.isnan(grid.transformer_loading).all()
    outside = hours_outside(state.voltage_pu, VoltageLimits.ANSI_C84_1, market.slot_hours)
    assert grid.hours_outside_limits == outside.sum()
    with pytest.raises(ValueError, match="read-only"):
        grid.voltage_pu[0, 0] = 1
    market.close()


def test_a_household_that_decides_for_itself_moves_the_market_by_its_own_share(rtp: Equilibrium) -> None:
    class Hoarder:
        def move(self, situation: Situation) -> int:
            return int(situation.moves[-1])

    plain, changed = (ProsumerMarket(rtp.economy, households=100, policies=rtp, rng=8) for _ in range(2))
    kinds = [household.technology for household in rtp.economy.types]
    owner = int(changed.population.first[kinds.index("pv_battery")])
    changed.prosumer(owner).strategy = Hoarder()
    plain.step()
    changed.step()
    others = np.arange(100) != owner
    assert (plain.population.energy_kwh[others] == changed.population.energy_kwh[others]).all()
    moved = changed.population.energy_kwh[owner].astype(float) - plain.population.energy_kwh[owner]
    shift = changed.history[0].net_load_kw - plain.history[0].net_load_kw
    assert shift == pytest.approx(moved / changed.slot_hours / 100, abs=1e-9)
    assert np.abs(moved).max() > 0.1
    assert changed.prosumer(owner).stored_kwh == pytest.approx(10.0, abs=1e-9)
    held = sum(changed.prosumer(household).stored_kwh for household in range(100))
    assert changed.history[0].stored_kwh[-1] * 100 == pytest.approx(held, abs=1e-9)
    assert plain.day_digest != changed.day_digest
    changed.prosumer(owner).strategy = None
    assert changed.strategies == {}


def test_a_move_off_the_grid_is_refused_with_what_is_allowed(rtp: Equilibrium) -> None:
    class Wild:
        def move(self, situation: Situation) -> int:
            return 99

    market = ProsumerMarket(rtp.economy, households=10, policies=rtp)
    market.prosumer(0).strategy = Wild()
    with pytest.raises(ValueError, match=r"household 0 chose move 99 in slot 0 at level 0; give one of \[0\]"):
        market.step()
