"""A tariff that was written is the tariff that was found; and no named tariff of a preset meets a cap on its credit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.credit_rule import CreditRule
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.agents.tariff.tariff import ExportRule, Tariff, export_credit
from meanwatt.analysis.cli.design_methods import LEARNING, METHODS
from meanwatt.analysis.design.design import (
    Search,
    commitment_search,
    concept_search,
    design,
    design_messages,
    tariff_table,
)
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.campaign import learning_search
from meanwatt.analysis.learning.fingerprint import tariff_sha256
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader import concepts
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.toml_text import toml_text

PRESETS = ("textbook", "oahu", "california", "stress")
QUICK = ("memory=0", "battery_levels=5")
FEW_LEVELS = {"california": ("battery_levels=8",)}
"""Where its cuts depend on prices they are 0.05 USD/kWh below 0, and prices hardly depend on the levels of charge."""
AIMS = LeaderSpec(leader="commission", weights={"equity": 5.0, "stability": 1.0})


@pytest.fixture(autouse=True)
def _short_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """How far a leader searches who decides day by day is nothing that is stated here."""
    monkeypatch.setattr(concepts, "EVALUATIONS_PER_ROUND", 8)


def search_of(method: str) -> Search:
    """A search of a few tariffs."""
    if method in LEARNING:
        return learning_search(method, evaluations=2)
    return commitment_search(1) if method == "commitment" else concept_search(method, 1)


def written(preset: str, tariff: Tariff, file: Path) -> Tariff:
    """A tariff as it is read from the file it was written to."""
    file.write_text(toml_text(tariff_table(tariff, preset_economy(preset, *QUICK))), encoding="utf-8")
    return build_tariff(load_scenario(preset, overrides=QUICK, tariff=file))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_written_tariff_solved_again_is_the_design_by_every_method(preset: str, tmp_path: Path) -> None:
    economy = preset_economy(preset, *QUICK)
    for method in METHODS:
        done = design(economy, preset_tariff(preset, "filed", *QUICK), AIMS, search=search_of(method))
        found = done.commitment
        assert found is not None, method
        read = written(preset, found.tariff, tmp_path / f"{method}.toml")
        assert read.capped_at_import, method
        assert tariff_table(read, economy)["export"]["capped_at_import"] is True
        again = solve_equilibrium(economy, read, start=found.equilibrium, certify=False)
        assert AIMS.objective()(again) == pytest.approx(found.objective, abs=1e-7), method
        assert again.net_load_kw == pytest.approx(found.equilibrium.net_load_kw, abs=1e-5), method


def test_a_design_whose_cap_binds_is_another_tariff_without_it(tmp_path: Path) -> None:
    economy, family = preset_economy("textbook"), AIMS.family(preset_economy("textbook"))
    tariff = family.tariff(family.at(np.array([0.3, 0.5, 1.0, 0.1, 0.5])))
    found, read = solve_equilibrium(economy, tariff), written("textbook", tariff, tmp_path / "capped.toml")
    assert any("capped_at_import = true: the posted" in sentence for sentence in found.messages)
    same, other = (solve_equilibrium(economy, one) for one in (read, replace(read, capped_at_import=False)))
    worth = AIMS.objective()
    assert worth(same) == pytest.approx(worth(found), abs=1e-8)
    assert abs(worth(other) - worth(found)) > 1e-3


def test_a_rule_by_which_credits_wait_is_written_told_apart_in_journals_and_said_where_a_search_leaves_it(
    tmp_path: Path,
) -> None:
    economy, plain = preset_economy("textbook", *QUICK), preset_tariff("textbook", "filed", *QUICK)
    april, may = (
        replace(plain, credit_rule=CreditRule(metering=Metering.NET_BILLING_CARRYOVER, true_up_month=month))
        for month in (4, 5)
    )
    file = tmp_path / "april.toml"
    file.write_text(toml_text(tariff_table(april, economy)), encoding="utf-8")
    read = build_tariff(load_scenario("textbook", overrides=QUICK, tariff=file), components=True)
    assert read.credit_rule == april.credit_rule
    assert len({tariff_sha256(one) for one in (plain, april, may)}) == 3
    before = "d6160efc885c6ab1212ba5d62cdd3f075f5c82e1266cfea92d0a79f14bcb4a3c"
    assert tariff_sha256(plain) == before, "journals of searches without such a rule are those of earlier releases"
    for in_force, said in ((plain, False), (april, True)):
        found = design(economy, in_force, AIMS, search=search_of("commitment"))
        assert found.commitment is not None
        told = "has export.metering net_billing_carryover, and every tariff tried counts each slot's credit at once"
        assert any(told in sentence for sentence in design_messages(found, AIMS)) is said
        assert found.commitment.tariff.credit_rule is None


def cut_usd_per_kwh(found: Equilibrium, group: int) -> np.ndarray:
    """By how much a group's export credit exceeds its own import rate. (c, h)"""
    tariff = found.tariff
    assert tariff.export_rule is ExportRule.NET_BILLING
    posted, passed = export_credit(tariff, found.economy.common.today)
    own = tariff.for_group(found.rates, group).import_usd_per_kwh
    return np.asarray(posted + passed * found.wholesale_usd_per_kwh - own)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_named_tariff_meets_a_cap_at_its_equilibrium_but_the_discounted_group_of_california(preset: str) -> None:
    """Where κ_x = κ the cut does not depend on the prices, so that a quick copy of the preset shows it."""
    groups = range(len(preset_economy(preset).groups))
    for name in preset_economy(preset).scenario.tariffs:
        tariff = preset_tariff(preset, name)
        assert not tariff.capped_at_import
        plain = tariff.pass_through == tariff.export_pass_through
        found = solved(preset, name, *(QUICK if plain else FEW_LEVELS.get(preset, ())))
        cut = [cut_usd_per_kwh(found, group) for group in groups]
        if (preset, name) != ("california", "filed"):
            assert max(map(np.max, cut)) <= 1e-12, name
            continue
        slots = found.economy.common.today.size * found.economy.slots
        discounted = tariff.discount > 0
        assert [bool((one > 0).any()) for one in cut] == discounted.tolist() == [True, False, False]
        assert (cut[0] > 0).sum() / slots == 36 / 864
        assert cut[0].max() == pytest.approx(0.0476, abs=1e-4)
