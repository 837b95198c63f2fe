"""What the theory lab shows, as an address writes it."""

import pytest

from meanwatt.analysis.dashboard.theory.choice import CONCEPTS, Choice, from_query, query
from meanwatt.model.tabular.game_file import games, load_game

FULL = Choice(game="defection", concept="feedback_mixed", discount=0.75, temperature=0.123456789)


@pytest.mark.parametrize("choice", [Choice(), FULL, Choice(game="rebate", discount=0.0), Choice(temperature=10.0)])
def test_an_address_repeats_what_was_chosen(choice: Choice) -> None:
    assert from_query(query(choice)) == (choice, ())


def test_an_address_says_only_what_differs() -> None:
    assert query(Choice()) == ""
    assert query(FULL) == "game=defection&concept=feedback_mixed&discount=0.75&temperature=0.123456789"
    assert query(Choice(game="defection", discount=0.9)) == "game=defection", "a game's own discount is none to tell"
    assert from_query("scenario=oahu") == (Choice(), ()), "what the navigation carries along"


def test_a_discount_goes_with_its_game() -> None:
    assert query(FULL, game="lottery") == "game=lottery&concept=feedback_mixed&temperature=0.123456789"
    assert query(FULL, discount="0.5") == query(Choice(**{**plain(FULL), "discount": 0.5}))
    assert from_query("discount=0.3&game=peak")[0].discount == 0.3, "the order of an address does not count"


def plain(choice: Choice) -> dict:
    return {name: getattr(choice, name) for name in choice.__slots__}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("game=penies", "unknown game 'penies'; did you mean 'pennies'?"),
        ("concept=comitment", "unknown concept 'comitment'; did you mean 'commitment'?"),
        ("discount=1", "discount is 1"),
        ("discount=-0.1", "discount is -0.1"),
        ("temperature=0", "temperature is 0"),
        ("temperature=nan", "temperature is 'nan'; give a number, e.g. 0.5"),
        ("temperature=warm", "temperature is 'warm'; give a number, e.g. 0.5"),
        ("heat=2", "unknown parameter 'heat'"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line_and_left_out(text: str, said: str) -> None:
    choice, (problem,) = from_query(f"{text}&game=lottery" if not text.startswith("game") else text)
    assert said in problem
    assert "\n" not in problem
    assert (choice.discount, choice.temperature, choice.concept) == (None, Choice().temperature, Choice().concept)


@pytest.mark.parametrize("name", games())
def test_the_discount_is_the_leaders_and_the_followers_unless_that_has_its_own(name: str) -> None:
    own = load_game(name).game
    assert Choice(game=name).named.game.discount_leader == own.discount_leader
    found = Choice(game=name, discount=0.3).named.game
    assert found.discount_leader == 0.3
    alike = own.discount_leader == own.discount_follower
    assert found.discount_follower == (0.3 if alike else own.discount_follower)
    assert alike == (name != "rebate")


def test_concepts_are_those_of_the_command() -> None:
    from meanwatt.analysis.cli.game_page import ORDER

    assert CONCEPTS == ORDER
