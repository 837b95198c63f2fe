"""Compare takes tariffs as filed: of the gallery, a record of the rate database, and ours, in the scenario's words."""

import json
from pathlib import Path
from typing import Any

import pytest
from ratebook_records import TIERED, write_record

from meanwatt.analysis.dashboard.compare.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.compare.comparer import Comparer
from meanwatt.analysis.dashboard.compare.filed import gallery_offers, tariff_sent
from meanwatt.analysis.dashboard.compare.view import cards_json
from meanwatt.model.billing.tariff_gallery import gallery_text
from meanwatt.model.scenario.economy import build_tariff

OAHU = Choice(scenario="oahu")


def test_the_gallery_offers_what_is_in_the_scenarios_money() -> None:
    names = [name for name, _ in gallery_offers()]
    assert "heco_shift_and_save" in names
    assert "octopus_agile" not in names


@pytest.mark.parametrize(
    "message",
    [
        {"gallery": "heco_shift_and_save"},
        {"name": "mine.toml", "text": gallery_text("heco_shift_and_save")},
    ],
)
def test_a_tariff_as_filed_is_that_of_the_scenario_by_hand(message: dict[str, Any]) -> None:
    table, messages = tariff_sent(OAHU, message)
    filed = Choice(scenario="oahu", a="filed").sides[0].load().tariffs["filed"]
    day = [0.35] * 9 + [0.17] * 8 + [0.52] * 4 + [0.35] * 3
    assert list(table.energy_usd_per_kwh) == day
    assert filed.recovery == table.recovery == "posted"
    assert messages == ("Credits that wait for later months, or are lost, count in full in the month they are earned.",)


def test_a_record_of_the_rate_database_is_read_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    write_record(tmp_path / "rates.json", TIERED)
    table, messages = tariff_sent(OAHU, {"name": "rates.json", "text": (tmp_path / "rates.json").read_text()})
    assert table.recovery == "posted"
    assert any(sentence.startswith("Tiers are averaged at the mean household's") for sentence in messages)
    assert "It does not say how feeding in is metered: net billing at its sell rates, taken here." in messages


def _never(*_: object, **__: object) -> None:
    return None


def test_the_card_tells_what_is_left_out_while_the_side_has_that_tariff() -> None:
    comparer = Comparer("scenario=oahu", solve=_never, best=_never)
    found = comparer.read({"side": "b", "gallery": "pge_e_elec"})
    assert found is not None
    left_out = {"b": (found.edits_b.own, "Months are averaged.")}
    for choice, told in ((found, "Months are averaged."), (found.named("b", "rtp"), "")):
        cards = [json.loads(text) for text in cards_json(choice, frozenset(), {}, left_out)]
        assert [card["left_out"] for card in cards] == ["", told]
    again, problems = from_query(query(found))
    assert (again, problems) == (found, ())
    assert build_tariff(found.sides[1].load()).recovery == "posted"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ({"gallery": "heco"}, "heco is not used: unknown tariff 'heco'; did you mean"),
        ({"gallery": "octopus_agile"}, "octopus_agile is not used: "),
        ({"name": "x.json", "text": "{"}, "x.json is not used: tariff x.json: "),
        ({"name": "x.toml", "text": 'kind = "ratebook"'}, "x.toml is not used: tariff x.toml: "),
        ({"name": "x.json", "text": "[" * 70_000}, "x.json is not used: the tariff is longer than 64 kB"),
    ],
)
def test_what_cannot_be_used_is_a_sentence_on_the_side(message: dict[str, Any], line: str) -> None:
    views: list[Any] = []
    comparer = Comparer("scenario=oahu", solve=_never, best=_never)
    end = comparer.listen(views.append)
    assert comparer.read({"side": "a", **message}) is None
    problem = json.loads(max(views, key=lambda view: view.number).cards[0])["problem"]
    end()
    assert problem.startswith(line)
    assert "\n" not in problem
