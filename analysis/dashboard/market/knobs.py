"""The parameters that the page offers for a scenario and tariff, each with its range and its words."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from meanwatt.analysis.dashboard.shared.settings import Settings, Value
from meanwatt.model.scenario.loading import Scenario

RECOVERY = {
    "volumetric": "on every kWh bought",
    "fixed": "as a fixed charge",
    "posted": "not at all: rates as posted",
}
EXPORT_RULE = {
    "net_metering": "the full retail price (net metering)",
    "net_billing": "a posted credit (net billing)",
    "none": "nothing",
}
MOST_DIGITS = 5
"""Decimals of a number that lies between the steps of its slider, as rates on file do."""
MOST_RATES = 8
"""A tariff with more posted rates than this, one for every hour say, is shown but not edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One parameter on the page.

    Attributes
    ----------
    key
        Dotted key of the scenario, as in ``--set``.
    part, label, unit, help
        Words around it.
    default
        The preset's value.
    low, high, step
        Range of a number.
    options
        Value and words of each choice; empty for a number.
    """

    key: str
    part: str
    label: str
    default: Value
    unit: str = ""
    help: str = ""
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    options: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> Literal["range", "select"]:
        """How it is shown."""
        return "select" if self.options else "range"

    @property
    def digits(self) -> int:
        """Decimals worth showing."""
        return max(0, math.ceil(-math.log10(self.step) - 1e-9))

    def read(self, text: str) -> Value:
        """Value from what a browser or an address sends; ValueError in one line if it is not allowed."""
        if self.options:
            if text not in dict(self.options):
                raise ValueError(f"{self.key} is {text!r}; give one of {', '.join(dict(self.options))}")
            return text
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.key} is {text!r}; give a number from {self.low:g} to {self.high:g}")
        return value

    def show(self, value: Value) -> str:
        """Value in words, with its unit."""
        if self.options:
            return dict(self.options)[str(value)]
        assert not isinstance(value, tuple)
        number = float(value)
        digits = next(
            (d for d in range(self.digits, MOST_DIGITS) if abs(number - round(number, d)) < 1e-9), MOST_DIGITS
        )
        return f"{number:.{digits}f} {self.unit}".strip()


def knobs(preset: Scenario) -> tuple[Knob, ...]:
    """Give the parameters of a preset with its selected tariff, in the order of the page.

    Parameters
    ----------
    preset
        The scenario before any change: its values are the defaults.
    """
    return (*_tariff_knobs(preset), *_town_knobs(preset))


def without_effect(offered: Iterable[Knob], settings: Settings) -> dict[str, str]:
    """Key of every parameter that moves nothing under these settings, and why in words."""
    defaults = {knob.key: knob.default for knob in offered}
    rule = settings.get("tariff.export.rule", defaults["tariff.export.rule"])
    recovery = settings.get("tariff.recovery", defaults["tariff.recovery"])
    groups = settings.preset().income_groups.values()
    no_sun = settings.get("pv_share_scale", defaults["pv_share_scale"]) == 0
    no_exports = no_sun and not any(group.battery_only_share for group in groups)
    reasons: dict[str, str] = {}
    for key in defaults:
        export = key.startswith("tariff.export.")
        roofs = key == "tariff.access_charge.usd_per_pv_kw_day"
        if (no_sun and roofs) or (no_exports and (export or key == "battery_share_scale")):
            reasons[key] = "no effect: no home has solar"
        elif export and key != "tariff.export.rule" and rule != "net_billing":
            reasons[key] = "no effect: there is no posted credit"
        elif key.startswith("tariff.fixed_charge_usd_per_day") and recovery == "fixed":
            reasons[key] = "no effect: it follows from the cost"
    return reasons


def _saturation(most: float, *shares: Iterable[float]) -> float:
    """Largest factor worth offering on shares of homes: beyond it, every one of them is one."""
    smallest = min((share for group in shares for share in group if share > 0), default=1.0)
    return min(most, math.ceil(10 / smallest - 1e-9) / 10)


def _tariff_knobs(preset: Scenario) -> Iterator[Knob]:
    tariff = preset.tariffs[preset.selected_tariff]
    part = "What homes pay"
    yield Knob(
        key="tariff.recovery",
        part=part,
        label="Network cost is recovered",
        default=tariff.recovery,
        options=tuple(RECOVERY.items()),
    )
    yield from _rates("tariff.energy_usd_per_kwh", tariff.energy_usd_per_kwh, part, "Energy charge")
    yield Knob(
        key="tariff.pass_through",
        part=part,
        label="Wholesale price passed on",
        default=float(tariff.pass_through),
        step=0.05,
        help="0: none of it; 1: homes see every move",
    )
    yield from _rates(
        "tariff.fixed_charge_usd_per_day", tariff.fixed_charge_usd_per_day, part, "Fixed charge", unit="$/day", high=3.0
    )
    yield from _access_knobs(preset, part)
    part = "What solar homes earn"
    yield Knob(
        key="tariff.export.rule",
        part=part,
        label="Exported solar earns",
        default=tariff.export.rule,
        options=tuple(EXPORT_RULE.items()),
    )
    yield from _rates("tariff.export.usd_per_kwh", tariff.export.usd_per_kwh, part, "Export credit")
    yield Knob(
        key="tariff.export.pass_through",
        part=part,
        label="Wholesale price in the credit",
        default=float(tariff.export.pass_through),
        step=0.05,
        help="0: none of it; 1: all of it",
    )


def _access_knobs(preset: Scenario, part: str) -> Iterator[Knob]:
    """The grid-access charge where it tells homes apart: by their solar, or by technology as the tariff has it.

    One that is the same for every home would double the fixed charge.
    """
    charge = preset.tariffs[preset.selected_tariff].access_charge
    if any(group.pv_share > 0 and group.pv_kw > 0 for group in preset.income_groups.values()):
        yield Knob(
            key="tariff.access_charge.usd_per_pv_kw_day",
            part=part,
            label="Grid access, for each kW of solar",
            default=float(charge.usd_per_pv_kw_day),
            unit="$/day",
            high=max(0.5, math.ceil(2 * charge.usd_per_pv_kw_day)),
            step=0.01,
        )
    if isinstance(charge.usd_per_household_day, Mapping):
        yield from _rates(
            "tariff.access_charge.usd_per_household_day",
            charge.usd_per_household_day,
            part,
            "Grid access",
            unit="$/day",
            high=3.0,
        )


def _owners(preset: Scenario, key: str, label: str, most: float, *shares: Iterable[float]) -> Knob:
    """A knob that multiplies how many homes own something, up to where nobody is left to buy it."""
    return Knob(
        key=key,
        part="The town",
        label=label,
        default=float(getattr(preset, key)),
        unit="× today",
        high=_saturation(most, *shares),
        step=0.1,
    )


def _town_knobs(preset: Scenario) -> Iterator[Knob]:
    part, groups = "The town", tuple(preset.income_groups.values())
    yield _owners(preset, "pv_share_scale", "Homes with solar", 3.0, (g.pv_share for g in groups))
    stores = ((g.storage_share_of_pv for g in groups), (g.battery_only_share for g in groups))
    yield _owners(preset, "battery_share_scale", "Homes with batteries", 4.0, *stores)
    if any(group.ev_share > 0 for group in groups):
        yield _owners(preset, "ev_share_scale", "Homes with electric cars", 4.0, (g.ev_share for g in groups))
    yield Knob(
        key="elasticity",
        part=part,
        label="Price elasticity of use",
        default=float(preset.elasticity),
        high=0.5,
        step=0.01,
        help="0.10: a price 10 % higher lowers use by 1 %",
    )


def _rates(key: str, form: object, part: str, label: str, unit: str = "$/kWh", high: float = 1.0) -> Iterator[Knob]:
    """One knob for every posted number of a rate, as long as they are few."""
    leaves = list(_leaves(key, form, ()))
    if len(leaves) > MOST_RATES:
        return
    for leaf, names, value in leaves:
        yield Knob(
            key=leaf,
            part=part,
            label=": ".join((label, ", ".join(names))) if names else label,
            default=value,
            unit=unit,
            high=max(high, math.ceil(2 * value)),
            step=0.005,
        )


def _leaves(key: str, form: object, names: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Dotted key, names and value of each number of a table; lists are left out whole."""
    if isinstance(form, int | float):
        yield key, names, float(form)
    elif isinstance(form, Mapping):
        for name, entry in form.items():
            yield from _leaves(f"{key}.{name}", entry, (*names, str(name)))
