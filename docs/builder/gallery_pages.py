"""The gallery of filed tariffs as Markdown: of each a picture by month and hour, its charges, and its doubts."""

from collections.abc import Iterator, Mapping
from typing import Any

from builder.file_tables import cell
from meanwatt.analysis.figures.tariff_picture import tariff_picture
from meanwatt.analysis.reference.gallery import charges_in_words, energy_in_words, gallery_tariff, whole_tariff
from meanwatt.model.billing.tariff_gallery import gallery


def gallery_pages(_: str) -> str:
    """Every tariff of the gallery."""
    return "\n".join(line for name in gallery() for line in _tariff(name, whole_tariff(name, gallery_tariff(name))))


def _tariff(name: str, tariff: Mapping[str, Any]) -> Iterator[str]:
    money = tariff["currency"]
    yield from (
        f"## `{name}`",
        "",
        f"{cell(tariff['title'])}. As of {tariff['as_of']}, from {cell(tariff['source'])}.",
        "",
    )
    days = {"weekdays": tariff["weekday_usd_per_kwh"], "weekends": tariff["weekend_usd_per_kwh"]}
    if days["weekdays"] == days["weekends"]:
        days = {"all days": days["weekdays"]}
    for which, rates in days.items():
        label = f"{which[:1].upper()}{which[1:]}, {money}/kWh"
        yield from (
            f"{label}:",
            "",
            "```{raw} html",
            tariff_picture(rates, f"{tariff['title']}: {label}", money),
            "```",
            "",
        )
    yield from (f"| period | when | {money}/kWh |", "|---|---|---|")
    yield from (f"| `{period}` | {cell(when)} | {rate} |" for period, when, rate in energy_in_words(tariff))
    charges = charges_in_words(tariff)
    if charges:
        yield from ("", "| beside it | |", "|---|---|")
        yield from (f"| {cell(what)} | {cell(how_much)} |" for what, how_much in charges)
    if tariff["uncertain"]:
        yield from ("", "Not certain:", "")
        yield from (f"* `{key}`: {cell(why)}." for key, why in tariff["uncertain"].items())
    yield ""
