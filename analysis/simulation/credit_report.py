"""What became of credits that wait for later months: for the JSON object, and in sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

from meanwatt.model.market.credit_sums import CreditRow
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.messages import Messages


def credits_json(rows: Sequence[CreditRow]) -> list[dict[str, Any]]:
    """One object for each rate class whose credits wait."""
    return [_object(row) for row in rows]


def _object(row: CreditRow) -> dict[str, Any]:
    flows = {name: row.per_year(amount) for name, amount in row.flows.items()}
    held = {name: row.per_household(amount) for name, amount in row.held.items()}
    return {
        "class": row.name,
        **row.rule.to_table(),
        "households": row.households,
        "true_ups": row.true_ups,
        **{f"{name}_per_household_year": amount for name, amount in flows.items()},
        **{f"{name}_per_household": amount for name, amount in held.items()},
        "liability_usd": row.liability_usd,
        "above_slotwise_usd_per_household_year": row.per_year(row.above_slotwise_usd),
    }


def credit_messages(rows: Sequence[CreditRow]) -> Messages:
    """What the months came to beside what households decide by, a few sentences for each class that has homes."""
    return tuple(sentence for row in rows if row.households for sentence in _about(row))


def _about(row: CreditRow) -> Iterator[str]:
    metering, month = row.rule.metering.value, row.rule.true_up_month

    def yearly(name: str) -> str:
        return f"{row.per_year(row.flows[name]) or 0.0:.2f}"

    def each(name: str) -> str:
        return f"{row.per_household(row.held[name]) or 0.0:.2f}"

    of = f"{row.name}, export.metering {metering}"
    owed = f"a liability of {row.liability_usd:.2f} USD in all"
    if row.rule.metering.carries_usd:
        yield (
            f"{of}: of credits of {yearly('credit_earned_usd')} USD per household-year {yearly('credit_used_usd')} paid"
            f" energy charges, {yearly('credit_paid_out_usd')} were paid out and {yearly('credit_forfeited_usd')}"
            f" forfeited at the true-up; {each('credit_carried_usd')} USD per household are held at the end, {owed}."
        )
    else:
        lost = row.per_year(row.flows["credit_forfeited_usd"]) or 0.0
        forfeited = f"and {lost:.2f} USD, at the import rate, forfeited"
        beside = forfeited if lost >= 0 else f"({-lost:.2f} above the import rate)"
        yield (
            f"{of}: of a surplus of {yearly('credit_earned_kwh')} kWh per household-year {yearly('credit_used_kwh')}"
            f" were netted in later months and {yearly('surplus_kwh')} ended at the true-up, where"
            f" {yearly('credit_paid_out_usd')} USD were paid out {beside};"
            f" {each('credit_carried_kwh')} kWh per household are held at the end, {owed}."
        )
    above = row.per_year(row.above_slotwise_usd) or 0.0
    yield (
        f"{of}: bills are {above:.2f} USD per household-year above those that count every slot's credit at once, by"
        " which households decide; what is held is in it."
    )
    if not row.true_ups:
        yield f"{of}: month {month} does not end within {counted(row.days, 'day')}, and nothing is paid out or lost."
    if row.part_days:
        yield (
            f"{of}: the run ends within a month, whose {counted(row.part_days, 'day')} are settled as they stand,"
            " without a true-up."
        )
