"""Edits of a tariff in an address: they come back to the last digit, and what cannot be read is said."""

import base64
import zlib

import numpy as np
import pytest
from edited_tariffs import edits, textbook
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.analysis.dashboard.compare.choice import Choice, from_query, moved_to, query
from meanwatt.analysis.dashboard.compare.edits import PARTS, Edits
from meanwatt.analysis.dashboard.shared.own_tariff import MOST_BYTES, MOST_IN_LINK, packed, read_tariff, unpacked
from meanwatt.model.scenario.economy import build_tariff

RATES = "tariff.energy_usd_per_kwh"


@settings(max_examples=60, deadline=None)
@given(edits(textbook()), edits(textbook()))
def test_an_address_gives_back_every_edit_of_both_sides(a: Edits, b: Edits) -> None:
    choice = Choice(scenario="textbook", a="tou", edits_a=a, edits_b=b)
    assert from_query(f"?{query(choice)}") == (choice, ())
    assert choice.swapped().swapped() == choice


def test_an_address_is_short_and_can_be_read_by_people() -> None:
    choice, problems = from_query("scenario=textbook&b.rates=17*9_52*4_35*11&b.fixed=0.5*3&b.recovery=posted&b.pass=25")
    assert problems == ()
    tariff = build_tariff(choice.sides[1].load())
    assert tariff.energy_usd_per_kwh[0].tolist() == [0.17] * 9 + [0.52] * 4 + [0.35] * 11
    assert (tariff.fixed_charge_usd_per_day.tolist(), tariff.recovery, tariff.pass_through) == (
        [0.5] * 3,
        "posted",
        0.25,
    )
    assert np.isinf(tariff.energy_usd_per_kwh).sum() == 0
    assert query(choice) == "scenario=textbook&b.rates=17*9_52*4_35*11&b.pass=25&b.recovery=posted&b.fixed=0.5*3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("b.rates=17*9", "b.rates is given for 9 hours; give it for 24"),
        ("b.rates=17*25", "b.rates is given for 25 hours; give it for 24"),
        ("b.rates=-1*24", "b.rates holds -1; give 0 to 1000 ¢/kWh"),
        ("b.rates=nan*24", "b.rates is 'nan*24'; give numbers joined by _, such as 8*9_16*4_8*11"),
        ("b.rates=8*999", "b.rates is '8*999'; give numbers joined by _"),
        ("b.rates=8*-2", "b.rates is '8*-2'; give numbers joined by _"),
        ("b.rates=" + "8_" * 2000, "b.rates is '8_8_8_8"),
        ("b.rates=", "b.rates is ''; give numbers joined by _"),
        ("b.fixed=1_2", "b.fixed is given for 2 income groups; give it for 3"),
        ("b.pass=101", "b.pass holds 101; give 0 to 100 %"),
        ("b.pass=1_2", "b.pass is given for 2 numbers; give 1"),
        ("b.rule=net_meterin", "unknown b.rule 'net_meterin'; did you mean 'net_metering'?"),
        ("b.recovery=<b>", "unknown b.recovery '<b>'"),
        ("b.rate=8*24", "unknown parameter 'b.rate'; did you mean 'b.rates'?"),
        ("b.shape=0*3", "scenario textbook: tariffs.rtp.fixed_charge_shape"),
        ("b.file=abc", "b.file: it cannot be read; copy the whole link"),
        ("b.file=..%2Fsecret.toml", "b.file: it cannot be read; copy the whole link"),
        (
            "b.file=" + "A" * (MOST_IN_LINK + 1),
            f"b.file: it has {MOST_IN_LINK + 1} letters; give at most {MOST_IN_LINK}",
        ),
    ],
)
def test_a_part_that_cannot_be_used_is_named_and_left_out(text: str, problem: str) -> None:
    choice, problems = from_query(f"scenario=textbook&a=tou&{text}")
    assert choice == Choice(scenario="textbook", a="tou")
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert "\n" not in problems[0]


def test_a_link_whose_end_is_cut_off_says_so_and_a_few_letters_do_not_become_gigabytes() -> None:
    letters = packed('recovery = "posted"\nenergy_usd_per_kwh = 0.2\n')
    assert read_tariff(unpacked(letters)).energy_usd_per_kwh == 0.2
    bomb = base64.urlsafe_b64encode(zlib.compress(b"#" * 2_000_000)).decode().rstrip("=")
    assert len(bomb) < MOST_IN_LINK
    for broken in (letters[:-3], "x" + letters, bomb):
        with pytest.raises(ValueError, match="it cannot be read; copy the whole link"):
            unpacked(broken)


def test_a_tariff_that_is_no_tariff_is_refused_in_one_line() -> None:
    for text, said in (
        ("recovery = ", "not valid TOML: Invalid value"),
        ('recovery = "posted"', "key 'energy_usd_per_kwh' is missing; add it"),
        ('extends = "oahu"', "key 'extends': only a scenario file extends another"),
        ('recovery = "postd"\nenergy_usd_per_kwh = 1', "recovery is 'postd'; give volumetric, fixed or posted"),
        (
            "#" * (MOST_BYTES + 1),
            f"the tariff is longer than {MOST_BYTES // 1024} kB; give a TOML file with one tariff",
        ),
        ("é" * (MOST_BYTES // 2 + 1), f"the tariff is longer than {MOST_BYTES // 1024} kB"),
        ("a" + ".a" * 5000 + " = 1", "has tables or lists inside one another more than 16 deep"),
    ):
        with pytest.raises(ValueError) as caught:
            read_tariff(text)
        assert str(caught.value).startswith(said)
        assert "\n" not in str(caught.value)


def test_a_tariff_too_large_for_a_link_is_not_put_into_one() -> None:
    noise = np.random.default_rng(1).random(2000).tolist()
    with pytest.raises(ValueError, match=r"which holds 4000; open it with meanwatt app SCENARIO --tariff FILE"):
        packed(repr(noise))


def test_another_scenario_keeps_what_fits_and_says_what_does_not() -> None:
    choice = Choice(scenario="textbook", edits_b=Edits(changes=((RATES, (0.25,) * 24),)))
    there, problems = from_query(moved_to(choice, "oahu"))
    assert (there.scenario, problems) == ("oahu", ())
    assert there.edits_b == choice.edits_b
    assert from_query(moved_to(there, "textbook"))[0] == choice


def test_a_tariff_of_a_file_that_does_not_fit_the_scenario_is_named() -> None:
    text = 'recovery = "posted"\nenergy_usd_per_kwh = { sunny = 0.2, rainy = 0.1 }\n'
    _, problems = from_query(f"scenario=textbook&b.file={packed(text)}")
    assert len(problems) == 1
    assert "sunny" in problems[0]


@given(st.text(max_size=40), st.sampled_from([*PARTS, "file"]))
def test_no_edit_whatever_stops_the_page(text: str, part: str) -> None:
    choice, _ = from_query(f"scenario=textbook&a.{part}={text}")
    assert choice.scenario == "textbook"
