"""What a tariff posts, in one sentence, and every way in which two tariffs differ, a sentence each."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.analysis.dashboard.shared.by_branch import branch_prices
from meanwatt.analysis.dashboard.shared.figures import group_label, usd
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.model.scenario.weather import CommonStates

RECOVERED = {
    Recovery.VOLUMETRIC: "an adder on every kWh covers what is left of the cost",
    Recovery.FIXED: "the fixed charge covers what is left of the cost",
    Recovery.POSTED: "nothing is added, whatever is left of the cost",
}
SAME = "A and B post the same terms."
HOURS = 24


def hourly(rate_usd_per_kwh: Floats, common: CommonStates) -> Floats:
    """Mean day by the hour of a rate (day type, slot), over the weather. (24,)"""
    mean = common.probability @ rate_usd_per_kwh[common.today]
    return np.asarray(mean.reshape(HOURS, -1).mean(axis=1))


def summary(tariff: Tariff, common: CommonStates, groups: Sequence[str]) -> str:
    """Say what a tariff posts."""
    bought = _rate(hourly(tariff.energy_usd_per_kwh, common), tariff.pass_through)
    said = [f"A kWh costs {bought}", f"an exported one earns {_exports(tariff, common)}", _standing(tariff, groups)]
    whole = f"{'; '.join(part for part in said if part)}; {RECOVERED[tariff.recovery]}."
    local = branch_prices(tariff)
    return f"{whole} A kWh costs {local}." if local else whole


def differences(a: Tariff, b: Tariff, common: CommonStates, groups: Sequence[str]) -> tuple[str, ...]:
    """Say every way in which the terms of B differ from those of A, or that none does."""
    said = [
        _rates_differ(a, b, common),
        _pair("Wholesale price passed on in the rate", *(_percent(side.pass_through) for side in (a, b))),
        _pair("An exported kWh earns", *(_exports(side, common) for side in (a, b))),
        _pair("Cost recovery", *(RECOVERED[side.recovery] for side in (a, b))),
        _charges_differ(a, b, groups),
        _pair("Discount on the rate", *(_by_group(side.discount, groups, _percent) for side in (a, b))),
        _pair("Charges beside it", *(_others(side) for side in (a, b))),
        _pair("A kWh costs by branch", *(branch_prices(side) or "the same price on all" for side in (a, b))),
    ]
    found = tuple(sentence for sentence in said if sentence)
    return found or (SAME,)


def _rates_differ(a: Tariff, b: Tariff, common: CommonStates) -> str:
    """Where the posted rates of B lie above and below those of A."""
    if np.allclose(a.energy_usd_per_kwh, b.energy_usd_per_kwh, rtol=0, atol=5e-7):
        return ""
    moved = 100 * (hourly(b.energy_usd_per_kwh, common) - hourly(a.energy_usd_per_kwh, common)).round(6)
    if not moved.round(2).any():
        return "Posted rates: A and B differ between kinds of days, and not on their mean."
    mean = f"Posted rates: on the mean of the day B's are {_more(float(moved.mean()))}"
    if np.ptp(moved) < 0.005:
        return f"{mean}, the same at every hour."
    low, high = int(moved.argmin()), int(moved.argmax())
    return f"{mean}, from {_more(float(moved[low]))} at {low} h to {_more(float(moved[high]))} at {high} h."


def _charges_differ(a: Tariff, b: Tariff, groups: Sequence[str]) -> str:
    """What is posted of the fixed charge: its level, or with recovery ``fixed`` how groups share it."""
    fixed = [side.recovery is Recovery.FIXED for side in (a, b)]
    if all(fixed):
        return _pair(
            "Fixed charge, in parts", *(_by_group(_least(s.fixed_charge_shape), groups, _plain) for s in (a, b))
        )
    if any(fixed):
        one = b if fixed[0] else a
        name = "B" if fixed[0] else "A"
        charged = one.fixed_charge_usd_per_day.any()
        return (
            f"Fixed charge: {name} posts {_by_group(one.fixed_charge_usd_per_day, groups, _dollars)}."
            if charged
            else ""
        )
    return _pair("Fixed charge", *(_by_group(side.fixed_charge_usd_per_day, groups, _dollars) for side in (a, b)))


def _pair(what: str, first: str, second: str) -> str:
    """One sentence, if A and B are not the same."""
    return "" if first == second else f"{what}: {first} under A, {second} under B."


def _exports(tariff: Tariff, common: CommonStates) -> str:
    if tariff.export_rule is ExportRule.NET_METERING:
        return "what one bought costs (net metering)"
    if tariff.export_rule is ExportRule.NONE:
        return "nothing"
    capped = ", at most what one costs" if tariff.capped_at_import else ""
    return f"{_rate(hourly(tariff.export_usd_per_kwh, common), tariff.export_pass_through)}{capped}"


def _standing(tariff: Tariff, groups: Sequence[str]) -> str:
    parts = []
    if tariff.recovery is Recovery.FIXED and np.ptp(tariff.fixed_charge_shape):
        parts.append(f"fixed charge in parts: {_by_group(_least(tariff.fixed_charge_shape), groups, _plain)}")
    elif tariff.recovery is not Recovery.FIXED and tariff.fixed_charge_usd_per_day.any():
        parts.append(f"fixed charge {_by_group(tariff.fixed_charge_usd_per_day, groups, _dollars)}")
    if tariff.discount.any():
        parts.append(f"discount {_by_group(tariff.discount, groups, _percent)}")
    if tariff.standing_charges:
        parts.append(_others(tariff))
    return "; ".join(parts)


def _others(tariff: Tariff) -> str:
    """Standing charges beside the fixed one, with what they are made of."""
    said = [f"{charge.name.replace('_', ' ')} {_leaves(charge.to_table())}" for charge in tariff.standing_charges]
    return listed(said) if said else "none"


def _leaves(table: Mapping[str, object]) -> str:
    """Amounts of a charge that are not 0, as their table names them."""
    flat = {
        f"{key} {name}".strip(): value
        for key, entry in table.items()
        for name, value in (entry.items() if isinstance(entry, Mapping) else [("", entry)])
    }
    return ", ".join(
        f"{usd(float(value), 2)} {name.removeprefix('usd_').replace('_', ' ')}"  # type: ignore[arg-type]
        for name, value in flat.items()
        if value
    )


def _rate(posted_usd_per_kwh: Floats, pass_through: float) -> str:
    """A posted rate and its share of the wholesale price."""
    low, high = (_cents(float(end)) for end in (posted_usd_per_kwh.min(), posted_usd_per_kwh.max()))
    posted = f"{low} ¢" if low == high else f"{low} to {high} ¢"
    if not pass_through:
        return posted
    share = "the wholesale price" if pass_through == 1 else f"{_percent(pass_through)} of the wholesale price"
    return share if not posted_usd_per_kwh.any() else f"{share} and {posted}"


def _by_group(values: Floats, groups: Sequence[str], write: Callable[[float], str]) -> str:
    """One value for all, or one for each group by name."""
    if not np.ptp(values):
        return write(float(values[0]))
    return ", ".join(f"{group_label(name).lower()} {write(float(v))}" for name, v in zip(groups, values, strict=True))


def _least(shape: Floats) -> Floats:
    """Shapes as multiples of the smallest that is not 0; equal ones are 1."""
    return np.asarray(shape / shape[shape > 0].min())


def _cents(usd: float) -> str:
    return _plain(100 * usd).replace("-", "−")


def _plain(value: float) -> str:
    return f"{round(value, 2):g}"


def _percent(share: float) -> str:
    return f"{round(100 * share, 2):g} %"


def _dollars(usd_per_day: float) -> str:
    return f"{usd(usd_per_day, 2)} a day"


def _more(cents: float) -> str:
    """A difference in cents, in words."""
    amount = f"{round(abs(cents), 2):g}"
    return "the same" if amount == "0" else f"{amount} ¢ {'higher' if cents > 0 else 'lower'}"
