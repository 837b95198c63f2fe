"""The Pareto surface on the leader's page: that of `pareto_surface`, drawn once, stopped, and looked at dot by dot."""

import json
import re
from functools import cache

import numpy as np
import pytest

from meanwatt.analysis.dashboard.leader import surfacing
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.searching import searched
from meanwatt.analysis.dashboard.leader.sighted import Picked, Sighted
from meanwatt.analysis.dashboard.leader.surface_chart import REACH, surface_json
from meanwatt.analysis.dashboard.leader.surfacing import IN_FORCE, Drawn, drawn_surface, posted
from meanwatt.analysis.dashboard.leader.take_home import toml_of
from meanwatt.analysis.dashboard.leader.view import figures
from meanwatt.analysis.dashboard.shared import time_left
from meanwatt.analysis.dashboard.shared.solution import benchmark
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.pareto.survey import criteria_of
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

CHOICE = Choice(evaluations=1)


@cache
def seen() -> Sighted:
    end = searched(CHOICE, show=lambda _: None, progress=lambda _: None, cancelled=lambda: False)
    assert end is not None
    return end


@cache
def welfare() -> float:
    found = benchmark(CHOICE.settings.town).welfare_usd_per_household_day
    assert found is not None
    return found


@cache
def told() -> tuple[Drawn, tuple[Work, ...]]:
    work: list[Work] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time_left, "LEAST_SECONDS", 0.0)
        drawn = drawn_surface(CHOICE, seen(), welfare(), progress=work.append, cancelled=lambda: False)
    assert drawn is not None
    return drawn, tuple(work)


def test_the_surface_is_whole_and_said_on_the_way() -> None:
    drawn, work = told()
    assert drawn.surface.outcome is Outcome.CONVERGED
    assert drawn.surface.in_force == IN_FORCE
    assert list(drawn.surface.verdicts) == [IN_FORCE]
    fractions = [one.fraction for one in work]
    assert fractions == sorted(fractions)
    assert any(re.search(r"\d tariffs tried, about \d+ (s|min) left$", one.text) for one in work)


def test_who_asks_again_gets_the_same_and_weights_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, _ = told()
    monkeypatch.setattr(surfacing, "pareto_surface", None)
    other = Choice(weights=(("equity", 7.0),))
    again = drawn_surface(other, seen(), welfare(), progress=lambda _: None, cancelled=lambda: False)
    assert again is drawn


def test_every_dot_is_a_tariff_of_the_front_and_none_is_drawn_twice() -> None:
    drawn, _ = told()
    board = json.loads(surface_json(seen(), welfare(), None, drawn, None))
    chart = board["chart"]
    places = [point["place"] for point in chart["points"]]
    assert len(set(places)) == len(places)
    assert len({tuple(point["cells"]) for point in chart["points"]}) == len(places)
    assert [point["place"] for point in chart["points"] if point["knee"]] == [drawn.surface.knee]
    for point in chart["points"]:
        gap, burden, swing = drawn.surface.front[point["place"]].criteria
        assert (point["x"], point["y"]) == pytest.approx((DAYS_PER_MONTH * gap, 100 * burden))
        assert f"price swing {swing:.4f} $/kWh" in point["text"]
    inside = [point for point in chart["points"] if point["x"] <= chart["end"]]
    assert {min(point["size"] for point in inside), max(point["size"] for point in inside)} == {0.0, 1.0}
    sizes = [(drawn.surface.front[point["place"]].criteria[2], point["size"]) for point in inside]
    assert [size for _, size in sorted(sizes)] == sorted(size for _, size in sizes)
    force = criteria_of(seen().in_force, welfare())
    assert chart["in_force"]["x"] == pytest.approx(DAYS_PER_MONTH * force[0])
    assert chart["end"] >= REACH * chart["in_force"]["x"] - 1e-12
    beyond = len(places) - len(inside)
    assert chart["note"].startswith(f"{beyond} tariffs")
    tried = f"Of {len(drawn.surface.trials)} tariffs tried no other one beats {len(drawn.surface.front)} on all three"
    assert chart["caption"].startswith(f"{tried}, which are {len(places)} dots")
    assert "A tariff of the family beats the tariff in force on all three at once" in chart["caption"]
    assert "−" in chart["caption"]
    assert "(-" not in chart["caption"]


def test_a_dot_that_is_picked_is_shown_with_the_criteria_of_its_place() -> None:
    drawn, _ = told()
    place = drawn.surface.knee
    assert place is not None
    one = drawn.surface.front[place]
    picked = Picked(place=place, posted=posted(seen(), one))
    assert criteria_of(picked.posted.equilibrium, welfare()) == pytest.approx(one.criteria, abs=1e-6)
    chart = json.loads(surface_json(seen(), welfare(), None, drawn, picked))["chart"]
    assert [point["place"] for point in chart["points"] if point["picked"]] == [place]
    written = figures(CHOICE, seen(), None, picked)
    rates = json.loads(written.rates)
    assert rates["legend"][0]["text"] == "picked from the surface"
    found = picked.posted.equilibrium
    line = next(line for line in rates["panels"][0]["lines"] if line["name"] == "picked")
    expected = found.economy.common.probability @ found.rates.import_usd_per_kwh
    assert np.asarray(line["values"]) == pytest.approx(expected, abs=1e-4)
    assert json.loads(written.search) == json.loads(figures(CHOICE, seen(), None).search), "the search stays"
    assert json.loads(written.terms)["title"] == "The tariff picked"
    assert "pass_through" in toml_of(seen())


def test_before_it_is_asked_for_there_is_an_offer_and_while_it_is_computed_a_bar() -> None:
    board = json.loads(surface_json(seen(), welfare(), None, None, None))
    assert board["chart"] is board["work"] is None
    work = Work(text="Pareto surface, search 2 of 18", fraction=0.1)
    assert json.loads(surface_json(seen(), welfare(), work, told()[0], None))["chart"] is None


def test_a_surface_that_is_stopped_shows_what_was_tried_says_so_and_is_not_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surfacing, "_surfaces", surfacing.Memo(6))
    work: list[Work] = []
    drawn = drawn_surface(
        CHOICE, seen(), welfare(), progress=work.append, cancelled=lambda: any(": 9 tariffs" in w.text for w in work)
    )
    assert drawn is not None
    assert drawn.surface.outcome is Outcome.CANCELLED
    chart = json.loads(surface_json(seen(), welfare(), None, drawn, None))["chart"]
    assert chart["stopped"]
    assert chart["caption"].startswith("Stopped on the way. Of ")
    assert surfacing._surfaces.get((CHOICE.scenario, CHOICE.leader)) is None
    never = drawn_surface(CHOICE, seen(), welfare(), progress=work.append, cancelled=lambda: True)
    assert never is None
