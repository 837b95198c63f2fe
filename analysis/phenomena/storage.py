"""Batteries in equilibrium flatten the day: peak and volatility fall."""

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import TOWNS, Towns, percent_change

TARIFFS = ("flat", "tou")
NO_BATTERIES = (("battery_share_scale", 0.0),)


def find(towns: Towns) -> Finding:
    """Solve every town without batteries and with today's."""
    names, peaks, volatility, claims = [], [], [], []
    for place in TOWNS:
        for tariff in TARIFFS:
            without = towns.town(Case(scenario=place, tariff=tariff, changes=NO_BATTERIES))
            with_them = towns.town(Case(scenario=place, tariff=tariff))
            peak = percent_change(without.peak_to_average, with_them.peak_to_average)
            imv = percent_change(without.imv_cents, with_them.imv_cents)
            claims += [
                Claim(text=f"{place}, {tariff}: peak to average", value=peak, unit="%", below=0),
                Claim(text=f"{place}, {tariff}: volatility of the price", value=imv, unit="%", below=0),
            ]
            names.append(f"{place}\n{tariff}")
            peaks.append(peak)
            volatility.append(imv)
    return Finding(
        claims=tuple(claims),
        panel=Panel(
            x_title="",
            y_title="with batteries less without [%]",
            x=tuple(names),
            lines={"peak to average": tuple(peaks), "volatility (IMV)": tuple(volatility)},
        ),
        reading="Homes that foresee each other move solar from noon to the evening, whatever the tariff.",
    )


PHENOMENON = Phenomenon(
    key="storage",
    title="Storage flattens the duck",
    expected="In equilibrium batteries lower the peak over the mean and the incremental mean volatility of the price.",
    sources=(
        "M. Roozbehani, M. A. Dahleh, S. K. Mitter (2012), IEEE Transactions on Power Systems 27(4): the measure.",
        "He and Liu on mean-field pricing of prosumers: volatility under coordination.",
    ),
    setting="battery_share_scale 0 against 1, net billing",
    find=find,
)
