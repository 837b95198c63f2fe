"""Things to try on the other pages, each in a minute and with an effect that is seen."""

from dataclasses import dataclass

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.lesson import Try


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A link, and what to look for there."""

    to: Try
    watch: str


def _market(text: str, case: Case) -> Try:
    return Try(page="market", text=text, cases=(case,))


THINGS: tuple[Thing, ...] = (
    Thing(
        to=_market(
            "Let the meter run backwards",
            Case(tariff="flat", changes=(("tariff.export.rule", "net_metering"),)),
        ),
        watch="Set “Exported solar earns” back to a posted credit: the low-income bill falls.",
    ),
    Thing(
        to=_market(
            "Too much sun for one price",
            Case(tariff="flat", changes=(("tariff.export.rule", "net_metering"), ("pv_share_scale", 2.0))),
        ),
        watch="The page says that no price covers the cost.",
    ),
    Thing(
        to=_market(
            "See the duck",
            Case(tariff="rtp", changes=(("pv_share_scale", 2.0), ("battery_share_scale", 0.0))),
        ),
        watch="At noon the net load lies below zero. Give homes batteries: the duck grows tame.",
    ),
    Thing(
        to=Try(page="compare", text="One price or three", cases=(Case(tariff="flat"), Case(tariff="tou"))),
        watch="Under time of use the peak is lower, and somebody pays more.",
    ),
    Thing(
        to=Try(
            page="compare",
            text="The same fixed charge for all, or by income",
            cases=(
                Case(scenario="oahu", tariff="two_part"),
                Case(scenario="oahu", tariff="income_graduated"),
            ),
        ),
        watch="The burden gap falls, and the efficiency gap stays.",
    ),
    Thing(
        to=Try(page="finite", text="Ten homes or three thousand", cases=(Case(tariff="rtp"),)),
        watch="Dots of large towns lie lower, along a straight line.",
    ),
)
