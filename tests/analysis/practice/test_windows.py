"""The windows of the day that usual practice files rates for."""

from pathlib import Path

import numpy as np
import pytest
from repository import ROOT
from scenarios import preset_economy

from meanwatt.analysis.cli import main
from meanwatt.analysis.practice.windows import windows_of
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import load_scenario


@pytest.mark.parametrize(
    ("preset", "in_force", "taken", "names"),
    [
        ("textbook", "filed", "filed", {"overnight", "day", "peak"}),
        ("textbook", "flat", "tou", {"overnight", "day", "peak"}),
        ("oahu", "rtp", "tou", {"overnight", "day", "peak"}),
        ("california", "filed", "filed", {f"{s} {p}" for s in ("summer", "winter") for p in ("off", "part", "peak")}),
    ],
)
def test_windows_are_those_of_the_tariff_in_force_or_of_tou(
    preset: str, in_force: str, taken: str, names: set[str]
) -> None:
    economy = preset_economy(preset)
    found = windows_of(economy, in_force)
    assert found.taken_from == taken
    assert set(found.names) == names
    assert found.of_slot.shape == (len(economy.common.day_types), economy.slots)
    assert np.array_equal(np.unique(found.of_slot), np.arange(len(found.names)))


def test_a_window_holds_the_hours_that_its_period_says() -> None:
    found = windows_of(preset_economy("california"), "filed")
    for day, season in enumerate(preset_economy("california").scenario.seasons):
        for hour in range(24):
            period = "peak" if 16 <= hour < 21 else "part" if hour == 15 or hour >= 21 else "off"
            assert found.names[found.of_slot[day, hour]] == f"{season} {period}"


def test_day_types_with_rates_of_their_own_have_windows_of_their_own(tmp_path: Path) -> None:
    """A critical-peak tariff: clear and partly cloudy days are alike, and named together."""
    tariff = tmp_path / "critical.toml"
    tariff.write_text(
        'recovery = "posted"\nperiods = { peak = ["17-21"], off = ["21-17"] }\n'
        "[energy_usd_per_kwh]\nclear = { peak = 0.4, off = 0.3 }\npartly = { peak = 0.4, off = 0.3 }\n"
        "cloudy = { peak = 0.9, off = 0.3 }\n",
        encoding="utf-8",
    )
    scenario = load_scenario("oahu", tariff=str(tariff))
    found = windows_of(build_economy(scenario), scenario.selected_tariff)
    assert set(found.names) == {"clear+partly off", "clear+partly peak", "cloudy off", "cloudy peak"}
    assert found.taken_from == scenario.selected_tariff


def test_a_scenario_without_any_periods_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "model/scenario/presets/textbook.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("periods")]
    lines = ["energy_usd_per_kwh = 0.1" if "energy_usd_per_kwh = {" in line else line for line in lines]
    file = tmp_path / "bare.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    economy = build_economy(load_scenario(str(file)))
    with pytest.raises(ValueError, match="neither tariff flat nor tou has periods"):
        windows_of(economy, "flat")
    assert main(["practice", str(file), "--tariff", "flat", "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "meanwatt: scenario textbook: neither tariff flat nor tou has periods, so there are no windows to file rates"
        ' for; give one of them periods, e.g. periods = { peak = ["17-21"], off = ["21-17"] }\n'
    )
