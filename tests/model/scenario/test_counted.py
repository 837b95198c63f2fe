"""Numbers of things in words."""

import pytest

from meanwatt.model.scenario.counted import counted


@pytest.mark.parametrize(
    ("number", "nouns", "text"),
    [
        (0, ("evaluation",), "0 evaluations"),
        (1, ("evaluation",), "1 evaluation"),
        (2, ("day type",), "2 day types"),
        (1, ("entry", "entries"), "1 entry"),
        (9, ("entry", "entries"), "9 entries"),
        (1, ("criterion", "criteria"), "1 criterion"),
    ],
)
def test_one_thing_is_singular_and_any_other_number_plural(number: int, nouns: tuple[str, ...], text: str) -> None:
    assert counted(number, *nouns) == text
