"""A leader who draws its tariff at midnight, written as an ordinary economy with an ordinary tariff.

The tariff a drawn from the menu with probability π(a | c) is seen by everybody, so it joins the weather in the common
state: (c, a), with kernel P(c' | c)·π(a' | c') and law p_c·π(a | c). Draws of the days before join it, too, as far as
they are remembered (`meanwatt.model.mean_field.leader.drawn_states`). Every such state is a day type of its own, which
is how a tariff can depend on it; the followers' equilibrium is then solved by `solve_equilibrium` as it stands. A
policy that never draws is the special case of a tariff for each day type: critical-peak pricing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints, require_shape
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.leader.drawn_states import DrawnStates, drawn_states
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.weather import ROW_TOLERANCE, CommonStates

SHARED = (
    "pass_through",
    "export_pass_through",
    "export_rule",
    "capped_at_import",
    "credit_rule",
    "recovery",
    "discount",
    "adder_cap_usd_per_kwh",
    "standing_charges",
    "components",
    "classes",
)
"""What all tariffs of a menu must have in common: a ``Tariff`` has only one of each."""


def extended_economy(
    economy: Economy, menu: Sequence[Tariff], policy: Floats, *, past_draws: int | None = None
) -> Economy:
    """The economy whose common state is the weather together with the tariff of the day, and of days before.

    Parameters
    ----------
    menu
        Tariffs over the economy's day types, alike in all of ``SHARED``.
    policy : (c, menu)
        Chance π(a | c) of each tariff given today's common state; rows sum to one.
    past_draws
        Draws remembered besides today's; by default as many as `drawn_states` allows.

    Returns
    -------
    Economy
        With one common state, and one day type, for each state of `drawn_states`.

    Raises
    ------
    ValueError
        If the menu is empty or its tariffs cannot be mixed, or the policy is not one.
    """
    states = drawn_states(economy.common, _checked(economy, menu, policy), past_draws=past_draws)
    c = states.weather
    common = CommonStates(
        day_types=_labels(economy.common, menu, states),
        histories=np.arange(states.count)[:, None],
        today=np.arange(states.count),
        kernel=states.kernel,
        backward=states.backward,
        probability=states.probability,
    )
    types = tuple(replace(t, reference_kw=t.reference_kw[c], pv_kw=t.pv_kw[c]) for t in economy.types)
    return replace(economy, common=common, rest_load_kw=economy.rest_load_kw[c], types=types)


def extended_tariff(
    economy: Economy, menu: Sequence[Tariff], policy: Floats, *, past_draws: int | None = None
) -> Tariff:
    """What the leader posts in each state of `extended_economy`.

    Fixed charges, or their shape under recovery ``fixed``, are expected over the draws: they change no behaviour, and
    bills are expected anyway.

    Parameters, errors
        As in `extended_economy`.
    """
    checked = _checked(economy, menu, policy)
    states = drawn_states(economy.common, checked, past_draws=past_draws)
    a, today = states.today, economy.common.today[states.weather]
    weight = _often(economy.common, checked)
    return replace(
        menu[0],
        name=menu[0].name if len(menu) == 1 else f"one of {len(menu)} tariffs a day",
        energy_usd_per_kwh=_rates(menu, "energy_usd_per_kwh", a, today),
        export_usd_per_kwh=_rates(menu, "export_usd_per_kwh", a, today),
        fixed_charge_usd_per_day=_expected(menu, "fixed_charge_usd_per_day", weight),
        fixed_charge_shape=_expected(menu, "fixed_charge_shape", weight),
        periods=menu[0].periods if all(one.periods == menu[0].periods for one in menu) else (),
    )


def tariff_by_day_type(economy: Economy, menu: Sequence[Tariff], choice: Ints) -> Tariff:
    """The ordinary tariff of a leader who never draws: each day type has its own element of the menu.

    Parameters
    ----------
    choice : (c,) int
        Element posted in each common state; the same wherever today's day type is the same.

    Raises
    ------
    ValueError
        As `extended_economy`, or if days of one type are treated differently, which a tariff cannot say.
    """
    common = economy.common
    _checked(economy, menu, np.eye(len(menu))[choice])
    element = np.zeros(len(common.day_types), dtype=np.int64)  # day types that never come get the first
    element[common.today] = choice
    if (element[common.today] != choice).any():
        day = common.day_types[common.today[int(np.argmax(element[common.today] != choice))]]
        raise ValueError(f"days of type {day} get different tariffs; give one for each type, or solve the drawn game")
    days = np.arange(len(element))
    weight = np.bincount(choice, weights=common.probability, minlength=len(menu))
    return replace(
        menu[0],
        name=menu[0].name if len(menu) == 1 else "by day type",
        energy_usd_per_kwh=_rates(menu, "energy_usd_per_kwh", element, days),
        export_usd_per_kwh=_rates(menu, "export_usd_per_kwh", element, days),
        fixed_charge_usd_per_day=_expected(menu, "fixed_charge_usd_per_day", weight),
        fixed_charge_shape=_expected(menu, "fixed_charge_shape", weight),
        periods=menu[0].periods if all(one.periods == menu[0].periods for one in menu) else (),
    )


def require_mixable(menu: Sequence[Tariff]) -> None:
    """Raise ``ValueError`` unless the tariffs can be elements of one menu."""
    if not menu:
        raise ValueError("the menu is empty; give at least one tariff")
    first = menu[0]
    for tariff in menu:
        if tariff.recovery is Recovery.VOLUMETRIC:
            raise ValueError(
                f"tariff {tariff.name} recovers cost by an adder, which is not defined for each tariff of a menu;"
                " give recovery fixed or posted"
            )
        for name in SHARED:
            one, other = getattr(first, name), getattr(tariff, name)
            if not np.array_equal(one, other):
                raise ValueError(
                    f"tariffs {first.name} and {tariff.name} differ in {name}, {_words(one)} and {_words(other)};"
                    " give a menu that differs in charges and export credits only"
                )


def _words(value: object) -> str:
    return str(value.tolist()) if isinstance(value, np.ndarray) else str(value)


def _labels(common: CommonStates, menu: Sequence[Tariff], states: DrawnStates) -> tuple[str, ...]:
    """Names of the states: the weather, today's tariff with its number, and where it matters, those drawn before."""
    days = [" > ".join(label) for label in common.labels()]
    today = [f"{days[c]} · {menu[a].name} #{a + 1}" for c, a in zip(states.weather, states.today, strict=True)]
    often = Counter(today)
    before = [", ".join(f"#{a + 1}" for a in past) for past in states.element[:, :-1].tolist()]
    return tuple(f"{t} after {past}" if often[t] > 1 else t for t, past in zip(today, before, strict=True))


def _checked(economy: Economy, menu: Sequence[Tariff], policy: Floats) -> Floats:
    """The policy, its rows summing to one, after checking it and the menu."""
    require_mixable(menu)
    shape = (len(economy.common.day_types), economy.slots)
    for tariff in menu:
        require_shape(f"tariff {tariff.name}: rates", tariff.energy_usd_per_kwh, shape, "(day type, slot)")
    require_shape("policy", policy, (economy.common.count, len(menu)), "(common state, tariff)")
    off = np.abs(policy.sum(axis=1) - 1)
    wrong = ~((policy >= 0).all(axis=1) & (off <= ROW_TOLERANCE))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"policy row {row} is {policy[row].round(6).tolist()}; give probabilities >= 0 that sum to one"
        )
    return np.asarray(policy / policy.sum(axis=1, keepdims=True))


def _often(common: CommonStates, policy: Floats) -> Floats:
    """Share of the days on which each tariff is posted. (menu,)"""
    c, a = np.nonzero(policy)
    return np.asarray(
        np.bincount(a, weights=common.probability[c] * policy[c, a], minlength=policy.shape[1]), dtype=float
    )


def _rates(menu: Sequence[Tariff], name: str, element: Ints, day_type: Ints) -> Floats:
    """Rates of some elements on some day types. (state, slot)"""
    return np.array([getattr(tariff, name) for tariff in menu])[element, day_type]


def _expected(menu: Sequence[Tariff], name: str, weight: npt.NDArray[Any]) -> Floats:
    """Fixed charges, or their shapes, expected over elements of given weight; exact where the menu agrees."""
    rows = np.array([getattr(tariff, name) for tariff in menu])
    return np.asarray(rows[0] + weight @ (rows - rows[0]))
