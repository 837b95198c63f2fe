"""``meanwatt allot``: who turns into whom, allotments and shifts against plain loops, default rates, mistakes."""

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from family_files import BARE
from hypothesis import given
from hypothesis import strategies as st
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.analysis.allotment.allot import Allotment, allot
from meanwatt.analysis.allotment.moves import entries_of
from meanwatt.analysis.cli import main
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.technologies import TECHNOLOGIES

SMALL = "battery_levels=5"
FLAT = (*BARE, "supply.coefficients=[0.1]", "tariff.energy_usd_per_kwh=0.0", "tariff.recovery=volumetric")
NAMES = [one.name for one in TECHNOLOGIES]


def population(*groups: list[int]) -> list[SimpleNamespace]:
    """Household types of groups of one size, from how many homes of each own the technologies."""
    return [
        SimpleNamespace(group=g, technology=name, share=count / sum(own) / len(groups), branch="", rate_class="")
        for g, own in enumerate(groups)
        for name, count in zip(NAMES, own, strict=True)
        if count
    ]


OWNERS = st.lists(st.integers(0, 4), min_size=6, max_size=6).filter(any)


@given(OWNERS, OWNERS, OWNERS, OWNERS)
def test_homes_add_up_on_both_sides_and_keep_what_they_can(a: list, b: list, c: list, d: list) -> None:
    before, after = population(a, b), population(c, d)
    found = entries_of(tuple(before), tuple(after))
    for side, types in (("before", before), ("after", after)):
        for place, one in enumerate(types):
            matched = sum(entry.share for entry in found if getattr(entry, side) == place)
            assert matched == pytest.approx(one.share, abs=1e-10)
    for entry in found:
        old, new = before[entry.before], after[entry.after]
        assert old.group == new.group
        if old.technology == new.technology:
            assert entry.share == pytest.approx(min(old.share, new.share), abs=1e-10)


def test_a_battery_comes_to_the_home_that_has_all_else() -> None:
    """Solar homes get the batteries of solar homes, bare ones theirs; who gains solar comes last."""
    before, after = population([4, 4, 0, 0, 0, 0]), population([2, 2, 3, 1, 0, 0])
    found = {
        (before[one.before].technology, after[one.after].technology): round(8 * one.share, 9)
        for one in entries_of(tuple(before), tuple(after))
    }
    assert found == {
        ("none", "none"): 2,
        ("none", "battery"): 1,
        ("none", "pv_battery"): 1,
        ("pv", "pv"): 2,
        ("pv", "pv_battery"): 2,
    }


def test_homes_stay_on_their_branch_and_in_the_class_that_they_chose_as_far_as_the_shares_allow() -> None:
    def homes(*rows: tuple[str, str, str, float]) -> tuple[SimpleNamespace, ...]:
        keys = ("technology", "branch", "rate_class", "share")
        return tuple(SimpleNamespace(group=0, **dict(zip(keys, row, strict=True))) for row in rows)

    before = homes(("none", "near", "", 0.5), ("none", "far", "", 0.2), ("none", "far", "chosen", 0.3))
    after = homes(
        ("none", "near", "", 0.3), ("pv", "near", "", 0.2), ("none", "far", "", 0.1), ("none", "far", "chosen", 0.4)
    )
    found = {(one.before, one.after): round(one.share, 9) for one in entries_of(before, after)}
    assert found == {(0, 0): 0.3, (0, 1): 0.2, (1, 2): 0.1, (1, 3): 0.1, (2, 3): 0.3}
    moved = homes(("none", "near", "", 0.6), ("none", "far", "", 0.4))  # people have moved house
    assert {(one.before, one.after): round(one.share, 9) for one in entries_of(before, moved)} == {
        (0, 0): 0.5,
        (1, 1): 0.2,
        (2, 0): 0.1,
        (2, 1): 0.2,
    }


@cache
def shifted() -> Allotment:
    """From nobody with a battery to the preset's own."""
    tariff = preset_tariff("textbook", "tou")
    before = preset_economy("textbook", SMALL, "battery_share_scale=0")
    return allot(before, tariff, (preset_economy("textbook", SMALL), tariff))


def seen(found: Equilibrium, k: int) -> tuple[float, float]:
    """Own marginal cost and energy bought of a type, state by state, slot by slot, level by level."""
    economy, cost, bought = found.economy, 0.0, 0.0
    net, law = found.answer.responses[k].outcome, found.answer.flows[k].frequency
    for c, chance in enumerate(economy.common.probability):
        for h in range(economy.slots):
            load = float((law[c, h] * net.net_load_kw[c, h]).sum())
            cost += chance * economy.slot_hours * float(found.wholesale_usd_per_kwh[c, h]) * load
            bought += chance * economy.slot_hours * float((law[c, h] * np.maximum(net.net_load_kw[c, h], 0)).sum())
    return cost, bought


def test_frozen_and_adjusting_allotments_are_those_of_plain_loops() -> None:
    done = shifted()
    residual = done.residual_usd_per_household_day
    old = [seen(done.before, one.before) for one in done.entries]
    assert done.after is not None
    assert done.shift is not None
    new = [seen(done.after, one.after) for one in done.entries]
    share = [one.share for one in done.entries]
    for allotter, place in (("per_customer", None), ("equi_proportional", 0), ("per_kwh", 1)):
        parts = []
        for side in (old, new):
            followed = [1.0 if place is None else row[place] for row in side]
            mean = sum(w * f for w, f in zip(share, followed, strict=True))
            parts.append([residual * f / mean for f in followed])
        incidence = done.shift[allotter]
        assert incidence is not None
        for i in range(len(share)):
            frozen = new[i][0] - old[i][0]
            assert incidence.frozen[i] == pytest.approx(frozen, abs=1e-9)
            assert incidence.adjusting[i] == pytest.approx(frozen + parts[1][i] - parts[0][i], abs=1e-9)
        assert done.allotted[allotter] == pytest.approx(parts[0], abs=1e-9)


def test_where_supply_is_flat_and_all_are_alike_the_rate_is_the_one_that_recovery_finds() -> None:
    found = solved("textbook", "flat", *FLAT)
    done = allot(preset_economy("textbook", *FLAT[:-2]), preset_tariff("textbook", "flat", *FLAT))
    rates = {(one.level, one.name, one.allotter): one.rate for one in done.default_rates}
    rate = rates["everybody", "everybody", "per_kwh"]
    assert rate is not None
    assert rate.usd_per_kwh == pytest.approx(float(found.rates.import_usd_per_kwh[0, 0]), abs=1e-6)
    alike = [one.rate.usd_per_kwh for one in done.default_rates if one.allotter == "per_kwh" and one.rate]
    assert alike == pytest.approx([rate.usd_per_kwh] * len(alike), abs=1e-6)  # no class subsidises another
    cheap = allot(done.before.economy, done.before.tariff, cap_usd_per_kwh=0.11)
    assert {one.rate.reason for one in cheap.default_rates if one.rate} == {"above_cap"}
    assert "Classes without a default rate up to 0.11 USD/kWh: everybody, per_customer (above_cap)" in "".join(
        cheap.messages
    )


def test_the_command_says_what_the_functions_find(
    capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = shifted()
    monkeypatch.setattr("meanwatt.analysis.allotment.allot.allot", lambda *_, **__: done)
    line = f"allot textbook --tariff tou --set {SMALL} --set battery_share_scale=0 --shift battery_share_scale=1"
    assert main([*line.split(), "--json", "--out", str(tmp_path / "a")]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["settings"]["shift"] == ["battery_share_scale=1"]
    assert result["allotters"] == ["per_customer", "per_kwh", "equi_proportional"]
    assert sum(row["share"] for row in result["homes"]) == pytest.approx(1)
    for row in result["homes"]:
        before = row["before"]
        for one in result["allotters"]:
            parts = before["own_marginal_cost_usd_per_day"] + before["allotted_usd_per_day"][one]
            assert before["bill_usd_per_day"] - parts == pytest.approx(before["bill_alignment_usd_per_day"][one])
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "allot.json",
        "default_rates.parquet",
        "homes.parquet",
        "manifest.json",
        "report.html",
    }
    page = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert "middle / pv → pv_battery" in page
    assert "What the shift adds to a home&#39;s cost" in page
    table = pq.read_table(tmp_path / "a" / "homes.parquet")
    assert table.num_rows == 3 * len(result["homes"])
    assert main(line.split()) == 0
    assert "low / none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            "--shift fixed_cost_usd_per_month=50",
            "--shift changes the network's cost from 0.9863 to 1.644 USD per household-day, and a shift of load leaves"
            " the residual alone; give fixed_cost_usd_per_month with --set",
        ),
        (
            "--shift income_groups.low.share=0.3 --shift income_groups.high.share=0.36666666666666664",
            "--shift changes the income groups or their shares, so that nobody knows whose load shifts; change them"
            " with --set, before and after alike",
        ),
        ("--cap 0", "--cap is '0'; give a number from 1e-06 to 100000 USD/kWh, e.g. 2"),
        ("--to flt", "scenario textbook: unknown tariff 'flt'; did you mean 'flat'? (or give the path of a TOML file)"),
    ],
)
def test_a_shift_that_is_none_is_refused_in_one_line(
    options: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    assert main(["allot", "textbook", *options.split(), "--out", str(tmp_path / "a")]) == 2
    heard = capsys.readouterr()
    assert (heard.out, heard.err) == ("", f"meanwatt: {said}\n")
    assert not (tmp_path / "a").exists()


def test_without_a_tariff_that_covers_the_cost_nothing_is_allotted(capsys: pytest.CaptureFixture[str]) -> None:
    line = f"allot textbook --tariff flat --set {SMALL} --set battery_share_scale=0 --json"
    posted = ("energy_usd_per_kwh=0", "recovery=volumetric", "adder_cap_usd_per_kwh=0.01")
    assert main([*line.split(), *(part for key in posted for part in ("--set", f"tariff.{key}"))]) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["outcome"] == "no_revenue_adequate_tariff"
    assert result["homes"] == result["default_rates"] == []


def test_a_branch_that_has_no_prices_of_its_own_changes_no_homes_allotment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"allot textbook --tariff flat --set {SMALL} --set feeder.name=lv_rural --json"
    assert main(line.split()) == 0
    alone = json.loads(capsys.readouterr().out)
    assert main([*line.split(), "--set", "feeder.branches.far=1-12", "--out", str(tmp_path / "a")]) == 0
    parted = json.loads(capsys.readouterr().out)
    own = {row["name"]: row for row in alone["homes"]}
    assert {row["branch"] for row in parted["homes"]} == {"rest", "far"}
    for row in parted["homes"]:
        assert row["name"] == f"{row['income']} / {row['technology']} on {row['branch']}"
        one = own[f"{row['income']} / {row['technology']}"]
        for allotter, part in row["before"]["allotted_usd_per_day"].items():
            assert part == pytest.approx(one["before"]["allotted_usd_per_day"][allotter], abs=1e-6)
    rates = {(row["level"], row["name"]) for row in parted["default_rates"]}
    assert {("branch", "rest"), ("branch", "far")} <= rates
    assert set(pq.read_table(tmp_path / "a" / "homes.parquet")["branch"].to_pylist()) == {"rest", "far"}


def test_homes_choose_a_class_on_a_branch_too_and_are_named_by_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An adder of 0 on a branch: of every type the share that lives there, at the cost that it had without branches."""
    chosen = '[rate_classes.evening]\ntariff = "tou"\nopt_in_share = 0.2\n'
    for name, more in (("alone", ""), ("parted", '[feeder.branches]\nfar = ["1-12"]\n')):
        adder = "[tariffs.flat.branch_adder_usd_per_kwh]\nfar = 0.0\n" if more else ""
        text = f'extends = "textbook"\nbattery_levels = 4\n{chosen}[feeder]\nname = "lv_rural"\n{more}{adder}'
        (tmp_path / f"{name}.toml").write_text(text)
    shift = ("--shift", "rate_classes.evening.opt_in_share=0.4", "--json")
    alone, parted = (
        (main(["allot", str(tmp_path / f"{name}.toml"), *shift]), json.loads(capsys.readouterr().out))[1]
        for name in ("alone", "parted")
    )
    own = {row["name"]: row for row in alone["homes"]}
    whole = dict.fromkeys(own, 0.0)
    for row in parted["homes"]:
        name, place = row["name"].rsplit(" on ", 1)
        assert place == row["branch"]
        whole[name] += row["share"]
        for allotter, part in row["before"]["allotted_usd_per_day"].items():
            assert part == pytest.approx(own[name]["before"]["allotted_usd_per_day"][allotter], abs=1e-6)
    assert whole == pytest.approx({name: row["share"] for name, row in own.items()}, abs=1e-12)
    assert "feeder.branches: 14 household types on 2 branches (rest, far) are 28 types." in parted["messages"]


def test_homes_that_chose_a_class_keep_it_and_those_who_turn_to_it_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """More homes choose the time-of-use rate: of each type those who had it keep it, a fifth more turn to it."""
    file = tmp_path / "choice.toml"
    file.write_text(
        'extends = "textbook"\nbattery_levels = 5\n[rate_classes.evening]\ntariff = "tou"\nopt_in_share = 0.2\n'
    )
    line = ("allot", str(file), "--shift", "rate_classes.evening.opt_in_share=0.4", "--json")
    assert main([*line, "--out", str(tmp_path / "a")]) == 0
    result = json.loads(capsys.readouterr().out)
    whole: dict[str, float] = {}
    for row in result["homes"]:
        whole[f"{row['income']} / {row['technology']}"] = row["share"] + whole.get(
            f"{row['income']} / {row['technology']}", 0.0
        )
    by_name = {row["name"]: row for row in result["homes"]}
    for home, share in whole.items():
        parts = {"default": 0.6, "evening": 0.2, "default → evening": 0.2}
        for own, part in parts.items():
            assert by_name[f"{home} in {own}"]["share"] == pytest.approx(part * share)
    turned = by_name["low / none in default → evening"]
    assert (turned["rate_class"], turned["rate_class_after"]) == ("default", "evening")
    assert {row["name"] for row in result["default_rates"] if row["level"] == "rate_class"} == {"default", "evening"}
    assert "in default → evening" in (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
