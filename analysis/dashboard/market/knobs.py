"""The parameters that the page offers for a scenario and tariff, each with its range and its words."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from meanwatt.analysis.dashboard.market.component_knobs import component_knobs
from meanwatt.analysis.dashboard.market.knob import Knob, posted_rates
from meanwatt.analysis.dashboard.shared.settings import OF_TARIFF, Settings, Value
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.rate_classes import members_of
from meanwatt.model.scenario.technologies import TECHNOLOGIES, technology_shares

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


def knobs(preset: Scenario) -> tuple[Knob, ...]:
    """Give the parameters of a preset with its selected tariff, in the order of the page.

    Parameters
    ----------
    preset
        The scenario before any change: its values are the defaults.
    """
    tariffs = [("tariff", preset.selected_tariff, "others" if preset.has_rate_classes else "")]
    tariffs += [(f"tariffs.{name}", name, listed(classes)) for name, classes in _of_classes(preset).items()]
    of_tariffs = (
        replace(knob, part=f"{knob.part}: {whose}", whose=whose) if whose else knob
        for key, name, whose in tariffs
        for knob in _tariff_knobs(preset, key, name)
    )
    return (*of_tariffs, *_town_knobs(preset))


def _of_classes(preset: Scenario) -> dict[str, list[str]]:
    """Names of the rate classes on each tariff but the default one; none where all are on one tariff."""
    found: dict[str, list[str]] = {}
    for name, table in preset.rate_classes.items() if preset.has_rate_classes else ():
        if table.tariff != preset.selected_tariff:
            found.setdefault(table.tariff, []).append(name)
    return found


def without_effect(offered: Iterable[Knob], settings: Settings) -> dict[str, str]:
    """Key of every parameter that moves nothing under these settings, and why in words."""
    defaults = {knob.key: knob.default for knob in offered}
    groups = settings.preset().income_groups.values()
    no_sun = settings.get("pv_share_scale", defaults["pv_share_scale"]) == 0
    no_exports = no_sun and not any(group.battery_only_share for group in groups)
    sunless = _sunless(settings.preset())

    def now(tariff: str, part: str) -> Value:
        """Value in force of one of a tariff's keys."""
        key = f"{tariff}.{part}"
        return settings.get(key, defaults[key])

    reasons: dict[str, str] = {}
    for key in defaults:
        tariff, part = divided(key)
        export = part.startswith("export.")
        if tariff in sunless and (export or part == "access_charge.usd_per_pv_kw_day"):
            reasons[key] = "no effect: nobody in this rate class has solar or a battery"
            continue
        if (no_sun and part == "access_charge.usd_per_pv_kw_day") or (
            no_exports and (export or key == "battery_share_scale")
        ):
            reasons[key] = "no effect: no home has solar"
        elif export and part != "export.rule" and now(tariff, "export.rule") != "net_billing":
            reasons[key] = "no effect: there is no posted credit"
        elif part.startswith("fixed_charge_usd_per_day") and now(tariff, "recovery") == "fixed":
            reasons[key] = "no effect: it follows from the cost"
    return reasons


def _sunless(preset: Scenario) -> frozenset[str]:
    """Keys of the tariffs of rate classes in which nobody can sell; none where all are on one tariff."""
    if not preset.has_rate_classes:
        return frozenset()
    sellers = {one.name for one in TECHNOLOGIES if one.solar or one.name == "battery"}
    shares = [technology_shares(preset, group) for group in preset.income_groups.values()]
    sells: dict[str, bool] = {}
    for name, members in members_of(preset).items():
        chosen = name in preset.rate_classes and preset.rate_classes[name].opt_in_share is not None
        own = preset.rate_classes[name].tariff if name in preset.rate_classes else preset.selected_tariff
        here = chosen or any(shares[group][one] > 0 for one, group in members if one in sellers)
        sells[own] = sells.get(own, False) or here
    keys = {own: "tariff" if own == preset.selected_tariff else f"tariffs.{own}" for own in sells}
    return frozenset(keys[own] for own, any_sells in sells.items() if not any_sells)


def divided(key: str) -> tuple[str, str]:
    """Which tariff a key is of, ``tariff`` or ``tariffs.NAME``, and the rest of the key; both empty for the town's."""
    if not key.startswith(OF_TARIFF):
        return "", ""
    depth = 1 if key.startswith(OF_TARIFF[0]) else 2
    names = key.split(".")
    return ".".join(names[:depth]), ".".join(names[depth:])


def _saturation(most: float, *shares: Iterable[float]) -> float:
    """Largest factor worth offering on shares of homes: beyond it, every one of them is one."""
    smallest = min((share for group in shares for share in group if share > 0), default=1.0)
    return min(most, math.ceil(10 / smallest - 1e-9) / 10)


def _tariff_knobs(preset: Scenario, key: str, name: str) -> Iterator[Knob]:
    """Knobs of one tariff, whose keys begin with ``key``."""
    tariff = preset.tariffs[name]
    part = "What homes pay"
    yield Knob(
        key=f"{key}.recovery",
        part=part,
        label="Network cost is recovered",
        default=tariff.recovery,
        options=tuple(RECOVERY.items()),
    )
    yield from posted_rates(f"{key}.energy_usd_per_kwh", tariff.energy_usd_per_kwh, part, "Energy charge")
    yield Knob(
        key=f"{key}.pass_through",
        part=part,
        label="Wholesale price passed on",
        default=float(tariff.pass_through),
        step=0.05,
        help="0: none of it; 1: homes see every move",
    )
    yield from posted_rates(
        f"{key}.fixed_charge_usd_per_day", tariff.fixed_charge_usd_per_day, part, "Fixed charge", unit="$/day", high=3.0
    )
    yield from _access_knobs(preset, key, name, part)
    yield from component_knobs(tariff, key, part)
    part = "What solar homes earn"
    yield Knob(
        key=f"{key}.export.rule",
        part=part,
        label="Exported solar earns",
        default=tariff.export.rule,
        options=tuple(EXPORT_RULE.items()),
    )
    yield from posted_rates(f"{key}.export.usd_per_kwh", tariff.export.usd_per_kwh, part, "Export credit")
    yield Knob(
        key=f"{key}.export.pass_through",
        part=part,
        label="Wholesale price in the credit",
        default=float(tariff.export.pass_through),
        step=0.05,
        help="0: none of it; 1: all of it",
    )


def _access_knobs(preset: Scenario, key: str, name: str, part: str) -> Iterator[Knob]:
    """The grid-access charge where it tells homes apart: by their solar, or by technology as the tariff has it.

    One that is the same for every home would double the fixed charge.
    """
    charge = preset.tariffs[name].access_charge
    if any(group.pv_share > 0 and group.pv_kw > 0 for group in preset.income_groups.values()):
        yield Knob(
            key=f"{key}.access_charge.usd_per_pv_kw_day",
            part=part,
            label="Grid access, for each kW of solar",
            default=float(charge.usd_per_pv_kw_day),
            unit="$/day",
            high=max(0.5, math.ceil(2 * charge.usd_per_pv_kw_day)),
            step=0.01,
        )
    if isinstance(charge.usd_per_household_day, Mapping):
        yield from posted_rates(
            f"{key}.access_charge.usd_per_household_day",
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
