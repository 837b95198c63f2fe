"""The market's feeder by phase comes to that of the mean field, whose homes are on the same phases."""

import json

import numpy as np
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.validation.phase_grid import MeanFieldPhases, PhaseError
from meanwatt.analysis.validation.replication import replicate
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.phase_homes import customers_by_phase
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

STREET = {"feeder.name": "lv_four_wire", "feeder.phases": "one"}


@pytest.fixture(scope="module")
def found() -> Equilibrium:
    scenario = load_scenario("textbook", overrides=STREET, tariff="filed")
    return solve_equilibrium(build_economy(scenario), build_tariff(scenario), certify=False)


def test_errors_of_phases_fall_at_least_as_the_root_of_the_households(found: Equilibrium) -> None:
    """A hundredfold of households: a tenth of the error by chance (within a factor of two), a hundredth by places.

    Households spread evenly over the buses, so which types live where comes to the mean field as 1/N.
    """
    few, many = (replicate(found, count, (1, 0), 2, power_flow=True).phases for count in (24, 2400))
    assert few is not None
    assert many is not None
    for name in ("voltage_pu2", "unbalance_percent2"):
        ratio = np.sqrt(getattr(few, name) / getattr(many, name))
        assert 5 < ratio < 100
    assert few.unsolved == many.unsolved == 0


def test_the_mean_field_by_phase_is_uneven_where_homes_are(found: Equilibrium) -> None:
    phases = MeanFieldPhases(found)
    homes = customers_by_phase(build_feeder_of(found), 0)
    assert phases.voltage_pu.shape == (1, 24, len(homes), 3)
    at_end = phases.voltage_pu[0, :, -1]  # of the street where seven of ten homes are on phase a
    assert (np.ptp(at_end, axis=1) > 0.001).any()
    assert phases.unbalance_percent.max() > 0.05


def build_feeder_of(found: Equilibrium) -> Feeder:
    economy = found.economy
    return scenario_feeder(economy.scenario.feeder, peak_reference_kw=economy.peak_reference_kw)


def test_days_without_a_state_weigh_nothing() -> None:
    one = PhaseError(voltage_pu2=4.0, unbalance_percent2=9.0, unsolved=0.5)
    none = PhaseError(voltage_pu2=np.nan, unbalance_percent2=np.nan, unsolved=1.0)
    both = PhaseError.mean([one, none])
    assert (both.voltage_pu2, both.unbalance_percent2, both.unsolved) == (4.0, 9.0, 0.75)
    assert np.isnan(PhaseError.mean([none]).voltage_pu2)


def test_a_study_has_a_key_for_phases_and_says_what_is_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    command = (
        "validate textbook --tariff filed --households 20,40 --replications 2 --days 1 --checks grid --json --memory 0"
    )
    settings = [f"--set {key}={value}" for key, value in {**STREET, "feeder.name": "lv_semiurban"}.items()]
    assert main([*command.split(), *" ".join(settings).split()]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["phases"]) == {"voltage", "unbalance", "unsolved"}
    assert len(said["phases"]["unbalance"]["rms"]) == 2
    assert any("the phase of 41 of 41 homes is not in the feeder's data and drawn" in one for one in said["messages"])
    assert main([*command.split(), "--set", "feeder.phases=one"]) == 2
    said = capsys.readouterr()
    assert "give a low-voltage feeder (up to 1 kV)" in said.err
    assert said.err.count("\n") == 1
