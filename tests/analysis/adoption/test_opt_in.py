"""Rate classes that households choose: the same logit as adoption's, by the difference of bills; cases by hand."""

import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scenarios import solved

from meanwatt.analysis.adoption.adoption import Adoption, adopt
from meanwatt.analysis.adoption.report import adoption_json
from meanwatt.analysis.cli import main
from meanwatt.model.mean_field.components.solving import solve_composed
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import Scenario, ScenarioError, load_scenario

TEXT = """
extends = "textbook"
title = "Homes may choose a second rate"
default_tariff = "filed"
[rate_classes.opt_in]
tariff = "tou"
opt_in_share = 0.2
"""
EXAMPLE = Path(tempfile.mkdtemp()) / "opt_in.toml"
EXAMPLE.write_text(TEXT, encoding="utf-8")
STILL = ("battery_levels=5", "battery_share_scale=0", "elasticity=0", "adoption.deciding_share_per_year=0.5")
POSTED = ("tariffs.tou.recovery=posted", "tariffs.tou.export.pass_through=0.0", "tariffs.tou.export.usd_per_kwh=0.03")
WEIGHED = "adoption.rate_choice_years=3"
SUN = np.array([0, 0, 0, 0, 0, 0, 0, 0.15, 0.3, 0.45, 0.6, 0.6, 0.6, 0.6, 0.45, 0.3, 0.15] + 7 * [0.0])
"""Solar of a kW, hour by hour. [kW]"""


def example(*changes: str) -> Scenario:
    return load_scenario(EXAMPLE, overrides=changes)


def run(before: tuple[str, ...], after: tuple[str, ...], years: int = 30) -> Adoption:
    scenario = example(*after)
    return adopt(
        build_economy(scenario, opt_in=True),
        build_rate_classes(example(*before)),
        build_rate_classes(scenario),
        years=years,
    )


def bill(use: float, rates: list[float], export: float, fixed: float, solar_kw: float) -> float:
    """A year's bill of a household that does not move, in a loop over own shocks and hours. [USD/yr]"""
    shape = np.array([1.0] * 17 + [2.0] * 4 + [1.0] * 3)
    load, paid = use * 14 * shape / shape.sum(), 0.0
    for shock in (0.8, 1.0, 1.2):  # a third of the time each
        for hour in range(24):
            net = shock * load[hour] - solar_kw * SUN[hour]
            paid += (rates[hour] * net if net > 0 else export * net) / 3
    return 365 * (paid + fixed)


@cache
def posted() -> Adoption:
    """The class chosen gets a cheaper peak; everything is posted, and nobody moves."""
    keys = (*STILL, *POSTED, WEIGHED, "adoption.sensitivity_per_kusd=2")
    return run(keys, (*keys, "tariffs.tou.energy_usd_per_kwh.peak=0.15"))


def test_at_posted_rates_that_follow_no_price_shares_are_the_closed_logit() -> None:
    found = posted()
    filed = [0.16] * 9 + [0.08] * 8 + [0.24] * 4 + [0.16] * 3
    tou, now = ([0.14] * 9 + [0.07] * 8 + [peak] * 4 + [0.14] * 3 for peak in (0.21, 0.15))
    weight = sum(1.15**-year for year in (1, 2, 3))
    names = list(found.homes.names)
    for group, (use, owners) in enumerate(((0.8, 0.0), (1.0, 0.3), (1.2, 0.6))):
        odds = {}
        for technology, solar, share in (("none", 0.0, 1 - owners), ("pv", 4.0, owners)):
            today, later = (bill(use, filed, 0.07, 0.329, solar) - bill(use, r, 0.03, 0, solar) for r in (tou, now))
            odds[technology] = 0.8 * share
            odds[f"{technology} (opted in)"] = 0.2 * share * np.exp(2 * weight * (later - today) / 1000)
        for point in found.points:
            assert point.outcome is Outcome.CONVERGED
            assert point.standing is not None
        for share in (found.path[-1].share, *(p.standing.share for p in found.points if p.standing)):
            for name, value in odds.items():
                assert share[group, names.index(name)] == pytest.approx(value / sum(odds.values()), abs=1e-5)
    opted = [found.homes.opted_share(one.share) for one in found.path]
    assert opted[0] == pytest.approx(0.2)
    assert (np.diff(opted) >= -1e-12).all()
    assert opted[-1] > 0.21
    assert f"Those who chose their rate class go from 20.0 to {100 * opted[-1]:.1f} %." in found.message
    assert any(text.startswith("Rate class opt_in is chosen by the same logit") for text in found.messages)


def test_without_sensitivity_todays_choice_is_kept_whatever_is_posted() -> None:
    keys = (*STILL, *POSTED, "adoption.sensitivity_per_kusd=0")
    found = run(keys, (*keys, "tariffs.tou.energy_usd_per_kwh.peak=0.9"), years=3)
    for share in [one.share for one in found.path] + [p.standing.share for p in found.points if p.standing]:
        assert share == pytest.approx(found.homes.today, abs=1e-12)


def test_those_who_leave_the_cost_to_the_others_by_hand() -> None:
    """Nobody has solar, supply costs 0.1 USD/kWh: the others' adder, and so the choice, is a number per share."""
    bare = (*STILL, "pv_share_scale=0", "supply.coefficients=[0.1]", "adoption.sensitivity_per_kusd=0.5", WEIGHED)
    flat = tuple(
        f"tariffs.filed.{k}" for k in ("energy_usd_per_kwh=0.05", "fixed_charge_usd_per_day=0", "recovery=volumetric")
    )
    class_rate = (*POSTED, "tariffs.tou.fixed_charge_usd_per_day=0")
    before, after = (
        (*bare, *flat, *class_rate, *(f"tariffs.tou.energy_usd_per_kwh.{name}={rate}" for name in PERIODS))
        for rate in (0.17, 0.15)
    )
    found = run(before, after)
    economy = found.homes.economy
    use = np.array([0.8, 1.0, 1.2]) * 14
    weight = economy.group_share * use
    cost = 0.1 * weight.sum() + economy.fixed_cost_usd_per_day

    def gap(opted: np.ndarray, rate: float) -> np.ndarray:
        """What the class chosen saves a year, at the rate that balances the books."""
        others = (cost - rate * (weight * opted).sum()) / (weight * (1 - opted)).sum()
        return np.asarray(365 * (others - rate) * use)

    today, opted = np.full(3, 0.2), np.full(3, 0.2)
    years = sum(1.15**-year for year in (1, 2, 3))
    for _ in range(2000):
        odds = today / (1 - today) * np.exp(0.5 * years * (gap(opted, 0.15) - gap(today, 0.17)) / 1000)
        opted = 0.9 * opted + 0.1 * odds / (1 + odds)
    for point in found.points:
        assert point.outcome is Outcome.CONVERGED
        assert point.standing is not None
        assert point.standing.share[:, found.homes.chosen].sum(axis=1) == pytest.approx(opted, abs=2e-5)
    assert (opted > 0.2).all()
    result = adoption_json(found)["opt_in"]
    assert result["saving_usd_per_year"][:, 0] == pytest.approx(gap(today, 0.15), abs=1e-4)
    adders = [one.adder_usd_per_kwh for one in found.path]
    assert adders == sorted(adders)  # who leaves, leaves the cost to fewer


PERIODS = ("day", "overnight", "peak")


def test_a_class_with_the_same_tariff_is_a_choice_of_nothing() -> None:
    same = (
        "recovery=posted",
        "export.pass_through=0.0",
        "export.usd_per_kwh=0.07",
        "fixed_charge_usd_per_day=0.329",
        "energy_usd_per_kwh.day=0.08",
        "energy_usd_per_kwh.overnight=0.16",
        "energy_usd_per_kwh.peak=0.24",
    )
    scenario = example("battery_levels=5", *(f"tariffs.tou.{key}" for key in same))
    economy, tariff = build_economy(scenario, opt_in=True), build_rate_classes(scenario)
    names = [one.name for one in economy.types]
    assert "low/none" in names
    assert "low/none in opt_in" in names
    assert economy.type_share.sum() == pytest.approx(1)
    chose = np.array([one.rate_class == "opt_in" for one in economy.types])
    assert economy.type_share[chose].sum() == pytest.approx(0.2)
    assert [tariff.class_index(one) for one in economy.types] == chose.astype(int).tolist()
    found, plain = solve_equilibrium(economy, tariff, certify=False), solved("textbook", "filed", "battery_levels=5")
    assert found.net_load_kw == pytest.approx(plain.net_load_kw, abs=1e-7)
    assert found.bill_usd_per_day[chose] == pytest.approx(found.bill_usd_per_day[~chose], abs=1e-7)


def test_the_object_and_the_report_have_who_chose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.setattr("meanwatt.analysis.adoption.adoption.adopt", lambda *_, **__: posted())
    assert main(["adoption", str(EXAMPLE), "--json", "--out", str(tmp_path / "a")]) == 0
    result = json.loads(capsys.readouterr().out)
    found = result["opt_in"]
    assert found["share"][0] == pytest.approx(0.2)
    assert found["technologies"] == result["technologies"][:4] == ["none", "pv", "pv_battery", "battery"]
    assert result["technologies"][4] == "none (opted in)"
    assert result["fixed_point"]["starts"][0]["opted_in_share"] > 0.2
    page = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert "Homes that chose their rate class" in page
    assert "low, rate class" in page


def test_components_of_a_class_that_homes_chose_are_theirs() -> None:
    """With the tariff of the others, tiers and all, those who chose pay what the others do; with none of it less."""
    tiers = (
        "tariffs.filed.tiers.limits_kwh_per_month=[300]",
        "tariffs.filed.tiers.adders_usd_per_kwh=[0.0, 0.1]",
    )
    same, other = (
        solve_composed(
            build_economy(scenario, opt_in=True), build_rate_classes(scenario, components=True), certify=False
        )
        for scenario in (
            example(*STILL, *tiers, "rate_classes.opt_in.tariff=filed"),
            example(*STILL, *POSTED, *tiers),
        )
    )
    chose = np.array([one.rate_class == "opt_in" for one in same.economy.types])
    paid = same.amounts.usd_per_day["tiers"]
    assert paid[chose] == pytest.approx(paid[~chose], abs=1e-9)
    assert paid[chose].max() > 0.1
    assert other.amounts.usd_per_day["tiers"][chose] == pytest.approx(0, abs=1e-12)
    assert other.amounts.usd_per_day["tiers"][~chose] == pytest.approx(paid[~chose], abs=1e-6)


def test_solve_prints_which_of_two_alike_homes_chose(capsys: pytest.CaptureFixture[str]) -> None:
    settings = [part for key in (*STILL, *POSTED) for part in ("--set", key)]
    assert main(["solve", str(EXAMPLE), "--certify", "none", *settings]) == 0
    rows = [line.split("│")[0].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("low /")]
    assert rows == ["low / none in default", "low / none in opt_in"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("rate_classes.opt_in.opt_in_share=0",), "rate_classes.opt_in.opt_in_share is 0; give a number from 1e-06"),
        (("rate_classes.opt_in.opt_in_share=1",), "rate_classes.opt_in.opt_in_share is 1; give a number from 1e-06"),
    ],
)
def test_a_share_that_is_no_choice_is_refused(changes: tuple[str, ...], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        example(*changes)


def test_two_classes_open_to_one_household_are_refused(tmp_path: Path) -> None:
    text = TEXT + '\n[rate_classes.other]\ntariff = "rtp"\nopt_in_share = 0.1\n'
    (tmp_path / "two.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"rate_classes.other and rate_classes.opt_in are both open to technology"):
        load_scenario(tmp_path / "two.toml")


@pytest.mark.parametrize("command", ["simulate", "design", "practice", "validate", "export"])
def test_who_cannot_hold_a_choice_says_so_in_one_line(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    more = {"export": ["--to", str(tmp_path / "x.npz")], "design": ["--leader", "commission"]}.get(command, [])
    assert main([command, str(EXAMPLE), *more]) == 2
    assert capsys.readouterr().err == (
        "meanwatt: scenario opt_in: rate_classes.opt_in has an opt_in_share, which only solve, adoption and allot can"
        " hold; leave it out, or put everybody on one tariff with --tariff\n"
    )
