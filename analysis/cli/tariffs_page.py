"""What ``meanwatt tariffs NAME`` prints for people."""

from collections.abc import Mapping
from typing import Any

from meanwatt.analysis.cli.show import say, say_notes, table
from meanwatt.analysis.reference.gallery import charges_in_words, energy_in_words


def say_tariff(found: Mapping[str, Any]) -> None:
    """Print a tariff: where it is from, its charges, and what is not certain of them."""
    money = found["currency"]
    say(f"{found['title']}\nAs of {found['as_of']}, from {found['source']}.\n")
    table("Energy", ("period", "when", f"{money}/kWh"), energy_in_words(found))
    for what, how_much in charges_in_words(found):
        say(f"{what[:1].upper()}{what[1:]}: {how_much}.")
    say_notes(f"Not certain, {key}: {why}." for key, why in found["uncertain"].items())
