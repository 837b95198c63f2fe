"""A bill in plain loops, as one would draw it up by hand: the words of the tariff's record, one interval at a time."""

from typing import Any

MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
NAMES = ("net_billing", "net_billing_carryover", "net_metering", "net_metering_dollars", "buy_all_sell_all")


def plain_bill(
    record: dict[str, Any], load: Any, solar: Any, rule: str, per_hour: int = 1, expires: bool = False
) -> Any:
    """The twelve bills under tariff books' rules, of a record with tiers in kWh that climb by the month together."""
    credit, kept, bills, place, peaks = 0.0, {}, [], 0, []
    for month, days in enumerate(MONTH_DAYS):
        used: dict[int, list[float]] = {}
        drawn_total = fed_total = earned = peak = 0.0
        by_period: dict[int, float] = {}
        energy = 0.0
        demand: dict[int, float] = {}
        for day in range(days):
            weekend = (sum(MONTH_DAYS[:month]) + day) % 7 >= 5
            kind = "weekend" if weekend else "weekday"
            for interval in range(24 * per_hour):
                hour = interval // per_hour
                period = record[f"energy{kind}schedule"][month][hour]
                net = load[place] - solar[place]
                if rule == "buy_all_sell_all":
                    drawn, fed = load[place], solar[place]
                else:
                    drawn, fed = max(net, 0.0), max(-net, 0.0)
                by_period[period] = by_period.get(period, 0.0) + net
                tiers = record["energyratestructure"][period]
                energy += ladder(tiers, "rate", drawn_total, drawn_total + drawn)
                earned += ladder(tiers, "sell", fed_total, fed_total + fed)
                drawn_total, fed_total = drawn_total + drawn, fed_total + fed
                used.setdefault(period, []).append(drawn)
                peak = max(peak, drawn * per_hour)
                if "demandratestructure" in record:
                    of_demand = record[f"demand{kind}schedule"][month][hour]
                    demand[of_demand] = max(demand.get(of_demand, 0.0), drawn * per_hour)
                place += 1
        if rule.startswith("net_metering"):
            if rule == "net_metering":
                for period, kwh in kept.items():
                    by_period[period] = by_period.get(period, 0.0) - kwh
                kept = {period: -kwh for period, kwh in by_period.items() if kwh < 0}
            drawn_total = sum(max(kwh, 0.0) for kwh in by_period.values())
            fed_total = sum(max(-kwh, 0.0) for kwh in by_period.values())
            energy = sum(
                max(kwh, 0.0) / drawn_total * ladder(record["energyratestructure"][period], "rate", 0.0, drawn_total)
                for period, kwh in by_period.items()
                if drawn_total
            )
            earned = sum(
                max(-kwh, 0.0) / fed_total * ladder(record["energyratestructure"][period], "sell", 0.0, fed_total)
                for period, kwh in by_period.items()
                if fed_total
            )
        charges = energy + record.get("fuel", [0.0] * 12)[month] * drawn_total
        energy = charges
        for period, kw in demand.items():
            charges += ladder(record["demandratestructure"][period], "rate", 0.0, kw)
        if "flatdemandstructure" in record:
            charges += ladder(record["flatdemandstructure"][record["flatdemandmonths"][month]], "rate", 0.0, peak)
        charges += {"month": 1, "day": days, "year": days / 365}[record["fixed"][1]] * record["fixed"][0]
        bill = max(charges, record.get("minimum", float("-inf")))
        if rule in ("net_billing", "buy_all_sell_all"):
            bill -= earned
        elif rule == "net_billing_carryover":
            pays = min(credit, energy)
            bill, credit = bill - pays, credit - pays + earned
        elif rule == "net_metering_dollars":
            pays = min(credit + earned, energy)
            bill, credit = bill - pays, credit + earned - pays
        if month == 11 and credit and not expires:
            bill -= credit
        bills.append(bill)
        peaks.append(peak)
    return bills


def ladder(tiers: list[dict[str, float]], price: str, start: float, end: float) -> float:
    """What the kWh from ``start`` to ``end`` come to, counted from the foot of the ladder."""
    total, foot = 0.0, 0.0
    for number, tier in enumerate(tiers):
        top = tier.get("max", float("inf")) if number + 1 < len(tiers) else float("inf")
        inside = max(0.0, min(end, top) - max(start, foot))
        total += inside * tier.get(price, 0.0)
        foot = top
    return total
