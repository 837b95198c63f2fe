"""What bills are made of: parts that add up to the bill, exactly and as printed, and agree with other sums."""

import json
import re
from functools import cache

import numpy as np
import pytest
from compared_tariffs import PAIRS, solution

from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.agents.tariff.tariff import FIXED_CHARGE, ExportRule, Recovery
from meanwatt.analysis.dashboard.compare.bill_parts import bills
from meanwatt.analysis.dashboard.compare.choice import Choice
from meanwatt.analysis.dashboard.compare.explained import why
from meanwatt.analysis.dashboard.compare.money import payers
from meanwatt.analysis.dashboard.compare.numbers import key_numbers
from meanwatt.analysis.dashboard.compare.view import figures
from meanwatt.analysis.dashboard.shared.bill_parts import ADDER, ENERGY, EXPORTS, parts_usd_per_day
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Solution, solve

CHANGES = (
    ("tariff.access_charge.usd_per_pv_kw_day", 0.1),
    ("tariff.discount.low", 0.2),
    ("tariff.export.rule", "net_metering"),
    ("tariff.recovery", "volumetric"),
)


@cache
def everything() -> Solution:
    """A tariff with an adder, a discount, net metering, a fixed and an access charge."""
    found = solve(Settings(scenario="textbook", tariff="filed", changes=CHANGES))
    assert found is not None
    return found


@cache
def discounted() -> Solution:
    """A tariff with an adder, of which one group pays a part."""
    found = solve(Settings(scenario="textbook", tariff="flat", changes=(("tariff.discount.low", 0.4),)))
    assert found is not None
    return found


def cases() -> list[Solution]:
    return [*(solution(name) for pair in PAIRS for name in pair), everything(), discounted()]


@pytest.mark.parametrize("place", range(2 * len(PAIRS) + 2))
def test_the_parts_sum_to_the_bill_exactly_and_as_printed(place: int) -> None:
    found = cases()[place]
    parts = parts_usd_per_day(found)
    np.testing.assert_allclose(sum(parts.values()), found.equilibrium.bill_usd_per_day, rtol=0, atol=1e-12)
    printed = bills(found)
    assert [bill.total for bill in printed] == [row.a for row in payers(found, found)]
    for bill in printed:
        assert sum(bill.parts.values()) == bill.total
    exact = {name: 100 * 365 / 12 * paid for name, paid in parts.items()}
    for kind, bill in enumerate(printed):  # textbook has one type of each kind, the poorest group first
        for name, amount in bill.parts.items():  # half a cent of each of two standing charges and of the total are left
            near = 2.001 if name in (ENERGY, ADDER, EXPORTS) else 0.501
            assert amount == pytest.approx(exact[name][kind], abs=near)
            assert amount or abs(exact[name][kind]) < near, "what is not there is 0 and stays so"


@pytest.mark.parametrize("place", range(2 * len(PAIRS) + 2))
def test_homes_of_one_group_show_the_same_fixed_charge_whatever_they_own(place: int) -> None:
    printed = bills(cases()[place])
    for group in {bill.group for bill in printed}:
        assert len({bill.parts[FIXED_CHARGE] for bill in printed if bill.group == group}) == 1


def test_parts_agree_with_what_the_solver_balanced_by() -> None:
    for found in (solution("flat"), discounted(), everything()):
        equilibrium = found.equilibrium
        assert equilibrium.tariff.recovery is Recovery.VOLUMETRIC
        adder, exports = (float(equilibrium.economy.type_share @ parts_usd_per_day(found)[n]) for n in (ADDER, EXPORTS))
        billed = equilibrium.adder_usd_per_kwh * equilibrium.answer.billed_kwh_per_day
        if equilibrium.tariff.export_rule is ExportRule.NET_METERING:
            assert adder > billed > 0  # the solver's number is net of exports, which earn the adder, too
            assert exports < 0
        else:
            assert adder == pytest.approx(billed, rel=1e-12)


def test_signs_are_as_the_words_say_and_what_is_not_there_is_0() -> None:
    for found in cases():
        parts = parts_usd_per_day(found)
        solar = np.array([household.pv_installed_kw > 0 for household in found.equilibrium.economy.types])
        assert (parts[ENERGY] > 0).all()
        assert (parts[EXPORTS][solar] < 0).all()
        assert (parts[EXPORTS][~solar] == 0).all()
        assert (parts[ADDER] >= 0).all()
    economy, parts = everything().equilibrium.economy, parts_usd_per_day(everything())
    installed = np.array([household.pv_installed_kw for household in economy.types])
    np.testing.assert_allclose(parts[AccessCharge.name], 0.1 * installed, rtol=1e-12)
    assert not parts_usd_per_day(solution("flat"))[FIXED_CHARGE].any()


def test_the_table_prints_rows_that_add_up_and_leaves_out_what_nobody_pays() -> None:
    a, b = solution("filed"), everything()
    table = json.loads(figures(Choice(scenario="textbook", a="filed", b="filed"), a, b, None).bills)
    assert table["parts"] == ["Energy", "Adder", "Fixed", "Access", "Exports"]
    rows = [row for group in table["groups"] for row in group["rows"]]
    assert len(rows) == len(payers(a, b))
    for row in rows:
        assert [side["name"] for side in row["sides"]] == ["A", "B"]
        for side in row["sides"]:
            amounts = [cents(text) for text in side["amounts"]]
            assert sum(amounts) == cents(side["total"])
    same = json.loads(figures(Choice(scenario="textbook", a="rtp", b="rtp"), *[solution("rtp")] * 2, None).bills)
    assert same["parts"] == ["Energy", "Fixed", "Exports"]
    assert same["caption"] == "From A to B no part of a bill changes."


def cents(text: str) -> int:
    return round(100 * float(text.replace("−", "-")))


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_number_that_differs_has_its_sentence_and_no_other(pair: tuple[str, str]) -> None:
    a, b = (solution(name) for name in pair)
    for entry in key_numbers(a, b, None):
        said = why(entry, a, b)
        assert bool(said) == bool(entry.difference)
        assert said == "" or (said.endswith(".") and said.count("\n") == 0)


def test_sentences_are_made_of_what_the_numbers_were_computed_of() -> None:
    a, b = solution("filed"), solution("flat")
    told = {entry.figure.key: (entry, why(entry, a, b).replace("\u2060", "")) for entry in key_numbers(a, b, None)}
    entry, said = told["efficiency"]
    use, cost, wear = (
        cents(amount) * (1 if way == "higher" else -1) for amount, way in re.findall(r"\$([\d.]+) (higher|lower)", said)
    )
    assert -use + cost + wear == entry.difference  # use that is worth less is lost, too
    before, after = a.metrics, b.metrics
    for told_cents, names in (
        (use, ("utility",)),
        (cost, ("supply_cost", "carbon", "fixed_cost")),
        (wear, ("wear",)),
    ):
        keys = [f"{name}_usd_per_household_day" for name in names]
        exact = sum(getattr(after, key) - getattr(before, key) for key in keys)
        assert told_cents == pytest.approx(100 * 365 / 12 * exact, abs=1.001)
    for name, side in (("A", a), ("B", b)):
        load = side.equilibrium.net_load_kw
        mean = float(side.equilibrium.economy.common.probability @ load.mean(axis=1))
        assert load.max() / mean == pytest.approx(side.metrics.peak_to_average)
        assert f"{load.max():.2f} kW a home at " in told["peak"][1]
        burden = side.metrics.burden["low"]
        assert f"{100 * burden:.2f} % " in told["gap"][1]
        assert f"under {name}" in told["gap"][1]
