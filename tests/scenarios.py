"""Small worlds and solved presets that several tests share.

A preset is solved once in a session. The small worlds have few slots, levels and states, so that a test can afford to
compute them again in plain loops.
"""

from dataclasses import replace
from functools import cache

import numpy as np

from meanwatt.agents.household.battery import Battery, grid_power_kw, moves, wear_usd
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.supply import SupplyCurve
from meanwatt.model.scenario.weather import common_states

WEATHER = np.array([[0.5, 0.4, 0.1], [0.1, 0.6, 0.3], [0.7, 0.1, 0.2]])
"""A chain of three day types that looks different backward: sunny, cloudy, hot."""
SHOCK = np.array([[0.7, 0.3], [0.6, 0.4]])
"""A household's chain with stationary law (2/3, 1/3)."""
SHOCK_LEVELS = np.array([0.85, 1.3])


@cache
def preset_economy(preset: str, *overrides: str) -> Economy:
    """A preset as arrays."""
    return build_economy(load_scenario(preset, overrides=overrides))


@cache
def preset_tariff(preset: str, name: str, *overrides: str) -> Tariff:
    """One of a preset's tariffs; overrides may have keys under ``tariff``."""
    return build_tariff(load_scenario(preset, overrides=overrides, tariff=name))


@cache
def solved(
    preset: str, name: str, *overrides: str, certify: bool = False, start: Equilibrium | None = None
) -> Equilibrium:
    """Equilibrium of a preset under one of its tariffs, solved once in a session, perhaps from one nearby."""
    economy = preset_economy(preset, *(text for text in overrides if not text.startswith("tariff.")))
    return solve_equilibrium(economy, preset_tariff(preset, name, *overrides), certify=certify, start=start)


def welfare(economy: Economy, found: PopulationResponse) -> float:
    """Utility − wear − supply cost − carbon − K, summed slot by slot. [USD per household-day]"""
    total = -economy.fixed_cost_usd_per_day
    for k, household in enumerate(economy.types):
        total += household.share * float(found.utility_usd_per_day[k] - found.wear_usd_per_day[k])
    rest_kw, supply = economy.rest_load_kw, economy.supply
    fuel, tonnes = (of(found.net_load_kw + rest_kw) - of(rest_kw) for of in (supply.cost, supply.emissions_t))
    for c, chance in enumerate(economy.common.probability):
        for h in range(economy.slots):
            total -= chance * economy.slot_hours * float(fuel[c, h] + economy.carbon_usd_per_t * tonnes[c, h])
    return float(total)


WITH_VEHICLES = {
    "income_groups.low.ev_share": 0.1,
    "income_groups.middle.ev_share": 0.3,
    "income_groups.high.ev_share": 0.5,
}
"""Overrides that give every income group of a preset some electric vehicles."""


def small_battery(levels: int = 4, **changes: float) -> Battery:
    """A battery of 1 kWh a level with lossy ways in and out."""
    settings = {
        "capacity_kwh": float(levels - 1),
        "power_limit_kw": 0.3,
        "charge_efficiency": 0.95,
        "discharge_efficiency": 0.9,
        "wear_usd_per_kwh": 0.01,
    }
    return Battery(**{**settings, **changes}, levels=levels)


def small_household(
    states: int = 3, slots: int = 3, *, levels: int = 4, elasticity: float = 0.3, seed: int = 0, **changes: object
) -> HouseholdType:
    """A household with PV and the small battery, its load and its sun drawn at random."""
    rng = np.random.default_rng(seed)
    settings = {
        "income_group": "all",
        "group": 0,
        "technology": "pv_battery",
        "share": 1.0,
        "income_usd_per_year": 50_000.0,
        "reference_kw": rng.uniform(0.3, 1.0, (states, slots)),
        "pv_kw": rng.uniform(0.0, 1.2, (states, slots)),
        "battery": small_battery(levels),
        "elasticity": elasticity,
        "flexibility": 0.5,
        "reference_price_usd_per_kwh": 0.2,
    }
    return HouseholdType(**{**settings, **changes})


def small_rates(states: int = 3, slots: int = 3, *, spread: float = 0.05, seed: int = 1) -> Rates:
    """Random import rates, exports earning ``spread`` less."""
    bought = np.random.default_rng(seed).uniform(0.1, 0.4, (states, slots))
    return Rates(import_usd_per_kwh=bought, export_usd_per_kwh=bought - spread)


def small_decision_problem(
    temperature: float = 0.05,
    *,
    discount: float = 1.0,
    rule: ValueRule = ValueRule.ENTROPY,
    slots: int = 3,
    weather: Floats = WEATHER,
) -> DecisionProblem:
    """Three kinds of weather and two shocks."""
    common = common_states(tuple(f"type{k}" for k in range(len(weather))), weather, 0)
    return DecisionProblem(
        common_kernel=common.kernel,
        common_probability=common.probability,
        shock_levels=SHOCK_LEVELS,
        shock_kernel=SHOCK,
        shock_probability=np.array([2 / 3, 1 / 3]),
        slot_hours=24 / slots,
        temperature_usd=temperature,
        discount_per_day=discount,
        value_rule=rule,
    )


def small_economy(
    *,
    slots: int = 3,
    levels: int = 4,
    elasticity: float = 0.3,
    battery_share: float = 0.5,
    steepness: float = 0.1,
    weather: Floats = WEATHER,
    memory: int = 0,
    seed: int = 0,
    **scenario: object,
) -> Economy:
    """Two income groups, with and without a battery; ``scenario`` may set temperature, discount and value rule.

    Built beside the textbook scenario, because a file cannot have so few slots.
    """
    base = load_scenario("textbook", overrides={"elasticity": elasticity, "carbon.usd_per_t": 30.0, **scenario})
    rng = np.random.default_rng(seed)
    common = common_states(tuple(f"type{k}" for k in range(len(weather))), weather, memory)
    shape = (len(weather), slots)
    load_kw, sun_kw, rest_kw = rng.uniform(0.3, 1.0, shape), rng.uniform(0.0, 1.2, shape), rng.uniform(0.0, 0.2, shape)
    types = tuple(
        small_household(
            income_group=group,
            group=index,
            technology=technology,
            share=part / 2,
            income_usd_per_year=income,
            reference_kw=(0.8 + 0.4 * index) * load_kw[common.today],
            pv_kw=(technology == "pv_battery") * sun_kw[common.today],
            battery=small_battery(levels) if technology == "pv_battery" else None,
            elasticity=elasticity,
        )
        for index, (group, income) in enumerate((("low", 20_000.0), ("high", 80_000.0)))
        for technology, part in (("none", 1 - battery_share), ("pv_battery", battery_share))
        if part > 0
    )
    return replace(
        build_economy(base),
        scenario=base,
        slots=slots,
        slot_hours=24 / slots,
        common=common,
        supply=SupplyCurve.polynomial([0.05, steepness], emissions_t_per_kwh=0.0005),
        rest_load_kw=rest_kw[common.today],
        shock_levels=SHOCK_LEVELS,
        shock_kernel=SHOCK,
        shock_probability=np.array([2 / 3, 1 / 3]),
        types=types,
        groups=("low", "high"),
        group_share=np.array([0.5, 0.5]),
        group_income_usd_per_year=np.array([20_000.0, 80_000.0]),
        fixed_cost_usd_per_day=0.8,
    )


def small_tariff(economy: Economy, **changes: object) -> Tariff:
    """Real-time price plus two cents, the fixed charge posted."""
    types, groups = len(economy.common.day_types), len(economy.groups)
    settings: dict[str, object] = {
        "name": "small",
        "energy_usd_per_kwh": np.full((types, economy.slots), 0.02),
        "export_usd_per_kwh": np.full((types, economy.slots), 0.02),
        "pass_through": 1.0,
        "export_pass_through": 1.0,
        "export_rule": ExportRule.NET_BILLING,
        "recovery": Recovery.POSTED,
        "fixed_charge_usd_per_day": np.full(groups, 0.3),
        "fixed_charge_shape": np.ones(groups),
        "discount": np.zeros(groups),
    }
    return Tariff(**{**settings, **changes})


def toy(temperature: float, *, rest_kw: float = 0.0, supply: SupplyCurve | None = None, **home: object) -> Economy:
    """One kind of household, one kW of load and of sun, on s = 0.15 + 0.3 x; no battery, one kind of day."""
    base = small_economy(weather=np.ones((1, 1)), temperature_usd=temperature)
    settings: dict[str, object] = {
        "technology": "pv",
        "battery": None,
        "elasticity": 0.5,
        "flexibility": 0.9,
        "reference_kw": np.ones((1, base.slots)),
        "pv_kw": np.ones((1, base.slots)),
    }
    return replace(
        base,
        types=(small_household(1, base.slots, **{**settings, **home}),),
        rest_load_kw=np.full((1, base.slots), rest_kw),
        shock_levels=np.ones(1),
        shock_kernel=np.ones((1, 1)),
        shock_probability=np.ones(1),
        supply=supply or SupplyCurve.polynomial([0.15, 0.3]),
    )


def real_time(economy: Economy, *, credit: float = 0.0, **changes: object) -> Tariff:
    """Imports at the wholesale price, exports at that and a posted credit."""
    shape = (len(economy.common.day_types), economy.slots)
    settings = {"energy_usd_per_kwh": np.zeros(shape), "export_usd_per_kwh": np.full(shape, credit)}
    return small_tariff(economy, **{**settings, **changes})


def random_game(seed: int, *, states: int = 2, slots: int = 3, shocks: int = 2, levels: int = 4) -> SlotOutcome:
    """Moves of up to two levels with random rewards of the size of a slot's bill, and random loads."""
    rng = np.random.default_rng(seed)
    battery = small_battery(levels)
    move = moves(battery, 24 / slots)
    shape = (states, slots, shocks, move.size)
    return SlotOutcome(
        moves=move,
        use_kw=rng.uniform(0.0, 1.0, shape),
        net_load_kw=rng.uniform(-1.0, 1.0, shape),
        utility_usd=rng.normal(0.0, 0.1, shape),
        payment_usd=rng.normal(0.0, 0.1, shape) + 0.2 * grid_power_kw(battery, move, 24 / slots),
        wear_usd=wear_usd(battery, move),
    )
