"""A side's tariff from a file or the gallery: one of ours as it is, or one as filed in the words of the scenario."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from meanwatt.analysis.dashboard.compare.choice import Choice
from meanwatt.analysis.dashboard.shared.own_tariff import MOST_BYTES, read_tariff
from meanwatt.analysis.reference.gallery import gallery_rows
from meanwatt.model.billing.ratebook_source import RatebookFile, load_ratebook, ratebook_of_text
from meanwatt.model.billing.ratebook_table import KIND
from meanwatt.model.billing.scenario_tariff import scenario_tariff
from meanwatt.model.billing.tariff_gallery import gallery
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.files import FileError, parse_toml
from meanwatt.model.scenario.loading import TariffTable
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.nearest import unknown

CURRENCY: Final = "USD"
"""Money of every scenario."""


@functools.cache
def gallery_offers() -> tuple[tuple[str, str], ...]:
    """Name and title of every tariff of the gallery that is in a scenario's money."""
    return tuple((row["name"], row["title"]) for row in gallery_rows() if row["currency"] == CURRENCY)


def tariff_sent(choice: Choice, message: Mapping[str, Any]) -> tuple[TariffTable, Messages]:
    """The tariff that a page sends, by ``gallery`` or by ``name`` and ``text`` of a file, and what it leaves out.

    Raises
    ------
    ValueError
        In one line: it is too long, cannot be read, or the scenario has no words for it.
    """
    if "gallery" in message:
        name = str(message["gallery"])
        if name not in gallery():
            raise ValueError(unknown("tariff", name[:80], gallery()))
        return _in_words(choice, load_ratebook(name))
    name, text = str(message.get("name", "The file"))[:80], str(message.get("text", "")).removeprefix("\ufeff")
    if len(text.encode("utf-8", errors="replace")) <= MOST_BYTES and _is_filed(name, text):
        return _in_words(choice, ratebook_of_text(name, text))
    return read_tariff(text), ()


def _in_words(choice: Choice, file: RatebookFile) -> tuple[TariffTable, Messages]:
    scenario = choice.sides[0].preset()
    try:
        found = scenario_tariff(file, build_economy(scenario, on_branches=True))
    except ValueError as error:
        raise ValueError(f"{file.book.title} {error}") from None
    return found.table, (*file.messages, *found.messages)


def _is_filed(name: str, text: str) -> bool:
    """Whether a file holds a tariff as filed: a record in JSON, or a TOML file that says so."""
    if name.lower().endswith(".json"):
        return True
    try:
        return bool(parse_toml(text).get("kind") == KIND)
    except (FileError, ValueError):  # told in the words of whoever reads it
        return False
