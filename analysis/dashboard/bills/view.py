"""What the page of bills shows at one instant, as frozen text: the page is a pure function of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.analysis.dashboard.bills import words
from meanwatt.analysis.dashboard.bills.billing import MOST_BYTES, Billed
from meanwatt.analysis.dashboard.bills.choice import FILES, Choice, home_names
from meanwatt.analysis.dashboard.shared.choices import every_option, scenario_options
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.page_view import PageView
from meanwatt.analysis.dashboard.shared.parts_board import parts_board, says_board
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.figures.tariff_picture import tariff_picture
from meanwatt.analysis.output.bill_columns import BILL, cost_columns, meter_columns, month_names, part_columns
from meanwatt.analysis.reference.gallery import charges_in_words, energy_in_words, gallery_rows, whole_tariff
from meanwatt.model.billing.customer import CustomerBill


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures, as JSON for the components of the same names; ``rates`` alone before there is a bill."""

    rates: str
    statement: str = ""
    bars: str = ""
    periods: str = ""
    messages: str = ""
    lived: str = ""
    lived_says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View(PageView):
    """All that is on the page.

    Attributes
    ----------
    figures
        None before the tariff is read, and after a failure.
    waiting
        Whether there is no bill yet, but will be.
    old
        Whether the figures are of the settings before.
    """

    figures: Figures | None
    waiting: bool
    old: bool


def bar_json(choice: Choice, work: Work | None, found: Billed | None, *, stopped: bool) -> str:
    """JSON of the bar with the choices."""
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.SENTENCE,
            "choices": _lists(choice, found),
            "files": [
                {
                    "key": key,
                    "label": words.FILE_LABELS[key],
                    "hint": words.FILE_HINTS[key],
                    "name": getattr(choice, key),
                    "back": words.FILE_BACK[key],
                    "accept": ",".join(f".{one}" for one in endings),
                    "most": MOST_BYTES[key],
                }
                for key, endings in FILES.items()
                if _is_offered(key, choice, found)
            ],
            "clock": [
                {"key": "year", "label": "Year", "value": choice.year, "hint": "2026"},
                {"key": "tz", "label": "Time zone", "value": choice.tz, "hint": "America/Los_Angeles"},
            ]
            if choice.load
            else [],
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "again": words.AGAIN if stopped else "",
        }
    )


def _is_offered(key: str, choice: Choice, found: Billed | None) -> bool:
    """Whether a file has a use: solar readings beside others, prices under a tariff that follows them."""
    if key == "wholesale":
        return bool(choice.wholesale) or (found is not None and found.read.book.wholesale is not None)
    return key != "solar" or bool(choice.load)


def _lists(choice: Choice, found: Billed | None) -> list[dict[str, Any]]:
    lists = []
    if not choice.tariff_file:
        rows = [(row["name"], f"{row['title']} ({row['as_of']})") for row in gallery_rows()]
        lists.append(_list("tariff", "Tariff", choice.tariff, rows, anchor="bill-tariff"))
    if not choice.load:
        homes = [(name, home_label(name)) for name in home_names(choice.scenario, choice.lived)]
        scenarios = [(one["value"], one["label"]) for one in scenario_options()]
        lists.append(_list("scenario", "Scenario", choice.scenario, scenarios))
        under = [(one["value"], one["label"]) for one in every_option(choice.settings)]
        lists.append(_list("lived", "Lives under", choice.settings.tariff, under, anchor="bill-lived"))
        lists.append(_list("home", "Home", choice.home_name, homes, anchor="bill-home"))
    if found is None:
        return lists
    table, settled = found.read.table, found.choice
    if table.baseline is not None:
        names = [(name, name) for name in table.baseline.kwh_per_day]
        lists.append(_list("territory", "Territory", settled.territory, names))
    if table.discounts:
        taken = settled.discount or table.discount or ""
        lists.append(_list("discount", "Discount", taken, [("", words.NONE), *((one, one) for one in table.discounts)]))
    if table.exports:
        taken = settled.export or table.export or ""
        lists.append(_list("export", "Feeding in", taken, [(one, _plain(one)) for one in table.exports]))
    rules = [(rule.value, _plain(rule.value)) for rule in Metering]
    own = [] if found.read.book.metering is None and not table.exports else [("", words.OWN)]
    lists.append(_list("metering", "Metering", settled.metering, [*own, *rules], anchor="bill-metering"))
    return lists


def _list(key: str, label: str, value: str, options: Iterable[tuple[str, str]], *, anchor: str = "") -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "help": help_link(anchor) if anchor else "",
        "value": value,
        "options": [{"value": one, "label": text} for one, text in options],
    }


def _plain(name: str) -> str:
    return name.replace("_", " ")


def home_label(name: str) -> str:
    """A household type in words."""
    located, _, branch = name.partition(" on ")
    whole, _, chosen = located.partition(" in ")
    group, _, technology = whole.partition("/")
    owns = {"none": "no solar", "pv": "solar", "pv_battery": "solar and battery"}.get(technology, _plain(technology))
    return f"{_plain(group).capitalize()} income, {owns}" + (
        (f", branch {_plain(branch)}" if branch else "") + (f", chose {_plain(chosen)}" if chosen else "")
    )


def figures(found: Billed) -> Figures:
    """Write what is there."""
    rates = to_json(_rates(found))
    if found.bill is None:
        return Figures(rates=rates)
    return Figures(
        rates=rates,
        statement=to_json(_statement(found.choice, found.bill)),
        bars=to_json(_bars(found.bill)),
        periods=to_json(_periods(found.bill)),
        messages=to_json({"title": words.MESSAGES, "texts": [words.on_page(text) for text in found.bill.messages]}),
        **_lived(found),
    )


def _lived(found: Billed) -> dict[str, str]:
    """What the home expects to pay under the tariff that it lives under, and what is approximated of that."""
    if found.year is None:
        return {}
    board = parts_board(found.year, words.LIVED, words.lived_caption(found.choice), found.choice.home_name)
    says = says_board(found.year)
    return {"lived": to_json(board), "lived_says": "" if says is None else to_json(says)}


def _statement(choice: Choice, bill: CustomerBill) -> dict[str, Any]:
    money = bill.book.currency
    meter, costs = meter_columns(bill), cost_columns(bill)
    columns = [*meter, *costs]
    heads = [one.head for one in columns]
    return {
        "title": words.STATEMENT,
        "help": help_link("read-statement"),
        "key": "statement",
        "kept": 1 + heads.index(BILL),
        "heads": ["Month", *(one.head for one in meter), *(f"{one.head}, {money}" for one in costs)],
        "rows": [
            [name, *(number(float(one.values[month]) + 0.0, one.digits) for one in columns)]
            for month, name in enumerate(month_names(bill))
        ],
        "foot": ["All", *("" if one.total is None else number(one.total + 0.0, one.digits) for one in columns)],
        "caption": words.caption(choice, bill),
    }


def _periods(bill: CustomerBill) -> dict[str, Any]:
    money = bill.book.currency
    return {
        "title": words.PERIODS,
        "help": help_link("read-statement"),
        "key": "periods",
        "kept": 0,
        "heads": ["Period", "Tier", "kWh", f"{money}/kWh", money],
        "rows": [
            [
                row["period"],
                str(row["tier"] or ""),
                number(row["kwh"], 1),
                "" if row["usd_per_kwh"] is None else number(row["usd_per_kwh"], 5),
                number(row["usd"] + 0.0, 2),
            ]
            for row in bill.energy_rows()
        ],
        "foot": [],
        "caption": "",
    }


def _bars(bill: CustomerBill) -> dict[str, Any]:
    return {
        "title": words.BARS,
        "help": help_link("read-statement"),
        "unit": bill.book.currency,
        "months": month_names(bill),
        "parts": [
            {"name": one.head, "values": [round(value, 6) for value in one.values.tolist()]}
            for one in part_columns(bill)
        ],
        "bills": [round(value, 6) for value in bill.bill.monthly_usd[0].tolist()],
        "note": words.BARS_NOTE,
        "caption": _bars_caption(bill),
    }


def _bars_caption(bill: CustomerBill) -> str:
    parts = sorted(part_columns(bill), key=lambda one: -abs(float(one.values.sum())))
    money = bill.book.currency
    if not parts:
        return "Nothing is charged."
    said = ", ".join(f"{one.head} {number(float(one.values.sum()), 2)}" for one in parts)
    return f"Over all months: {said} {money}; together {number(float(bill.bill.annual_usd[0]), 2)} {money}."


def _rates(found: Billed) -> dict[str, Any]:
    tariff = whole_tariff(found.choice.tariff_name, found.read)
    money = tariff["currency"]
    days = [("Weekdays", tariff["weekday_usd_per_kwh"]), ("Weekends", tariff["weekend_usd_per_kwh"])]
    if days[0][1] == days[1][1]:
        days = [("All days", days[0][1])]
    title = tariff["title"] or found.choice.tariff_name
    return {
        "title": words.RATES,
        "name": title,
        "about": f"As of {tariff['as_of']}, from {tariff['source']}" if tariff["as_of"] and tariff["source"] else "",
        "help": help_link("read-filed-rates"),
        "pictures": [
            {"name": name, "svg": tariff_picture(rates, f"{title}, {name.lower()}", money)} for name, rates in days
        ],
        "caption": _rates_caption(tariff),
        "energy": [list(row) for row in energy_in_words(tariff)],
        "energy_heads": ["Period", "When", f"{money}/kWh"],
        "charges": [[name, words.on_page(text)] for name, text in charges_in_words(tariff)],
        "charge_heads": ["Beside energy", "How much"],
    }


def _rates_caption(tariff: dict[str, Any]) -> str:
    flat = [rate for name in ("weekday", "weekend") for row in tariff[f"{name}_usd_per_kwh"] for rate in row]
    money, first = (
        tariff["currency"],
        " in the first tier" if any(len(one) > 1 for one in tariff["energy"].values()) else "",
    )
    if min(flat) == max(flat):
        return f"A kWh costs {number(flat[0], 4)} {money} at every hour of the year{first}."
    return f"A kWh costs {number(min(flat), 4)} to {number(max(flat), 4)} {money}, by month and hour{first}."
