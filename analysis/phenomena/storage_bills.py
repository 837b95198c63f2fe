"""Who has no battery pays for those who have, or gains from them: the slope of the supply curve decides."""

from meanwatt.analysis.lessons.case import Case, Value
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import Towns

SLOPES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Of textbook's supply curve. [USD/kWh per kW of a household]"""
INTERCEPT = 0.05


def _change(towns: Towns, scenario: str, changes: tuple[tuple[str, Value], ...] = ()) -> float:
    """What batteries do to the bill of a low-income home without any. [USD/month]"""
    without, with_them = (
        towns.town(Case(scenario=scenario, tariff="flat", changes=(*changes, ("battery_share_scale", scale))))
        for scale in (0.0, 1.0)
    )
    return with_them.low_bill_usd - without.low_bill_usd


def find(towns: Towns) -> Finding:
    """Vary the slope on textbook; look at the presets as they are."""
    swept = [_change(towns, "textbook", (("supply.coefficients", (INTERCEPT, slope)),)) for slope in SLOPES]
    presets = {place: _change(towns, place) for place in ("textbook", "stress", "oahu")}
    expected = {"textbook": {"above": 0.0}, "stress": {"above": 0.0}, "oahu": {"below": 0.0}}
    return Finding(
        claims=(
            *(
                Claim(
                    text=f"{place}: bill, with batteries less without",
                    value=change,
                    unit="USD/month",
                    **expected[place],
                )
                for place, change in presets.items()
            ),
            Claim(text=f"slope {SLOPES[1]:g}: the same", value=swept[1], unit="USD/month", above=0),
            Claim(text=f"slope {SLOPES[-1]:g}: the same", value=swept[-1], unit="USD/month", below=0),
        ),
        panel=Panel(
            x_title="slope of the supply curve [USD/kWh per kW]",
            y_title="change of the bill [USD/month]",
            x=SLOPES,
            lines={"textbook": tuple(swept)},
        ),
        reading="On a flat supply curve batteries only cut sales, and the network's cost falls on the others; on a"
        " steep one the peak that they avoid is worth more.",
    )


PHENOMENON = Phenomenon(
    key="storage-bills",
    title="Others' batteries on one's bill",
    expected="Under net billing the bill of a low-income home without a battery can rise (self-consumption cuts sales)"
    " or fall (an avoided peak): it falls where supply is steep.",
    sources=("A day's linear program of these presets; no published study is known to the authors.",),
    setting="flat rate, net billing, battery_share_scale 0 against 1; on textbook the slope of supply is varied",
    find=find,
)
