"""What the page of bills says."""

import re
from typing import Final

from meanwatt.analysis.dashboard.bills.choice import Choice
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.output.bill_columns import month_names
from meanwatt.model.billing.customer import CustomerBill

TITLE: Final = "One home's bill"
SENTENCE: Final = "What would this home pay under a tariff as the utility files it, month by month?"
WAITING: Final = "A year of the home is being lived; then it is billed."
FAILED: Final = "There is no bill."
OWN: Final = "as the tariff says"
NONE: Final = "none"
STATEMENT: Final = "Statement by month"
BARS: Final = "What the bill is made of"
BARS_NOTE: Final = (
    "Charges stand on the line, discounts and credits hang below it; the diamond is the bill of the month, their sum."
)
PERIODS: Final = "Energy by period and tier"
LIVED: Final = "What it pays where it lives"
RATES: Final = "The tariff"
MESSAGES: Final = "What this bill says and assumes"
FILE_LABELS: Final = {
    "tariff_file": "Tariff file",
    "load": "Meter readings",
    "solar": "Solar readings",
    "wholesale": "Wholesale prices",
}
FILE_HINTS: Final = {
    "tariff_file": "OpenEI's JSON, or our TOML",
    "load": "CSV, a column kwh",
    "solar": "CSV, in the same intervals",
    "wholesale": "CSV, a column usd_per_kwh, by the hour or the readings' interval",
}
FILE_BACK: Final = {
    "tariff_file": "a tariff of the gallery",
    "load": "a home of the scenario",
    "solar": "no solar",
    "wholesale": "no prices",
}
OPTIONS: Final = {
    "--generation": "the solar readings",
    "--territory": "a territory",
    "--discount": "a discount",
    "--export": "“Feeding in”",
    "--metering": "“Metering”",
    "--tz": "a time zone",
    "--year": "a year",
    "--export-rate": "rate for it",
    "give --wholesale FILE.csv": "open a file of these prices",
    "leave --wholesale out": "close the file of wholesale prices",
    "--wholesale": "wholesale prices",
    "which meanwatt solve reads": "which the page Market opens",
}
"""What the command calls by an option, and what it is on the page."""
KEYS_OF_WORDS: Final = ("year", "tz", "metering", "territory", "discount", "export", "scenario", "home", "lived")
"""Words that begin a sentence as the name of a part of the address, and stay as they are written there."""
AGAIN: Final = "Bill the home"


def on_page(text: str) -> str:
    """A sentence of the engine, in which options of the command are what they are on the page."""
    for option, word in OPTIONS.items():
        text = re.sub(rf"{option}(?![-\w])", word, text)
    return text


def begun(text: str) -> str:
    """A refusal as a sentence: its first letter is large, unless it begins with a key's or a file's name."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first not in KEYS_OF_WORDS else text


def lived_caption(choice: Choice) -> str:
    """Say under what the home lives, and what stands in the table."""
    return (
        f"Mean of a month under {choice.scenario}'s own {under(choice)}, as the mean field expects it; the statement"
        " above is of another tariff. Every column adds up."
    )


def under(choice: Choice) -> str:
    """What a home of the scenario lives under, in words."""
    settings = choice.settings
    return "rate classes" if settings.preset().has_rate_classes else f"tariff {settings.tariff}"


def not_open(name: str) -> str:
    """A link names a file that is not open here."""
    return f"a link does not hold the file {name!r}; open it again"


def too_large(name: str, most: int) -> str:
    """A file that is not read."""
    return f"{name} is larger than {most // 2**20} MB, and is not read"


def caption(choice: Choice, found: CustomerBill) -> str:
    """Read the statement."""
    one, names = found.bill, month_names(found)
    money, peak = found.book.currency, int(one.peak_kw[0].argmax())
    parts = [f"{_kwh(float(one.drawn_kwh.sum()))} bought"]
    if one.fed_kwh.any():
        parts.append(f"{_kwh(float(one.fed_kwh.sum()))} sold")
    dearest = int(one.monthly_usd[0].argmax())
    waits = float(one.credit_carried_usd[0, -1])
    said = (
        f"{_who(choice)} pays {number(float(one.annual_usd[0]), 2)} {money} over {len(names)} months, for"
        f" {' and '.join(parts)}; most in {names[dearest]}, {number(float(one.monthly_usd[0, dearest]), 2)} {money}."
        f" Its highest peak is {number(float(one.peak_kw[0, peak]), 2)} kW, in {names[peak]}."
    )
    return said + (f" {number(waits, 2)} {money} of credit waits at the end." if waits >= 0.005 else "")


def _kwh(value: float) -> str:
    return f"{value:,.0f} kWh"


def _who(choice: Choice) -> str:
    if choice.load:
        return f"The customer of {choice.load}"
    return f"A home of type {choice.home_name}, which lives under {choice.scenario}'s own {under(choice)},"
