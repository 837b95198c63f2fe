"""What the figure of a sweep shows, as plain numbers: both the command's picture and the app's chart draw these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.analysis.hosting.adoption import Swept
from meanwatt.analysis.hosting.first_violation import violation_share
from meanwatt.analysis.hosting.judged import HostedTariff
from meanwatt.analysis.hosting.stress import ENVELOPE_MEASURES, KINDS, LIMIT_CURTAILED
from meanwatt.analysis.hosting.sweep import HostingPlan

VOLTAGE: Final = "voltage"
"""Key of the panel that is no kind of violation."""
TITLES: Final = {
    "overvoltage": "voltage too high",
    "undervoltage": "voltage too low",
    "line": "a line above its rating",
    "transformer": "a transformer above its rating",
    "no_state": "no state of the feeder",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelLine:
    """One line of a panel.

    Attributes
    ----------
    name
        Its label.
    tariff
        Place of its tariff among those swept, for colour and mark.
    curves
        Whether inverters' curves are in force; None where the scenario asks for none.
    values : (level,)
        In the panel's unit; None where there is no equilibrium.
    lowest, highest : (level,)
        Ends of the band over placements; empty without a band.
    """

    name: str
    tariff: int
    curves: bool | None
    values: tuple[float | None, ...]
    lowest: tuple[float | None, ...] = ()
    highest: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: lines over adoption.

    Attributes
    ----------
    key
        A kind of violation, `VOLTAGE`, or one of ``ENVELOPE_MEASURES``.
    title, unit
        In words.
    limit
        Edge of the voltage band; None in other panels.
    """

    key: str
    title: str
    unit: str
    lines: tuple[PanelLine, ...]
    limit: float | None = None

    @property
    def counts(self) -> bool:
        """Whether the panel counts placements, in percent."""
        return self.unit == "%"


def hosting_panels(plan: HostingPlan, judged: Sequence[HostedTariff]) -> list[Panel]:
    """Write a panel for each kind of violation that occurs, and for what is expected first; and one for the voltage."""
    expected = "overvoltage" if plan.swept is Swept.SOLAR else "undervoltage"
    shown = _shown(judged)
    kinds = [kind for kind in KINDS if kind == expected or any(np.nansum(one.broken[kind]) for one, *_ in shown)]
    curtailed = [_curtailed(name, judged) for name in ENVELOPE_MEASURES if name in plan.measures]
    return [
        *(_share(kind, shown) for kind in kinds),
        _voltage(plan, shown, band=len(judged) <= 2),
        *(panel for panel in curtailed if any(value for line in panel.lines for value in line.values)),
    ]


def adoption_title(plan: HostingPlan) -> str:
    """What the horizontal axis shows."""
    return "homes with solar" if plan.swept is Swept.SOLAR else "adoption of electric vehicles"


Shown = tuple[HostedTariff, str, int, bool | None]


def _shown(judged: Sequence[HostedTariff]) -> list[Shown]:
    """What is drawn, with its label, the place of its tariff and whether inverters' curves are in force."""
    found: list[Shown] = []
    for place, one in enumerate(judged):
        if one.with_curves is None:
            found.append((one, one.tariff, place, None))
        else:
            found.append((one, f"{one.tariff}, without", place, False))
            found.append((one.with_curves, f"{one.tariff}, with curves", place, True))
    return found


def _share(kind: str, shown: Sequence[Shown]) -> Panel:
    lines = tuple(
        PanelLine(
            name=name,
            tariff=place,
            curves=curves,
            values=tuple(None if value is None else 100 * value for value in violation_share(one.broken[kind])),
        )
        for one, name, place, curves in shown
    )
    return Panel(key=kind, title=f"placements with {TITLES[kind]}", unit="%", lines=lines)


def _voltage(plan: HostingPlan, shown: Sequence[Shown], *, band: bool) -> Panel:
    solar = plan.swept is Swept.SOLAR
    lines = []
    for one, name, place, curves in shown:
        voltage = one.table["max_voltage_pu" if solar else "min_voltage_pu"]
        middle, lowest, highest = (_known(end(voltage, axis=1)) for end in (np.median, np.min, np.max))
        ends = {"lowest": lowest, "highest": highest} if band else {}
        lines.append(PanelLine(name=name, tariff=place, curves=curves, values=middle, **ends))
    return Panel(
        key=VOLTAGE,
        title=f"{'highest' if solar else 'lowest'} voltage, median over placements",
        unit="pu",
        lines=tuple(lines),
        limit=plan.limits.high_pu if solar else plan.limits.low_pu,
    )


def _curtailed(name: str, judged: Sequence[HostedTariff]) -> Panel:
    """What homes within operating envelopes curtail for one cause; the inverters' curves do not change it."""
    return Panel(
        key=name,
        title="curtailed at an envelope's limit" if name == LIMIT_CURTAILED else "curtailed for prices below 0",
        unit="kWh per household-day",
        lines=tuple(
            PanelLine(name=one.tariff, tariff=place, curves=None, values=_known(np.median(one.table[name], axis=1)))
            for place, one in enumerate(judged)
        ),
    )


def _known(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)
