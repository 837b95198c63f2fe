"""Families whose rate classes have keys of their own: what they hold, what they refuse, and their best tariffs."""

from functools import cache

import numpy as np
import pytest
from family_files import WELFARE, families_of

from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.class_family import ClassFamily
from meanwatt.model.mean_field.leader.commitment import commit
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.window_combinations import Window
from meanwatt.model.mean_field.leader.window_search import WindowCommitment, commit_windows
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy, build_economy, build_rate_classes
from meanwatt.model.scenario.family_file import FamilyError
from meanwatt.model.scenario.loading import load_scenario

CLASSES = {
    "rate_classes": {
        "solar": {"tariff": "tou", "technologies": ["pv", "pv_battery"]},
        "poor": {"tariff": "flat", "technologies": ["none"], "income_groups": ["low"]},
    }
}
SEVERAL = """
[free]
"rate_classes.solar.energy_usd_per_kwh.peak" = [0.1, 0.4]
energy_usd_per_kwh = [0.0, 1.0]
"rate_classes.solar.pass_through" = [0.0, 0.5]
[fixed]
recovery = "fixed"
"rate_classes.solar.recovery" = "fixed"
"rate_classes.poor.recovery" = "posted"
"rate_classes.poor.energy_usd_per_kwh" = 0.07
"""


@cache
def textbook_classes() -> Economy:
    return build_economy(load_scenario("textbook", overrides={**CLASSES, "battery_levels": 4}))


def test_a_members_classes_differ_from_those_in_force_by_their_own_keys_alone() -> None:
    economy = textbook_classes()
    family = families_of(economy, SEVERAL).first
    assert isinstance(family, ClassFamily)
    assert family.free == (
        "rate_classes.solar.energy_usd_per_kwh.peak",
        "energy_usd_per_kwh",
        "rate_classes.solar.pass_through",
    )
    member = family.tariff(np.array([0.3, 0.2, 0.4]))
    before = build_rate_classes(economy.scenario)
    default, solar, poor = member.class_tariffs
    assert [one.name for one in member.classes] == ["default", "solar", "poor"]
    assert [one.members for one in member.classes] == [one.members for one in before.classes]
    assert np.unique(default.energy_usd_per_kwh) == pytest.approx([0.2])
    assert (default.pass_through, solar.pass_through, poor.pass_through) == (0.0, 0.4, 0.0)
    own = before.class_tariffs[1].energy_usd_per_kwh
    assert np.unique(solar.energy_usd_per_kwh[own != own.max()]) == pytest.approx(np.unique(own)[:-1])
    assert np.unique(solar.energy_usd_per_kwh[own == own.max()]) == pytest.approx([0.3])
    assert np.unique(poor.energy_usd_per_kwh) == pytest.approx([0.07])
    assert (member.recovery, poor.recovery) == ("fixed", "posted")


def test_the_default_class_may_be_named_or_not() -> None:
    economy = textbook_classes()
    bare, named = (
        families_of(economy, f'[free]\n"{key}" = [0.0, 1.0]\n').first
        for key in ("energy_usd_per_kwh", "rate_classes.default.energy_usd_per_kwh")
    )
    one, other = (family.tariff(np.array([0.123])) for family in (bare, named))
    assert np.array_equal(one.energy_usd_per_kwh, other.energy_usd_per_kwh)
    assert one.energy_usd_per_kwh.flat[0] == 0.123


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[free]\n"rate_classes.sun.pass_through" = [0.0, 1.0]',
            "family f.toml: unknown rate class 'sun'; give one of default, solar, poor",
        ),
        (
            '[free]\n"rate_classes.solar" = [0.0, 1.0]',
            "family f.toml: key 'rate_classes.solar' names no key of the class's tariff; give e.g."
            " rate_classes.solar.energy_usd_per_kwh",
        ),
        (
            '[free]\n"rate_classes.solar.pass" = [0.0, 1.0]',
            "family f.toml: rate class solar: unknown key 'pass'; did you mean 'pass_through'?",
        ),
        (
            '[free]\npass_through = [0.0, 1.0]\n"rate_classes.default.pass_through" = [0.0, 1.0]',
            "family f.toml: key 'pass_through' of the default class comes twice; leave one out",
        ),
        (
            '[free]\npass_through = [0.0, 1.0]\n[fixed]\n"rate_classes.default.pass_through" = 0.0',
            "family f.toml: key 'pass_through' of class default is both free and fixed; leave one out",
        ),
        (
            "[free]\npass_through = [0.0, 1.0]\n[windows]\npeak = { start = 17, width = 4 }",
            "family f.toml: window peak has no rate in any class; give energy_usd_per_kwh.peak under [free] or [fixed],"
            " or rate_classes.NAME.energy_usd_per_kwh.peak",
        ),
        (
            '[free]\nenergy_usd_per_kwh = [0.0, 1.0]\n[fixed]\nrecovery = "fixed"',
            "family f.toml: rate class solar: tariff designed_solar has recovery volumetric, others fixed; one rule"
            " balances the utility: give all the same, or posted to those that keep their rates",
        ),
    ],
)
def test_a_family_that_does_not_fit_the_classes_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(FamilyError) as refused:
        families_of(textbook_classes(), text)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "family f.toml: key 'rate_classes.solar.pass_through' is of a rate class, and the scenario has none; give"
            " 'pass_through'",
        ),
        (
            {**CLASSES, "rate_classes_in_force": False},
            "family f.toml: key 'rate_classes.solar.pass_through' is of a rate class, and everybody is on flat: leave"
            " out --tariff, or give 'pass_through'",
        ),
    ],
)
def test_keys_of_classes_that_do_not_hold_are_refused_in_one_line(changes: dict[str, object], said: str) -> None:
    economy = build_economy(load_scenario("textbook", overrides={"battery_levels": 5, **changes}))
    with pytest.raises(FamilyError) as refused:
        families_of(economy, '[free]\n"rate_classes.solar.pass_through" = [0.0, 1.0]')
    assert str(refused.value) == said


def in_force(economy: Economy) -> Equilibrium:
    return solve_equilibrium(economy, build_rate_classes(economy.scenario), certify=False)


def searched(economy: Economy, text: str, **how: object) -> WindowCommitment:
    return commit_windows(
        families_of(economy, text),
        lambda family: LeaderProblem(economy, family, WELFARE.objective()),
        in_force(economy),
        **how,
    )


BY_GROUP = {
    "rate_classes": {"poor": {"tariff": "flat", "income_groups": ["low"]}},
    "income_groups.low.use_factor": 0.5,
}
TWO_RATES = """
[free]
"energy_usd_per_kwh.day" = [0.0, 1.0]
"energy_usd_per_kwh.peak" = [0.0, 1.0]
"rate_classes.poor.energy_usd_per_kwh" = [0.0, 1.0]
[fixed]
recovery = "fixed"
"rate_classes.poor.recovery" = "fixed"
[windows]
peak = { start = [16, 18], width = 4 }
"""


def test_the_best_rate_of_each_class_is_the_marginal_cost_of_what_that_class_uses() -> None:
    """The closed form class by class: no battery, no solar, no carbon, weights 0; one class flat, one with windows."""
    bare = {"battery_share_scale": 0, "pv_share_scale": 0, "carbon.usd_per_t": 0}
    economy = build_economy(load_scenario("textbook", overrides={**BY_GROUP, **bare}))
    found = searched(economy, TWO_RATES)
    # q0 of each class by hour, all households counted, and the fixed point of rates in plain NumPy
    poor = sum(t.share * t.reference_kw[0] for t in economy.types if t.income_group == "low")
    others = economy.mean_reference_kw[0] - poor
    assert found.windows["peak"].width == 4
    start = found.windows["peak"].start
    peak = np.isin(np.arange(24), [(start + k) % 24 for k in range(4)])
    rates = np.full((3,), 0.15)
    for _ in range(300):
        paid = np.where(peak, rates[1], rates[0])
        use = others * (1 + 0.1 * (1 - paid / 0.185)) + poor * (1 + 0.1 * (1 - rates[2] / 0.185))
        cost = 0.05 + 0.10 * use
        rates = np.array([(q * cost).sum() / q.sum() for q in (others * ~peak, others * peak, poor)])
    assert list(found.parameters.values()) == pytest.approx(rates.tolist(), abs=1e-5)
    assert abs(rates[2] - rates[0]) > 1e-3  # the classes differ by more than the tolerance
    assert found.pruned + found.searched == 3
    for one in found.combinations:
        assert one.searched or one.bound <= found.objective


def test_more_keys_of_more_classes_are_never_worse() -> None:
    economy = textbook_classes()
    one = SEVERAL.split("[fixed]")[1]
    few = searched(economy, f"[free]\nenergy_usd_per_kwh = [0.0, 1.0]\n[fixed]{one}")
    more = searched(economy, SEVERAL, starts=lambda family: [np.array([0.24, *few.parameters.values(), 0.0])])
    assert more.objective >= few.objective - 1e-9
    assert more.objective > few.objective + 1e-4
    assert len(more.equilibrium.tariff.classes) == 3


def test_windows_replace_the_periods_of_the_classes_that_name_them_alone() -> None:
    economy = textbook_classes()
    family = families_of(
        economy,
        """
[free]
"rate_classes.poor.energy_usd_per_kwh.peak" = [0.1, 0.4]
"rate_classes.poor.energy_usd_per_kwh.base" = [0.1, 0.4]
[windows]
peak = { start = 18, width = 3 }
""",
    )
    assert family.rest == "base"
    assert family.first.windows == {"peak": Window(18, 3)}
    member = family.first.tariff(np.array([0.4, 0.2]))
    default, solar, poor = (one.energy_usd_per_kwh[0] for one in member.class_tariffs)
    assert np.flatnonzero(poor == 0.4).tolist() == [18, 19, 20]
    before = build_rate_classes(economy.scenario).class_tariffs
    assert np.array_equal(default, before[0].energy_usd_per_kwh[0])
    assert np.array_equal(solar, before[1].energy_usd_per_kwh[0])


@pytest.mark.parametrize("key", ["discount.low", "access_charge.usd_per_pv_kw_day"])
def test_a_discount_or_a_charge_that_is_free_is_searched_as_rates_are(key: str) -> None:
    """Equity alone: what the poor do not pay, or what owners of solar pay, is best at its upper bound."""
    economy = build_economy(load_scenario("textbook", overrides={"battery_share_scale": 0}))
    family = families_of(
        economy,
        f'[free]\nenergy_usd_per_kwh = [0.05, 0.3]\n"{key}" = [0.0, 0.4]\n[fixed]\nrecovery = "fixed"\n',
    ).first
    aims = LeaderSpec(leader="commission", weights={"equity": 100.0})
    problem = LeaderProblem(economy, family, aims.objective())
    found = commit(problem, evaluations_per_start=20, starts=[np.array([0.15, 0.1])], certify=False)
    assert found.parameters[key] == pytest.approx(0.4, abs=1e-6)
    evaluator = problem.evaluator(Watch())
    for other in (0.0, 0.2, 0.4):
        assert evaluator.evaluate(np.array([found.parameters["energy_usd_per_kwh"], other])).values[0] <= (
            found.objective + 1e-6
        )
