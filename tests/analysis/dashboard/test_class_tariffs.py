"""Rate classes and components on the page Market: chosen, billed as printed, edited class by class, and lived."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from classed_scenarios import CLASSED, given, solved

from meanwatt.analysis.dashboard.finite.choice import from_query as finite_query
from meanwatt.analysis.dashboard.market import address
from meanwatt.analysis.dashboard.market.class_boards import class_boards, energy_usd_per_day
from meanwatt.analysis.dashboard.market.class_lines import ClassRates, class_lines
from meanwatt.analysis.dashboard.market.comparison import comparison
from meanwatt.analysis.dashboard.market.crossing import ONE_ONLY, compare_label, compare_link
from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.market.knobs import knobs, without_effect
from meanwatt.analysis.dashboard.market.naming import full_name
from meanwatt.analysis.dashboard.market.view import Stage, form_json
from meanwatt.analysis.dashboard.market.wishes import FILE, chosen
from meanwatt.analysis.dashboard.shared.bill_parts import parts_usd_per_day
from meanwatt.analysis.dashboard.shared.own_scenarios import give
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.take_away.described import describe_market
from meanwatt.model.market.billing_months import ends_month
from meanwatt.model.scenario.economy import DAYS_PER_MONTH
from meanwatt.model.scenario.loading import load_scenario

DOCS = Path(__file__).parents[3] / "docs"
FILED = Settings(tariff="filed_classes")


@pytest.fixture(scope="module", autouse=True)
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    given(tmp_path_factory.mktemp("scenarios"))
    yield
    give([])


@pytest.mark.parametrize("name", ["oahu", "california"])
def test_filed_classes_are_chosen_like_a_tariff_and_are_those_of_the_documents(name: str) -> None:
    found = load_scenario(name, tariff="filed_classes")
    written = load_scenario(DOCS / "examples" / f"{name}_filed_classes.toml")
    apart = {"name", "title"}
    assert found.model_dump(exclude=apart) == written.model_dump(exclude=apart)
    settings, problems = address.from_query(f"scenario={name}&tariff=filed_classes")
    assert (settings.load(), problems) == (found, ())
    assert address.from_query(address.query(settings)) == (settings, ())


def test_a_file_with_classes_opens_on_them_and_a_preset_does_not() -> None:
    settings, problems = address.from_query("scenario=mine")
    assert (settings.tariff, problems) == ("rate_classes", ())
    assert settings.load().has_rate_classes
    assert Settings(scenario="mine", tariff="flat").load().has_rate_classes is False
    assert address.from_query("scenario=textbook&tariff=filed_classes")[1] == (
        "unknown tariff 'filed_classes'; did you mean 'filed'?",
    )
    options = {
        one["value"]: one["label"] for one in json.loads(form_json(Stage(base=settings, draft=settings), ""))["tariffs"]
    }
    assert options["rate_classes"] == "Rate classes: solar on Real-time price with carbon, others on Tiers"
    assert options["tiered"] == "Tiers"


def test_the_parts_of_every_type_sum_to_its_bill_and_are_what_the_solver_expects() -> None:
    found = solved()
    parts = parts_usd_per_day(found)
    np.testing.assert_allclose(sum(parts.values()), found.equilibrium.bill_usd_per_day, rtol=0, atol=1e-9)
    assert found.composed is not None
    solar = np.array([one.technology == "pv" for one in found.equilibrium.economy.types])
    for name in ("tiers", "demand_charge", "minimum_bill", "subscription"):
        np.testing.assert_array_equal(parts[name], found.composed.amounts.usd_per_day[name])
        assert not parts[name][solar].any(), name
    assert (parts["demand_charge"][~solar] > 0).all()
    np.testing.assert_allclose(parts["access_charge"], np.where(solar, 0.0, 0.05))


def test_the_tables_add_up_as_printed_and_what_is_left_is_the_network_and_the_surplus() -> None:
    boards = class_boards(solved())
    rates, parts = json.loads(boards.rates), json.loads(boards.parts)
    printed = {row[0]: [_number(cell) for cell in row[1:]] for row in [*rates["rows"], rates["foot"]]}
    for bill, energy, left in zip(*list(printed.values())[-3:], strict=True):
        assert bill - energy == pytest.approx(left, abs=1e-9)
    metrics, economy = solved().metrics, solved().equilibrium.economy
    network = economy.fixed_cost_usd_per_day + metrics.surplus_usd_per_household_day
    assert printed["= left for the network"][-1] == pytest.approx(DAYS_PER_MONTH * network, abs=0.006)
    assert energy_usd_per_day(solved()) @ economy.type_share == pytest.approx(
        float(solved().equilibrium.bill_usd_per_day @ economy.type_share) - network, abs=1e-9
    )
    assert parts["heads"][1:] == ["Others", "Solar"]
    for column in (1, 2):
        assert sum(round(100 * _number(row[column])) for row in parts["rows"]) == round(
            100 * _number(parts["foot"][column])
        )
    assert [row[0] for row in parts["rows"]][1:3] == ["Fixed", "Access"]
    assert {"Tiers", "Demand charge", "Subscription"} <= {row[0] for row in parts["rows"]}
    assert parts["foot"][1:] == rates["rows"][4][1:3], "one bill in both"
    assert any(text.startswith("Tiers: households act on") for text in json.loads(boards.says)["texts"])
    assert "simulate" not in boards.says


def _number(cell: str) -> float:
    try:
        return float(cell.replace("−", "-"))
    except ValueError:
        return 0.0


def test_homes_of_the_market_are_billed_for_their_months_and_days_bear_what_is_expected_until_then() -> None:
    engine, found = Engine(), solved()
    try:
        assert engine.adopt(found) == ()
        market, composed = engine._market, found.composed
        assert market is not None
        assert composed is not None
        days = next(day for day in range(1, 40) if ends_month(day - 1, None))
        for _ in range(days - 1):
            engine.step()
        before = market.population.bill_usd.sum() + (days - 1) * sum(
            float(market.population.count @ usd) for usd in composed.amounts.usd_per_day.values()
        )
        assert engine._history.mean_bill_usd() @ _homes(engine) * (days - 1) == pytest.approx(before, rel=1e-9)
        engine.step()
        own = market.population.bill_usd.sum()
        assert engine._history.mean_bill_usd() @ _homes(engine) * days == pytest.approx(own, rel=1e-9)
        assert json.loads(engine.frame().classes.parts)["key"] == "parts"
        household = market.population.of_type(0).start
        engine.look(int(market.population.bus[household]), household)
        assert json.loads(engine.frame().home)["to_date"].endswith("are billed with the month")
    finally:
        engine.close()


def _homes(engine: Engine) -> np.ndarray:
    """Homes of each income group."""
    assert engine._market is not None
    group = [one.group for one in engine._market.household_types]
    return np.bincount(group, weights=engine._market.population.count)


def test_every_class_has_its_own_controls_and_those_that_it_cannot_take_say_why() -> None:
    offered = {knob.key: knob for knob in knobs(FILED.preset())}
    idle = without_effect(offered.values(), FILED)
    assert idle["tariff.export.rule"] == "no effect: nobody in this rate class has solar or a battery"
    assert "tariffs.filed.export.rule" not in idle
    assert offered["tariffs.filed.pass_through"].part == "What homes pay: solar"
    wider = FILED.with_change("tariffs.filed.pass_through", 0.5, 0.0)
    assert wider.load().tariffs["filed"].pass_through == 0.5
    assert wider.town == FILED.town
    assert full_name(wider) == "Rate classes: solar and others, wholesale price passed on (solar) 0.50"
    assert address.from_query(address.query(wider)) == (wider, ())
    own = {knob.key for knob in knobs(Settings(scenario="mine", tariff="tiered").preset())}
    assert {"tariff.demand_charge.usd_per_kw_month", "tariff.minimum_bill.usd_per_month"} <= own
    assert "tariff.tiers.adders_usd_per_kwh" not in own


def test_the_highlighted_comparison_puts_all_on_one_tariff() -> None:
    found = comparison(FILED)
    assert (found.reference, found.variant) == (FILED, Settings())
    assert found.label == "What if all were on one tariff?"


def test_other_pages_say_that_they_take_one_tariff_and_how_to_go_on() -> None:
    assert (compare_link(FILED), compare_label(FILED)) == ("", ONE_ONLY)
    choice, problems = finite_query("tariff=filed_classes")
    assert choice.tariff == "rtp"
    assert problems == (
        "filed_classes has rate classes (solar), and this page takes one tariff for all; choose one tariff here, or"
        " open it on the page Market",
    )


def test_python_lines_ask_for_the_classes_by_their_name() -> None:
    assert (
        "meanwatt.solve('oahu', tariff='filed_classes', certify='none')"
        in describe_market("tariff=filed_classes", 0).python
    )


def test_a_tariff_file_is_opened_on_the_page_with_its_components_and_anything_else_is_refused() -> None:
    stage = Stage(base=FILED, draft=FILED)
    wanted, kept = chosen(
        stage, FILE, 'recovery = "fixed"\nenergy_usd_per_kwh = 0.2\nminimum_bill = { usd_per_month = 40 }\n'
    )
    assert wanted == kept
    assert (wanted.tariff, wanted.load().has_rate_classes) == ("filed", False)
    assert wanted.load().tariffs["from_file"].component_names == ("minimum_bill",)
    assert address.from_query(address.query(wanted)) == (wanted, ())
    with pytest.raises(ValueError, match="not valid TOML"):
        chosen(stage, FILE, "recovery = [")


def test_classes_with_the_same_rates_have_one_label_and_others_one_each() -> None:
    flat, steps = np.full((1, 24), 0.3), np.repeat([[0.1, 0.5]], 12, axis=1)
    classes = [
        ClassRates(name=name, pay=pay, earn=earn)
        for name, pay, earn in (("others", flat, None), ("solar", steps, flat))
    ]
    lines = class_lines(classes, 0)
    assert [(line["name"], line["label"]) for line in lines] == [
        ("others pay", "others pay"),
        ("solar pay", "solar pay"),
        ("solar earn", ""),
    ]
    assert abs(lines[0]["label_slot"] - lines[1]["label_slot"]) > 3, "labels do not lie on one another"
    same = class_lines([classes[0], replace(classes[0], name="solar")], 0)
    assert [line["label"] for line in same] == ["others and solar pay", ""]


def test_a_share_that_chose_a_class_lives_in_the_market_and_is_billed_by_it(tmp_path) -> None:
    text = CLASSED.partition("[rate_classes.solar]")[0].replace("tiered", "flat")
    given(tmp_path, f'{text}[rate_classes.chosen]\ntariff = "tou"\nopt_in_share = 0.25\n')
    engine, settings = Engine(), Settings(scenario="mine", tariff="rate_classes", households=4000)
    try:
        found = engine.solve(settings, progress=lambda _: None, cancelled=lambda: False)
        assert found is not None
        assert json.loads(class_boards(found).rates)["rows"][0][1:] == ["75 %", "25 %", "100 %"]
        engine.adopt(found)
        for _ in range(5):
            engine.step()
        market = engine._market
        assert market is not None
        lived = np.mean([day.bill_usd for day in market.history], axis=0) / market.population.count
        np.testing.assert_allclose(lived, found.equilibrium.bill_usd_per_day, rtol=0.03)
    finally:
        engine.close()
        given(tmp_path)
