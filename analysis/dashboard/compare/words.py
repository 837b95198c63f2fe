"""What the compare page says: captions that read its figures, and whether the comparison is at equal cost recovery."""

from collections.abc import Sequence

from meanwatt.analysis.dashboard.compare.bill_parts import Bill
from meanwatt.analysis.dashboard.compare.money import Books, Payer
from meanwatt.analysis.dashboard.shared.bill_parts import cents, part_label, technology_label
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.figures import number, usd
from meanwatt.analysis.dashboard.shared.hours import hour
from meanwatt.analysis.dashboard.shared.mean_day import mean_day, widest_slot
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.model.mean_field.equilibrium import Outcome

TITLE = "Design and compare two tariffs"
SENTENCE = "The same homes and the same weather; only the tariff differs. Edit either, or read it from a file."
TERMS = "How the terms differ"
BILLS = "What the bills are made of"
BILLS_NOTE = "Mean bill of one home in $ a month; a credit for exports is negative, and every row adds up."
WAITING = "Both tariffs are being solved; their numbers come here."
NO_BREAK = "\u2060"
"""Word joiner: no line ends here."""
OUTCOMES = {
    Outcome.CONVERGED: "solved",
    Outcome.NO_ADEQUATE_TARIFF: "no price covers the cost",
    Outcome.ROUND_LIMIT: "not converged",
    Outcome.CANCELLED: "cancelled",
}


def dollars(amount: int, *, signed: bool = False) -> str:
    """The same within a sentence, which does not break between sign and number."""
    return cents(amount, signed=signed, currency=f"{NO_BREAK}$").removeprefix(NO_BREAK)


def recovery_sentence(a: Books, b: Books) -> str:
    """Say whether both tariffs recover the same part of the cost, for else bills differ for that reason, too."""
    if a.surplus == b.surplus:
        left = "covers its cost" if a.surplus == 0 else f"is left with {dollars(a.surplus)} per home and month"
        return f"Equal cost recovery: under A and under B the utility {left}."
    gap = dollars(abs(b.surplus - a.surplus))
    more = "higher" if b.surplus > a.surplus else "lower"
    return (
        f"Not at equal cost recovery: A leaves the utility {dollars(a.surplus)} per home and month and B"
        f" {dollars(b.surplus)}, so that the average bill under B is {gap} {more} for that reason alone."
    )


def numbers_caption(compared: Sequence[Compared[Solution]]) -> str:
    """Read the key numbers: on which B is better and on which worse, with the burden gap's."""
    better, worse = ([_label(entry) for entry in compared if entry.kind == kind] for kind in ("good", "bad"))
    if not better and not worse:
        return "A and B have the same numbers."
    gap = next(entry for entry in compared if entry.figure.key == "gap")
    burden = (
        f"the burden gap stays at {gap.written(gap.a)} {gap.figure.unit}"
        if gap.difference == 0
        else f"the burden gap goes from {gap.written(gap.a)} to {gap.written(gap.b)} {gap.figure.unit}"
    )
    return f"B is better than A on {listed(better)} and worse on {listed(worse)}; {burden}."


def payers_caption(rows: Sequence[Payer], a: Books, b: Books) -> str:
    """Read the bills: whose rises and whose falls most, and where the money goes."""
    most, least = max(rows, key=lambda row: row.difference), min(rows, key=lambda row: row.difference)
    if most.difference == least.difference == 0:
        moved = "From A to B nobody's bill changes"
    elif least.difference >= 0:
        moved = f"From A to B no bill falls, and it rises most for {_homes(most)}"
    elif most.difference <= 0:
        moved = f"From A to B no bill rises, and it falls most for {_homes(least)}"
    else:
        moved = f"From A to B the bill rises most for {_homes(most)} and falls most for {_homes(least)}"
    change = b.revenue - a.revenue
    if change == 0 and b.surplus == a.surplus:
        return f"{moved}; all homes together pay the same."
    energy, surplus = higher(b.energy - a.energy), higher(b.surplus - a.surplus)
    return (
        f"{moved}; the average home pays {more(change)} a month: the utility's energy cost per home is {energy}, its"
        f" surplus per home {surplus}."
    )


def bills_caption(a: Sequence[Bill], b: Sequence[Bill]) -> str:
    """Read what moves most in the bill that moves most."""
    first, second = max(zip(a, b, strict=True), key=lambda pair: abs(pair[1].total - pair[0].total))
    moved = {
        name: second.parts.get(name, 0) - first.parts.get(name, 0)
        for name in dict.fromkeys((*first.parts, *second.parts))
    }
    name = max(moved, key=lambda part: abs(moved[part]))
    if not moved[name]:
        return "From A to B no part of a bill changes."
    homes = f"{first.group.replace('_', ' ')}-income homes with {technology_label(first.technology)}"
    return (
        f"The bill that moves most is that of {homes}; most of it is in {part_label(name).lower()}"
        f" ({dollars(moved[name], signed=True)} a month)."
    )


def day_caption(a: Solution, b: Solution) -> str:
    """Read the mean day at the hour in which it differs most."""
    first, second = mean_day(a.equilibrium), mean_day(b.equilibrium)
    slot = widest_slot(first, second)
    if slot is None:
        return "Net load and rate are the same at every hour."
    load_a, load_b = (number(float(day.net_load_kw[slot]), 2) for day in (first, second))
    rate_a, rate_b = (usd(float(day.import_usd_per_kwh[slot]), 3) for day in (first, second))
    return (
        f"At {hour(slot, a.equilibrium.economy.slot_hours)}, where the days differ most, the mean home draws"
        f" {load_a} kW under A and {load_b} kW under B, and a kWh costs {rate_a} and {rate_b}."
    )


def more(cents_more: int) -> str:
    """A change as so much more or less."""
    return "the same" if cents_more == 0 else f"{dollars(abs(cents_more))} {'more' if cents_more > 0 else 'less'}"


def higher(cents_higher: int) -> str:
    """A change of a cost, a benefit or a surplus."""
    if cents_higher == 0:
        return "unchanged"
    return f"{dollars(abs(cents_higher))} {'higher' if cents_higher > 0 else 'lower'}"


def _label(entry: Compared[Solution]) -> str:
    """Name of a key number within a sentence; short names in capitals stay."""
    label = entry.figure.label
    return label[0].lower() + label[1:] if label != "Suits index" else label


def _homes(row: Payer) -> str:
    """A kind of homes and the change of its bill."""
    group = row.group.replace("_", " ")
    return (
        f"{group}-income homes with {technology_label(row.technology)} ({dollars(row.difference, signed=True)} a month)"
    )
