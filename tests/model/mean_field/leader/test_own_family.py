"""A user's family of tariffs: its members are what ``--set`` makes, and what is wrong with it is one line."""

import numpy as np
import pytest
from family_files import PEAK, TWO, families_of, textbook_families, windows_by_hour
from scenarios import preset_economy

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.leader.window_combinations import Window
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

KEYS = """
[free]
"energy_usd_per_kwh.peak" = [0.1, 0.4]
"export.usd_per_kwh" = [0.0, 0.2]
pass_through = [0.0, 0.5]
"discount.low" = [0.0, 0.3]
"fixed_charge_usd_per_day.high" = [0.0, 2.0]
access_charge.usd_per_pv_kw_day = [0.0, 0.1]
[fixed]
recovery = "posted"
export.capped_at_import = true
"energy_usd_per_kwh.day" = 0.05
"""
FIXED = {
    "tariff.recovery": "posted",
    "tariff.export.capped_at_import": True,
    "tariff.energy_usd_per_kwh.day": 0.05,
}


def same(one: Tariff, other: Tariff) -> bool:
    """Whether two tariffs have the same numbers, whatever they are called."""
    arrays = ("energy_usd_per_kwh", "export_usd_per_kwh", "fixed_charge_usd_per_day", "fixed_charge_shape", "discount")
    plain = ("pass_through", "export_pass_through", "export_rule", "recovery", "adder_cap_usd_per_kwh")
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and all(getattr(one, name) == getattr(other, name) for name in plain)
        and one.capped_at_import == other.capped_at_import
        and one.standing_charges == other.standing_charges
    )


def test_a_member_is_the_tariff_that_the_same_keys_set() -> None:
    scenario = load_scenario("textbook", tariff="tou")
    family = families_of(build_economy(scenario), KEYS).first
    assert family.recovery is Recovery.POSTED
    assert family.passes_wholesale_through
    rng = np.random.default_rng(3)
    for _ in range(5):
        parameters = rng.uniform(family.low, family.high)
        keys = {f"tariff.{key}": value for key, value in zip(family.free, parameters.tolist(), strict=True)}
        by_set = load_scenario("textbook", tariff="tou", overrides={**FIXED, **keys})
        assert same(family.tariff(parameters), build_tariff(by_set))


def test_values_outside_the_bounds_are_clipped_to_them() -> None:
    family = textbook_families(PEAK).first
    assert same(family.tariff(family.low - 1), family.tariff(family.low))
    assert same(family.tariff(family.high + 1), family.tariff(family.high))


def test_windows_and_the_rest_of_the_day_have_their_rates_in_the_place_of_the_periods_in_force() -> None:
    families = families_of(build_economy(load_scenario("textbook", tariff="tou")), TWO)
    assert families.rest == "base"
    for windows in families.combinations.allowed:
        family = families.family(windows)
        member = family.tariff(np.array([0.1, 0.2, 0.3]))  # base, night, peak
        by_hour = np.array([0.1, 0.3, 0.2])[windows_by_hour(windows)]  # rest, peak, night
        assert np.array_equal(member.energy_usd_per_kwh, by_hour[None])
        assert member.export_pass_through == 1.0  # as tou has it


def test_half_hours_are_slots_where_a_day_has_48() -> None:
    text = PEAK.replace("[15, 19]", "[15.5, 16]").replace("[3, 5]", "1.5")
    families = textbook_families(text, "slots_per_day=48")
    assert [one["peak"] for one in families.combinations.allowed] == [Window(31, 3), Window(32, 3)]
    member = families.first.tariff(np.array([0.1, 0.3]))
    assert np.flatnonzero(member.energy_usd_per_kwh[0] == 0.3).tolist() == [31, 32, 33]


def test_rate_groups_are_the_slots_that_share_a_number() -> None:
    text = TWO.replace('recovery = "fixed"', 'recovery = "fixed"\nenergy_usd_per_kwh.peak = 0.4').replace(
        "energy_usd_per_kwh.peak = [0.0, 1.0]\n", ""
    )
    families = textbook_families(text)
    family = families.first
    groups = family.rate_groups()
    low, high = (dict(zip(groups.names, bound.tolist(), strict=True)) for bound in (groups.low, groups.high))
    assert low == {"base": 0.0, "night": 0.0, "peak": 0.4}
    assert high == {"base": 1.0, "night": 1.0, "peak": 0.4}
    member = family.tariff(np.array([0.1, 0.2]))
    own = np.array([{"base": 0.1, "night": 0.2, "peak": 0.4}[name] for name in groups.names])
    assert np.array_equal(member.energy_usd_per_kwh, own[groups.of_slot])
    assert np.array_equal(
        family.energy_usd_per_kwh({"energy_usd_per_kwh.base": 0.1, "energy_usd_per_kwh.night": 0.2}), own
    )


def test_one_flat_rate_is_one_group_and_a_list_is_one_a_slot() -> None:
    flat = textbook_families("[free]\nenergy_usd_per_kwh = [0.0, 1.0]\n").first.rate_groups()
    assert flat.names == ("all day",)
    assert not flat.of_slot.any()
    listed = f"[free]\npass_through = [0.0, 1.0]\n[fixed]\nenergy_usd_per_kwh = {[k / 100 for k in range(24)]}\n"
    groups = textbook_families(listed).first.rate_groups()
    assert (
        groups.low[groups.of_slot[0]].tolist()
        == groups.high[groups.of_slot[0]].tolist()
        == [k / 100 for k in range(24)]
    )


def test_seasons_have_rates_of_their_own_in_the_same_windows() -> None:
    economy = preset_economy("california")
    days = economy.scenario.day_types
    rates = "".join(f"energy_usd_per_kwh.{day}.{name} = [0.1, 0.9]\n" for day in days for name in ("off", "peak"))
    fixed = 'recovery = "fixed"\nexport.usd_per_kwh = 0.05\n'
    family = families_of(
        economy, f"[free]\n{rates}[fixed]\n{fixed}[windows]\npeak = {{ start = 16, width = 5 }}\n"
    ).first
    assert len(family.rate_groups().names) == 2 * len(days)
    member = family.tariff(np.linspace(0.2, 0.8, len(family.free)))
    for day, row in enumerate(member.energy_usd_per_kwh):
        low, high = np.linspace(0.2, 0.8, len(family.free))[2 * day : 2 * day + 2]
        assert row.tolist() == [high if 16 <= hour < 21 else low for hour in range(24)]


GOOD = PEAK.replace('"', "", 4)
BAD = {
    "a table that is none": ("[fre]\na = [0, 1]\n", "unknown table 'fre'; did you mean 'free'?"),
    "no table": ("free = 3\n", "free is 3; give a table [free]"),
    "nothing free": (
        "[fixed]\npass_through = 0.1\n",
        "[free] names no key to search; give one its bounds, e.g. energy_usd_per_kwh = [0.0, 1.0]",
    ),
    "an unknown key": ("[free]\npass_thru = [0, 1]\n", "unknown key 'pass_thru'; did you mean 'pass_through'?"),
    "an unknown fixed key": (
        GOOD.replace("pass_through = 0.0", '"export.usd_per_kw" = 0.1'),
        "unknown key 'export.usd_per_kw'; did you mean 'export.usd_per_kwh'?",
    ),
    "a key of a scenario": (
        '[free]\n"tariff.pass_through" = [0, 1]\n',
        "key 'tariff.pass_through': keys of a family are those of a tariff; give pass_through",
    ),
    "an empty range": (
        "[free]\npass_through = [0.3, 0.3]\n",
        "free.pass_through is [0.3, 0.3], an empty range; give two numbers, or one under [fixed]",
    ),
    "bounds the wrong way round": (
        "[free]\npass_through = [0.3, 0.1]\n",
        "free.pass_through is [0.3, 0.1]; give the lower bound first",
    ),
    "one number for a range": (
        "[free]\npass_through = 0.3\n",
        "free.pass_through is 0.3; give its lowest and highest value, e.g. [0.0, 1.0]",
    ),
    "no number": ('[free]\npass_through = ["a", 1]\n', "free.pass_through: entry 0 is 'a'; give a number"),
    "no end": (
        "[free]\nenergy_usd_per_kwh = [0, inf]\n",
        "free.energy_usd_per_kwh: entry 1 is inf; give a finite number",
    ),
    "a bound out of the key's range": (
        "[free]\npass_through = [0.0, 1.5]\n",
        "pass_through is 1.5; give a number from 0 to 1",
    ),
    "a word to be searched": (
        "[free]\nrecovery = [0, 1]\n",
        "free.recovery is no number but 'volumetric'; give it under [fixed]",
    ),
    "free and fixed": (
        "[free]\npass_through = [0, 1]\n[fixed]\npass_through = 0.1\n",
        "key 'pass_through' is both free and fixed; leave it out of [free] or of [fixed]",
    ),
    "a part beside the whole": (
        '[free]\n"discount.low" = [0, 0.3]\n[fixed]\ndiscount = 0.1\n',
        "key 'discount.low' is a part of 'discount', which is given, too; leave one of them out",
    ),
    "periods": (
        GOOD.replace("pass_through = 0.0", 'periods.peak = ["17-21"]'),
        "key 'periods': periods are those of --tariff, or the family's [windows]; leave it out",
    ),
    "a window without a rate": (
        f"{GOOD}night = {{ start = 0, width = 3 }}\n",
        "window night has no rate; give energy_usd_per_kwh.night under [free] or [fixed]",
    ),
    "no rate for the rest of the day": (
        GOOD.replace("energy_usd_per_kwh.day = [0.0, 1.0]\n", ""),
        "the rest of the day beside window peak has no rate; give one under a name of your own, e.g."
        " energy_usd_per_kwh.base = [0.0, 1.0]",
    ),
    "two rests of the day": (
        GOOD.replace("pass_through = 0.0", "energy_usd_per_kwh.off = 0.1"),
        "energy_usd_per_kwh names day and off, which are no windows, and the rest of the day is one period; give all"
        " but one of them a window",
    ),
    "a window named like a day": (
        GOOD.replace("peak", "typical"),
        "window typical has the name of a day type, season or class; give it another",
    ),
    "a window that is none": (
        GOOD.replace("{ start = [15, 19], width = [3, 5] }", "3"),
        "windows.peak is 3; give e.g. { start = [15, 19], width = [3, 5] }",
    ),
    "a key of a window": (
        GOOD.replace("width", "wide"),
        "unknown key 'windows.peak.wide'; did you mean 'windows.peak.width'?",
    ),
    "a window without a width": (
        GOOD.replace(", width = [3, 5]", ""),
        "key 'windows.peak.width' is missing; add it, in hours",
    ),
    "wider than a day": (GOOD.replace("[3, 5]", "[3, 25]"), "windows.peak.width is [3, 25]; give at most 24 hours"),
    "no width": (GOOD.replace("[3, 5]", "[0, 5]"), "windows.peak.width is [0, 5]; give hours above 0"),
    "a start after the day": (
        GOOD.replace("[15, 19]", "[15, 24]"),
        "windows.peak.start is [15, 24]; give hours from 0 to before 24",
    ),
    "a start inside a slot": (
        GOOD.replace("[15, 19]", "[15.5, 19]"),
        "windows.peak.start is 15.5 h, inside a slot of 60 minutes; give whole slots",
    ),
    "starts the wrong way round": (
        GOOD.replace("[15, 19]", "[19, 15]"),
        "windows.peak.start is [19, 15]; give the lower bound first",
    ),
    "three starts": (
        GOOD.replace("[15, 19]", "[15, 17, 19]"),
        "windows.peak.start is [15, 17, 19]; give one number of hours, or the first and the last",
    ),
    "nothing but overlaps": (
        GOOD.replace("pass_through = 0.0", "energy_usd_per_kwh.b = 0.1") + "b = { start = 14, width = 6 }\n",
        "windows overlap in every combination, or leave nothing of the day; give them other beginnings or widths",
    ),
    "too many": (
        GOOD.replace("pass_through = 0.0", "energy_usd_per_kwh.b = 0.1").replace("[15, 19]", "[0, 23]")
        + "b = { start = [0, 23], width = [1, 8] }\n",
        "windows come to 13,824 combinations of beginnings and widths; give from 1 to 10000 combinations: narrower"
        " ranges, or fewer windows",
    ),
    "an income group that is none": (
        '[free]\n"discount.lo" = [0, 0.3]\n',
        "unknown key 'discount.lo'; did you mean 'discount.low'?",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_family_is_one_line_that_says_what_is_wrong(name: str) -> None:
    text, message = BAD[name]
    with pytest.raises(ValueError, match="family") as raised:
        textbook_families(text)
    assert str(raised.value) == f"family f.toml: {message}"


def test_credits_by_periods_that_windows_replace_are_asked_for() -> None:
    oahu = preset_economy("oahu", "default_tariff=filed")
    with pytest.raises(ValueError, match="export") as raised:
        families_of(oahu, PEAK)
    assert str(raised.value) == (
        "family f.toml: export.usd_per_kwh of tariff filed is by its periods, which the windows replace; give it under"
        " [fixed] or [free], as one number or by window"
    )
    by_window = PEAK.replace("pass_through = 0.0", "export.usd_per_kwh = { day = 0.1, peak = 0.3 }")
    member = families_of(oahu, by_window).first.tariff(np.array([0.2, 0.5]))
    assert np.array_equal(member.export_usd_per_kwh == 0.3, member.energy_usd_per_kwh == 0.5)
