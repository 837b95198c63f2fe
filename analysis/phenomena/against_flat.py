"""One tariff against the flat rate, town by town: what it does to welfare and to the burden gap."""

from collections.abc import Mapping
from dataclasses import dataclass

from meanwatt.analysis.lessons.case import Case, Value
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel
from meanwatt.analysis.phenomena.town import Town, Towns

Changes = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstFlat:
    """A town under the flat rate and under another tariff, both covering the same cost."""

    flat: Town
    other: Town

    @property
    def welfare_usd(self) -> float:
        """Welfare, other less flat. [USD/month]"""
        return self.other.welfare_usd - self.flat.welfare_usd

    @property
    def gap_percent(self) -> float:
        """Burden gap, other less flat. [% of income]"""
        return self.other.burden_gap_percent - self.flat.burden_gap_percent


def against_flat(tariff: str, scenario: str, towns: Towns, *, both: Changes = (), other: Changes = ()) -> AgainstFlat:
    """Solve a scenario under the flat rate and under a tariff; ``other`` changes the latter alone."""
    return AgainstFlat(
        flat=towns.town(Case(scenario=scenario, tariff="flat", changes=both)),
        other=towns.town(Case(scenario=scenario, tariff=tariff, changes=(*both, *other))),
    )


def charge_finding(found: Mapping[str, AgainstFlat], *, gap_widens: bool, reading: str) -> Finding:
    """Of a charge that replaces recovery in the kWh: welfare rises, and the burden gap widens or narrows."""
    bound = {"above": 0.0} if gap_widens else {"below": 0.0}
    claims = [
        claim
        for place, one in found.items()
        for claim in (
            Claim(text=f"{place}: welfare", value=one.welfare_usd, unit="USD/month", above=0),
            Claim(text=f"{place}: burden gap", value=one.gap_percent, unit="% of income", **bound),
        )
    ]
    return Finding(claims=tuple(claims), panel=two_changes(found), reading=reading)


def two_changes(found: Mapping[str, AgainstFlat]) -> Panel:
    """Both changes by town, as bars."""
    return Panel(
        x_title="",
        y_title="less the flat rate",
        x=tuple(found),
        lines={
            "welfare [USD/month]": tuple(one.welfare_usd for one in found.values()),
            "burden gap [% of income]": tuple(one.gap_percent for one in found.values()),
        },
    )
