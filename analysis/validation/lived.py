"""What a validation compares finite markets with, and which of its checks there are under a tariff with components."""

from dataclasses import dataclass
from typing import Final

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.components.component_messages import component_messages
from meanwatt.model.mean_field.components.settled import market_equilibrium
from meanwatt.model.mean_field.components.solving import solve_composed
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load
from meanwatt.model.scenario.messages import Messages

NOT_WITH_COMPONENTS: Final = {
    "exploitability": "a deviator's own month moves its tier or its largest import, which is no rate by the slot",
    "emergence": "learners answer rates, and know nothing of a month",
    "leader": "what a leader posts is held against a tariff without components",
}
"""Checks that a tariff with components has not, and why."""
NOT_WITH_ENVELOPES: Final = {
    "exploitability": "a deviator that moves the price by itself is not held to limits",
    "emergence": "learners other than belief know nothing of limits",
}
"""Checks that a scenario with operating envelopes has not, and why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validated:
    """The equilibrium that households of the markets live by.

    Attributes
    ----------
    found
        With the tariff that is billed day by day.
    checks
        Those that are left.
    limit_usd_per_household_day
        ε_∞; of what households see, where the tariff has components.
    messages
        What is approximated and what is left out, a sentence each.
    """

    __repr__ = short_repr

    found: Equilibrium
    checks: tuple[str, ...]
    limit_usd_per_household_day: float | None
    messages: Messages


def solve_validated(
    economy: Economy, tariff: Tariff, checks: tuple[str, ...], *, everything: bool, watch: Watch
) -> Validated:
    """Solve the equilibrium to validate.

    Parameters
    ----------
    checks
        Those asked for.
    everything
        Whether that is all there are, so that those which do not apply are left out and told.

    Raises
    ------
    ValueError
        In one line, where one was asked for by name that a tariff with components, or a scenario with operating
        envelopes, has not.
    """
    outside: Messages = ()
    if limits_load(economy.types):
        checks, outside = _within_limits(checks, everything=everything)
    if not tariff.has_components:
        found = solve_equilibrium(economy, tariff, certify=False, watch=watch)
        return Validated(
            found=found,
            checks=checks,
            limit_usd_per_household_day=found.exploitability_usd_per_household_day,
            messages=outside,
        )
    names = " and ".join(dict.fromkeys(part.name for one in tariff.class_tariffs for part in one.components))
    out = [name for name in checks if name in NOT_WITH_COMPONENTS]
    left = tuple(name for name in checks if name not in out)
    if out and not everything:
        raise ValueError(
            f"--checks {out[0]} is none of a tariff with {names}: {NOT_WITH_COMPONENTS[out[0]]}; leave it out"
        )
    composed = solve_composed(economy, tariff, certify=False, watch=watch)
    return Validated(
        found=market_equilibrium(composed),
        checks=left,
        limit_usd_per_household_day=composed.equilibrium.exploitability_usd_per_household_day,
        messages=(
            *outside,
            *component_messages(composed),
            *(f"The check {name} is left out under {names}: {NOT_WITH_COMPONENTS[name]}." for name in out),
            "What the components bill home by home, beside what is expected, is in simulate.",
        ),
    )


def _within_limits(checks: tuple[str, ...], *, everything: bool) -> tuple[tuple[str, ...], Messages]:
    """The checks that are left where operating envelopes limit loads, and what is said of the others."""
    out = [name for name in checks if name in NOT_WITH_ENVELOPES]
    if out and not everything:
        raise ValueError(
            f"--checks {out[0]} is none of a scenario with feeder.envelopes: {NOT_WITH_ENVELOPES[out[0]]}; leave it out"
        )
    told = tuple(f"The check {name} is left out under feeder.envelopes: {NOT_WITH_ENVELOPES[name]}." for name in out)
    return tuple(name for name in checks if name not in out), told
