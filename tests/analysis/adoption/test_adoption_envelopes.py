"""Adoption among homes within an operating envelope that holds them all: what a roof is worth that may not sell it."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from meanwatt.analysis.adoption.adoption import Adoption, adopt
from meanwatt.analysis.adoption.homes import homes_of
from meanwatt.analysis.adoption.journal import AdoptionJournal
from meanwatt.analysis.adoption.report import adoption_json, adoption_tables
from meanwatt.analysis.cli import main
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

SMALL = ("battery_levels=4", "battery_share_scale=0")
WIDE, TIGHT = (f"feeder.envelopes.all.export_limit_kw={limit}" for limit in (1000, 0.3))


@cache
def run(*changes: str) -> Adoption:
    asked = load_scenario("textbook", overrides=[*SMALL, *changes])
    tariff = build_rate_classes(asked)
    return adopt(build_located_economy(asked), tariff, tariff, years=2)


def test_an_envelope_that_binds_nowhere_changes_no_share_and_no_saving() -> None:
    plain, wide = run(), run(WIDE)
    for ours, theirs in zip(wide.path, plain.path, strict=True):
        assert np.array_equal(ours.share, theirs.share)
        assert ours.worth is not None
        assert theirs.worth is not None
        assert np.array_equal(ours.worth.saving_usd_per_year, theirs.worth.saving_usd_per_year, equal_nan=True)
        assert (ours.limit_curtailed_kwh, theirs.limit_curtailed_kwh) == (0.0, None)
    for ours, theirs in zip(wide.points, plain.points, strict=True):
        assert ours.standing is not None
        assert theirs.standing is not None
        assert np.array_equal(ours.standing.share, theirs.standing.share)
    assert adoption_json(plain)["limit_curtailed_kwh_per_household_day"] is None
    assert "limit_curtailed_kwh_per_household_day" not in adoption_tables(plain)["years"]


def test_a_roof_that_may_not_sell_its_noon_saves_less_and_what_it_curtails_is_told() -> None:
    plain, tight = run(WIDE), run(TIGHT)
    first, other = tight.path[0].worth, plain.path[0].worth
    assert first is not None
    assert other is not None
    solar = tight.homes.solar
    owned = np.isfinite(first.saving_usd_per_year[:, solar])
    assert (first.saving_usd_per_year[:, solar] < other.saving_usd_per_year[:, solar])[owned].all()
    cut = adoption_json(tight)["limit_curtailed_kwh_per_household_day"]
    assert min(cut) > 0.1
    assert list(adoption_tables(tight)["years"]["limit_curtailed_kwh_per_household_day"]) == cut
    assert any("feeder.envelopes.all:" in said and "are curtailed" in said for said in tight.messages)


def test_everybody_who_might_adopt_is_within_the_limits() -> None:
    homes = run(TIGHT).homes
    found = homes.economy_at(homes.all_own(homes.today))
    assert {one.place for one in found.types} == {("", "all")}


def test_a_year_within_limits_is_read_back_from_its_journal(tmp_path: Path) -> None:
    done = run(TIGHT)
    record = tmp_path / "years"
    with AdoptionJournal(record, done.homes.economy, done.before, done.posted, resume=False) as journal:
        for one in done.path:
            journal.append(one)
    with AdoptionJournal(record, done.homes.economy, done.before, done.posted, resume=True) as journal:
        assert [one.limit_curtailed_kwh for one in journal.parts] == [one.limit_curtailed_kwh for one in done.path]
        older = dict(journal.entry_of(done.path[0]))
        del older["limit_curtailed_kwh"]
        entry = json.loads(json.dumps(older, default=lambda value: np.asarray(value).tolist()))
        back = journal.part_of(entry, 0)
        assert back is not None
        assert back.limit_curtailed_kwh is None


def test_homes_under_different_limits_are_refused_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    some = ["--set", "feeder.envelopes.end.import_limit_kw=5", "--set", 'feeder.envelopes.end.buses=["village"]']
    assert main(["adoption", "textbook", *some, "--years", "1"]) == 2
    said = capsys.readouterr().err
    assert "feeder.envelopes (end) do not hold all homes alike, and adoption tells them apart by income" in said
    assert "give one envelope without buses and branch" in said
    assert said.count("\n") == 1
    asked = load_scenario("textbook", overrides=[*SMALL, TIGHT])
    assert homes_of(build_located_economy(asked)).envelope is not None
    assert main(["adoption", "textbook", "--set", "feeder.branches.far=village"]) == 2
    assert "has feeder.branches (far), which only solve" in capsys.readouterr().err
