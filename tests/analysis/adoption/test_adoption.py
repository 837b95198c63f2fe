"""``meanwatt adoption``: closed forms where nothing feeds back, laws, the death spiral, its JSON object and files."""

import json
import shlex
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import WITH_VEHICLES

from meanwatt.analysis.adoption.adoption import Adoption, adopt
from meanwatt.analysis.adoption.fixed_point import STARTS, next_step
from meanwatt.analysis.adoption.homes import homes_of
from meanwatt.analysis.adoption.journal import AdoptionJournal
from meanwatt.analysis.adoption.market import AdoptionMarket, aimed_shares, fit
from meanwatt.analysis.adoption.path import path
from meanwatt.analysis.adoption.report import adoption_json
from meanwatt.analysis.cli import main
from meanwatt.analysis.design.design import design
from meanwatt.analysis.leader.leader_spec import leader_spec_of
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

SMALL = ("battery_levels=5",)
NET_METERING = "tariff.export.rule=net_metering"
NO_BATTERY = (*SMALL, "battery_share_scale=0")
FALLING = ("battery_share_scale=0", "pv_share_scale=1.4", "adoption.deciding_share_per_year=0.15")
"""So near to where no tariff covers the cost that a few years lead there."""
CONTRACT = {"years", "share", "fixed_point", "payback_years", "outcome"}


@cache
def run(*changes: str, years: int = 3, tariff: str | None = None) -> Adoption:
    """Adoption on the textbook island; keys of the tariff change only the one posted."""
    before = load_scenario("textbook", overrides=[text for text in changes if not text.startswith("tariff.")])
    after = load_scenario("textbook", overrides=changes, tariff=tariff)
    return adopt(build_economy(after), build_rate_classes(before), build_rate_classes(after), years=years)


def said(arguments: str, capsys: pytest.CaptureFixture[str], *, status: int = 0) -> dict:
    assert main([*shlex.split(arguments), "--json"]) == status
    heard = capsys.readouterr()
    assert heard.err == ""
    assert heard.out.count("\n") == 1
    return json.loads(heard.out)


def solar_saving(group: float, export_usd_per_kwh: float, rates: np.ndarray, sun_kw: np.ndarray) -> float:
    """What 4 kW of solar save a year of a household that does not move, in a loop over shocks and hours. [USD/yr]"""
    shape = np.array([1.0] * 17 + [2.0] * 4 + [1.0] * 3)
    load = group * 14 * shape / shape.sum()
    saved = 0.0
    for shock in (0.8, 1.0, 1.2):  # a third of the time each
        for hour in range(24):
            use, sun = shock * load[hour], 4 * sun_kw[hour]
            net = use - sun
            bill = rates[hour] * net if net > 0 else export_usd_per_kwh * net
            saved += (rates[hour] * use - bill) / 3
    return 365 * saved


def test_with_posted_rates_that_follow_no_price_shares_are_the_closed_logit() -> None:
    """Bills by hand: nobody moves (elasticity 0), nobody has a battery, and rates are posted before and after."""
    posted = ("tariff.recovery=posted", "tariff.export.pass_through=0.0", "tariff.export.usd_per_kwh=0.03")
    still = (*NO_BATTERY, "elasticity=0", "adoption.deciding_share_per_year=0.5")
    changes = (*still, "default_tariff=filed")
    scenario = load_scenario("textbook", overrides=changes)
    before = build_rate_classes(scenario)
    after = build_rate_classes(load_scenario("textbook", overrides=(*still, *posted), tariff="tou"))
    found = adopt(build_economy(scenario), before, after, years=40)

    sun = np.array([0, 0, 0, 0, 0, 0, 0, 0.15, 0.3, 0.45, 0.6, 0.6, 0.6, 0.6, 0.45, 0.3, 0.15] + 7 * [0.0])
    filed = np.array([0.16] * 9 + [0.08] * 8 + [0.24] * 4 + [0.16] * 3)
    tou = np.array([0.14] * 9 + [0.07] * 8 + [0.21] * 4 + [0.14] * 3)
    annuity = sum(1.15**-year for year in range(1, 26))
    for group, (use, owners) in enumerate(((0.8, 0.0), (1.0, 0.3), (1.2, 0.6))):
        gained = annuity * (solar_saving(use, 0.03, tou, sun) - solar_saving(use, 0.07, filed, sun))
        odds = owners / (1 - owners) * np.exp(0.2 * gained / 1000)
        share = odds / (1 + odds)
        assert gained < -100
        for point in found.points:
            assert point.outcome is Outcome.CONVERGED
            assert point.standing is not None
            assert point.standing.share[group, 1] == pytest.approx(share, abs=1e-6)
        assert found.path[-1].share[group, 1] == pytest.approx(share, abs=1e-6)
        years = np.array([one.share[group, 1] for one in found.path])
        assert years[0] == pytest.approx(owners)
        assert (np.diff(years) <= 1e-12).all()
    assert found.apart is not None
    assert found.apart < 1e-6


def test_without_sensitivity_today_is_kept_whatever_is_posted() -> None:
    found = run(*SMALL, "adoption.sensitivity_per_kusd=0", NET_METERING)
    today = found.homes.today
    assert len(found.path) == 4
    for share in [one.share for one in found.path] + [p.standing.share for p in found.points if p.standing]:
        assert share == pytest.approx(today, abs=1e-12)
    assert len({one.adder_usd_per_kwh for one in found.path}) >= 1
    assert all(point.outcome is Outcome.CONVERGED for point in found.points)


def test_todays_tariff_costs_and_subsidies_leave_today_at_rest() -> None:
    found = run(*SMALL)
    for one in found.path:
        assert one.share == pytest.approx(found.homes.today, abs=1e-6)
    today = found.points[STARTS.index("today")]
    assert today.standing is not None
    assert today.standing.share == pytest.approx(found.homes.today, abs=1e-6)
    assert any("today's shares are at rest: give another --tariff" in sentence for sentence in found.messages)


def test_a_fixed_point_answers_itself_and_the_path_comes_to_it() -> None:
    found = run(*SMALL, "adoption.deciding_share_per_year=0.5", years=30, tariff="rtp")
    for point in found.points:
        assert point.outcome is Outcome.CONVERGED
        assert point.residual is not None
        assert point.residual < 1e-5
        assert point.standing is not None
        assert point.standing.share == pytest.approx(found.path[-1].share, abs=1e-4)
    assert np.abs(found.path[-1].share - found.homes.today).max() > 0.01
    assert found.apart is not None
    assert found.apart < 1e-5


def test_where_adopters_bring_adopters_history_decides() -> None:
    """With net metering and twice the sensitivity today is a ridge: from nobody it comes to rest at fewer homes."""
    keys = (*NO_BATTERY, "tariffs.flat.export.rule=net_metering", "adoption.sensitivity_per_kusd=0.5")
    found = run(*keys)
    none, today, every = found.points
    assert none.standing is not None
    assert today.standing is not None
    assert (none.standing.share[1:, 1] < today.standing.share[1:, 1] - 0.05).all()
    assert none.feedback is not None
    assert today.feedback is not None
    assert none.feedback < 1 < today.feedback
    assert every.outcome is Outcome.NO_ADEQUATE_TARIFF
    assert found.apart == pytest.approx(np.abs(none.standing.share - today.standing.share).max())
    assert any(text.startswith("Fixed points differ with the start") for text in found.messages)
    assert any(text.startswith("Fixed point from today: not stable") for text in found.messages)

    homes = found.homes
    market = AdoptionMarket(homes, found.posted, np.zeros(3), Watch())
    constants = fit(homes, market.at(homes.today))
    for push, way in ((-0.02, -1), (0.02, 1)):  # the ridge, walked: next to it the logit leads away from today
        beside = homes.today.copy()
        beside[1:, :2] += np.array([-push, push])
        standing = market.at(beside)
        assert standing.worth is not None
        answered = aimed_shares(homes, constants, standing.worth.npv_usd)
        assert (way * (answered - beside)[1:, 1] > 0).all()


def test_net_metering_saves_exactly_what_the_roof_yields_of_the_groups_own_rate() -> None:
    """Also where owners use more than others, with a discount, and an access charge on top."""
    changes = (
        *NO_BATTERY,
        "elasticity=0",
        "load.adopter_multiplier=1.5",
        NET_METERING,
        "tariff.recovery=posted",
        "tariff.discount.low=0.35",
        "tariff.energy_usd_per_kwh=0.2",
        "tariff.access_charge.usd_per_pv_kw_day=0.05",
    )
    scenario = load_scenario("textbook", overrides=changes)
    homes = homes_of(build_economy(scenario))
    found = AdoptionMarket(homes, build_rate_classes(scenario), np.zeros(3), Watch()).at(homes.today)
    assert found.worth is not None
    yields_kwh = 4 * 4.2
    assert found.worth.saving_usd_per_year[:, 1] == pytest.approx(
        [365 * (rate * yields_kwh - 0.05 * 4) for rate in (0.13, 0.2, 0.2)], rel=1e-9
    )
    assert (found.worth.saving_usd_per_year[:, 0] == 0).all()


def test_the_death_spiral_is_a_path_that_ends_in_words() -> None:
    found = run(*SMALL, *FALLING, NET_METERING, years=30)
    assert found.outcome is Outcome.NO_ADEQUATE_TARIFF
    assert 2 <= len(found.path) - 1 < 30
    *solved, last = found.path
    adders = [one.adder_usd_per_kwh for one in solved]
    assert all(adder is not None for adder in adders)
    steps = np.diff(np.array(adders, dtype=float))
    assert (steps > 0).all(), "every year's adopters leave the cost to fewer kWh"
    assert max(adders) < 2.0  # type: ignore[type-var]
    assert last.adder_usd_per_kwh is last.bill_usd_per_year is last.worth is None
    assert last.surplus_usd_per_household_day < 0
    assert f"The path ends in year {len(found.path) - 1}, with solar on" in found.message
    assert "No revenue-adequate tariff" in found.message
    assert any(text.startswith("Fixed point from today: Adoption leads where no tariff") for text in found.messages)


def test_a_subsidy_from_now_on_raises_the_share_of_the_group_it_goes_to_and_of_no_other() -> None:
    posted = (*NO_BATTERY, "default_tariff=filed")  # rates are posted, so nobody else's bills move
    with_it = run(*posted, "adoption.subsidy_share.middle=0.3").path[-1].share
    today = run(*posted).homes.today
    assert with_it[1, 1] > today[1, 1] + 0.01
    assert with_it[[0, 2]] == pytest.approx(today[[0, 2]], abs=1e-9)


def test_a_subsidy_that_was_there_before_changes_nothing() -> None:
    both = ("adoption.subsidy_share=0.3", "adoption.subsidy_share_today=0.3")
    found = run(*NO_BATTERY, "default_tariff=filed", *both)
    assert found.path[-1].share == pytest.approx(found.homes.today, abs=1e-9)
    assert found.path[0].worth is not None
    assert found.path[0].worth.capital_usd[1, 1] == pytest.approx(0.7 * 4 * 4200)


def test_falling_costs_raise_adoption_and_their_payback_falls_with_them() -> None:
    found = run(*NO_BATTERY, "default_tariff=filed", "adoption.cost_change_per_year=-0.05")
    worth = [one.worth for one in found.path]
    assert [one.capital_usd[1, 1] / (4 * 4200) for one in worth if one] == pytest.approx([0.95**y for y in range(4)])
    shares = np.array([one.share[1, 1] for one in found.path])
    assert shares[1] == pytest.approx(shares[0])  # costs of year 0 are today's
    assert (np.diff(shares[1:]) > 0).all()


def test_a_floor_lets_a_group_begin_that_owns_nothing() -> None:
    assert any(text.startswith("Nobody owns low/pv") for text in run(*SMALL).messages)
    assert all(one.share[0, 1] == 0 for one in run(*SMALL).path)
    scenario = load_scenario("textbook", overrides=(*NO_BATTERY, "adoption.floor_share=0.01"))
    homes = homes_of(build_economy(scenario))
    market = AdoptionMarket(homes, build_rate_classes(scenario), np.zeros(3), Watch())
    shares = [one.share[0, 1] for one in path(market, fit(homes, market.at(homes.today)), 3)]
    assert shares[0] == 0
    assert 0 < shares[1] < shares[-1] < 0.05


def test_owners_of_a_vehicle_keep_it_and_decide_on_solar() -> None:
    vehicles = tuple(f"{key}={value}" for key, value in WITH_VEHICLES.items())
    found = run(*SMALL, *vehicles, "ev.levels=10", "default_tariff=filed", "adoption.subsidy_share=0.4", years=2)
    names = [technology.name for technology in found.homes.technologies]
    driving = [names.index("ev"), names.index("pv_ev")]
    first, last = found.path[0].share, found.path[-1].share
    assert last[:, driving].sum(axis=1) == pytest.approx(first[:, driving].sum(axis=1), abs=1e-12)
    assert (last[1:, driving[1]] > first[1:, driving[1]]).all()
    assert any(text.startswith("Electric vehicles are kept") for text in found.messages)


def test_steps_are_aitkens_within_bounds_and_never_go_back() -> None:
    one = np.ones(1)
    assert next_step(1.0, np.zeros(1), one, 8.0) == 1.0
    assert next_step(1.0, one, 0.5 * one, 8.0) == pytest.approx(2.0)  # answers halve: the rest is as long again
    assert next_step(1.0, one, -one, 8.0) == pytest.approx(0.5)  # answers swing
    assert next_step(1.0, one, 0.99 * one, 8.0) == 8.0
    assert next_step(1.0, one, 1.5 * one, 8.0) == 8.0  # gaps grow: no way back
    assert next_step(1.0, one, 1.5 * one, 0.25) == 0.25


# --- the command -----------------------------------------------------------------------------------------------------

QUICK = "adoption textbook --years 2 --set battery_levels=5 --tariff rtp"


def test_the_object_names_its_axes_and_shares_sum_to_one(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(QUICK, capsys)
    assert set(found) >= CONTRACT
    assert found["years"] == [0, 1, 2]
    assert found["income_groups"] == ["low", "middle", "high"]
    assert found["technologies"] == ["none", "pv", "pv_battery", "battery"]
    share = np.array(found["share"])
    assert share.shape == (3, 3, 4)
    assert share.sum(axis=2) == pytest.approx(1.0)
    assert share[0, 1].tolist() == pytest.approx([0.7, 0.15, 0.15, 0.0])
    assert np.shape(found["payback_years"]) == np.shape(found["today"]["npv_usd"]) == (3, 4)
    assert found["solar_share"][0] == pytest.approx(0.3)
    assert found["storage_share"][0] == pytest.approx(0.15)
    assert found["today"]["tariff"] == "flat"
    assert found["tariff"] == "rtp"
    assert [point["start"] for point in found["fixed_point"]["starts"]] == list(STARTS)
    assert found["fixed_point"]["one_point"] is True
    for key in ("adder_usd_per_kwh", "surplus_usd_per_household_day", "bill_usd_per_year", "burden", "peak_kw"):
        assert len(found[key]) == 3
    assert found["settings"] == {
        "scenario": "textbook",
        "tariff": "rtp",
        "set": ["battery_levels=5"],
        "today": None,
        "years": 2,
        "leader": None,
    }


def test_bills_of_year_0_are_those_of_the_equilibrium(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(QUICK, capsys)
    solved = said("solve textbook --tariff rtp --set battery_levels=5 --certify none", capsys)
    for place, group in enumerate(found["income_groups"]):
        rows = [row for row in solved["groups"] if row["income"] == group]
        paid = sum(row["share"] * row["bill_usd_per_year"] for row in rows) / sum(row["share"] for row in rows)
        assert found["bill_usd_per_year"][0][place] == pytest.approx(paid, rel=1e-7)
        assert found["burden"][0][place] == pytest.approx(solved["metrics"]["burden"][group], rel=1e-7)
    none, pv = (
        next(row for row in solved["groups"] if (row["income"], row["technology"]) == ("middle", technology))
        for technology in ("none", "pv")
    )
    saving = none["bill_usd_per_year"] - pv["bill_usd_per_year"]
    assert found["saving_usd_per_year"][1][1] == pytest.approx(saving, rel=1e-6)


def test_a_death_spiral_ends_with_status_1_and_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    keys = " ".join(f"--set {key}" for key in (*SMALL, *FALLING, NET_METERING))
    found = said(f"adoption textbook {keys} --out {out}", capsys, status=1)
    assert found["outcome"] == "no_revenue_adequate_tariff"
    assert found["adder_usd_per_kwh"][-1] is found["burden"][-1] is None
    assert len(found["years"]) == len(found["share"]) < 21
    assert {path.name for path in out.iterdir()} == {
        "adoption.json",
        "shares.parquet",
        "years.parquet",
        "worth.parquet",
        "report.html",
        "manifest.json",
    }
    assert not (tmp_path / "run.journal.jsonl").exists()
    assert json.loads((out / "adoption.json").read_text(encoding="utf-8")) == found
    shares = pq.read_table(out / "shares.parquet").to_pydict()
    assert np.reshape(shares["share"], np.shape(found["share"])).tolist() == found["share"]
    assert shares["technology"][:5] == ["none", "pv", "pv_battery", "battery", "none"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    for text in ("The path ends in year", "no tariff covers the cost", "high, solar", "middle / pv_battery"):
        assert text in page


def test_tariff_keys_change_the_tariff_posted_and_today_names_another(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(f"{QUICK} --today tou", capsys)
    assert found["today"]["tariff"] == "tou"
    same = said("adoption textbook --years 1 --set battery_levels=5 --set tariff.recovery=fixed", capsys)
    assert same["tariff"] == same["today"]["tariff"] == "flat"
    assert same["share"][1] != same["share"][0]
    assert same["adder_usd_per_kwh"] == [0.0, 0.0]


def test_rate_classes_are_held(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "classes.toml"
    file.write_text(
        'extends = "textbook"\nbattery_levels = 5\nbattery_share_scale = 0.0\n[tariffs.rtp]\nrecovery = "volumetric"\n'
        '[rate_classes.solar]\ntariff = "rtp"\ntechnologies = ["pv", "pv_battery"]\n'
    )
    rest = said(f"adoption {file} --years 1", capsys)
    assert np.array(rest["share"][1]) == pytest.approx(np.array(rest["share"][0]), abs=1e-6)
    moved = said(f"adoption {file} --years 1 --tariff solar=flat", capsys)
    assert moved["saving_usd_per_year"][1][1] != pytest.approx(rest["saving_usd_per_year"][1][1], abs=1.0)
    assert moved["today"]["saving_usd_per_year"][1][1] == pytest.approx(rest["saving_usd_per_year"][1][1], abs=1e-6)


def test_a_leader_posts_the_design_of_every_years_shares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And at the fixed point, whose shares are the logit's answer to the bills of that design."""
    monkeypatch.setattr("meanwatt.analysis.adoption.adoption.STARTS", ("today",))
    scenario = load_scenario("textbook", overrides=NO_BATTERY)
    economy, tariff = build_economy(scenario), build_rate_classes(scenario)
    first = design(economy, tariff, leader_spec_of(economy, "commission")).commitment
    assert first is not None
    keys = " ".join(f"--set {key}" for key in NO_BATTERY)
    line = f"adoption textbook --leader commission {keys} --out {tmp_path / 'run'}"
    found = said(f"{line} --years 2", capsys)
    assert found["leader"] == {"name": "commission", "weights": {"equity": 1.0, "stability": 0.0}}
    assert found["outcome"] == "converged"
    paid = list(found["fixed_charge_usd_per_day"][0].values())
    assert paid == pytest.approx(first.equilibrium.fixed_charge_usd_per_day.tolist(), abs=1e-4)
    assert found["parameters"][0] == pytest.approx(first.parameters, abs=1e-4)
    last = homes_of(economy).economy_at(np.array(found["share"][2]))
    again = design(last, tariff, leader_spec_of(economy, "commission")).commitment
    assert again is not None
    assert list(found["fixed_charge_usd_per_day"][2].values()) == pytest.approx(
        again.equilibrium.fixed_charge_usd_per_day.tolist(), abs=1e-2
    )  # the optimum is flat
    assert found["share"][2] != found["share"][0]
    assert any(text.startswith("Leader commission: posts the tariff") for text in found["messages"])
    (point,) = found["fixed_point"]["starts"]
    assert (point["outcome"], point["feedback"]) == ("converged", None)
    assert point["residual"] <= 1e-3
    homes, rest = homes_of(economy), np.array(point["share"])
    posted = design(homes.economy_at(rest), tariff, leader_spec_of(economy, "commission")).commitment
    assert posted is not None
    no_subsidy = homes.by_group("subsidy_share")
    now = AdoptionMarket(homes, tariff, no_subsidy, Watch()).at(homes.today)
    then = AdoptionMarket(homes, posted.tariff, no_subsidy, Watch()).at(rest)
    assert then.worth is not None
    assert aimed_shares(homes, fit(homes, now), then.worth.npv_usd) == pytest.approx(rest, abs=5e-3)
    assert np.abs(rest - homes.today).max() > 0.02
    assert "leader commission" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_for_people_it_prints_three_tables_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(QUICK)) == 0
    text = capsys.readouterr().out
    for part in (
        "In 2 years solar goes from 30.0 to",
        "What it costs and saves in year 0",
        "middle / pv_battery",
        "never",
        "Homes with solar and with a home battery",
        "Shares that answer themselves",
        "Note: Constants of the logit: fitted to today's shares under tariff flat",
    ):
        assert part in text


@pytest.mark.parametrize(("stops_at", "reached"), [("today, tariff flat", 0), ("fixed point from today", 4)])
def test_what_is_cancelled_keeps_what_was_reached(stops_at: str, reached: int) -> None:
    stages: list[str] = []
    watch = Watch(cancelled=lambda: bool(stages) and stages[-1] == stops_at)
    scenario = load_scenario("textbook", overrides=SMALL)
    tariff = build_rate_classes(scenario)
    found = adopt(build_economy(scenario), tariff, tariff, years=3, watch=watch, new_stage=stages.append)
    assert found.outcome is Outcome.CANCELLED
    assert len(found.path) == reached
    assert adoption_json(found)["outcome"] == "cancelled"
    assert found.message.startswith("Cancelled ")


def test_progress_says_the_year_and_the_share_done() -> None:
    heard: list[Progress] = []
    scenario = load_scenario("textbook", overrides=NO_BATTERY)
    tariff = build_rate_classes(scenario)
    adopt(build_economy(scenario), tariff, tariff, years=3, watch=Watch(progress=heard.append))
    years = [(one.stage, one.fraction) for one in heard if one.fraction is not None]
    assert years == [(f"year {year} of 3", year / 4) for year in range(4)]


def test_a_path_goes_on_from_its_journal_to_the_same_end(tmp_path: Path) -> None:
    scenario = load_scenario("textbook", overrides=SMALL)
    economy, before = build_economy(scenario), build_rate_classes(scenario)
    posted = build_rate_classes(load_scenario("textbook", overrides=SMALL, tariff="rtp"))
    whole = adopt(economy, before, posted, years=3)
    file = tmp_path / "run.journal.jsonl"
    for years in (1, 3):
        with AdoptionJournal(file, economy, before, posted, resume=years == 3) as journal:
            assert len(journal.parts) == (2 if years == 3 else 0)
            found = adopt(economy, before, posted, years=years, journal=journal)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1 + 4
    one, other = adoption_json(found), adoption_json(whole)
    assert np.array(one["share"]) == pytest.approx(np.array(other["share"]), abs=1e-7)
    assert one["payback_years"] == pytest.approx(other["payback_years"])
    assert one["bill_usd_per_year"][0] == pytest.approx(other["bill_usd_per_year"][0])
    with pytest.raises(ValueError, match="belongs to another run: its tariff is"):
        AdoptionJournal(file, economy, before, before, resume=True)
    with pytest.raises(ValueError, match="holds the years of an interrupted run; add --resume"):
        AdoptionJournal(file, economy, before, posted, resume=False)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("adoption textbok", "unknown preset 'textbok'; did you mean 'textbook'?"),
        ("adoption textbook --years 0", "--years is '0'; give a whole number from 1 to 100, e.g. 20"),
        ("adoption textbook --today tuo", "did you mean 'tou'?"),
        (
            "adoption textbook --set adoption.sensitivity=1",
            "unknown key 'adoption.sensitivity'; did you mean 'adoption.sensitivity_per_kusd'?",
        ),
        (
            "adoption textbook --set adoption.subsidy_share=1.5",
            "adoption.subsidy_share is 1.5; give a number from 0 to 1",
        ),
        ("adoption textbook --set adoption.subsidy_share.poor=0.5", "unknown key 'adoption.subsidy_share.poor'"),
        (
            "adoption textbook --set adoption.subsidy_share={low=0.5}",
            "adoption.subsidy_share gives nothing for income group middle; give a number for every group",
        ),
        (
            "adoption textbook --set adoption.deciding_share_per_year=0",
            "adoption.deciding_share_per_year is 0; give a number from 1e-06 to 1 per year",
        ),
        ("adoption textbook --resume", "--resume needs the --out DIR"),
        ("adoption textbook --leader comission", "did you mean 'commission'?"),
        ("adoption textbook --weights equity=1", "--weights is of a leader, and none is named; add --leader"),
        ("adoption textbook --leader commission --price-cap 0.3", "--price-cap"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(arguments)) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    assert line in heard.err
