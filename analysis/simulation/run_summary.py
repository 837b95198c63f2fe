"""What the days of a run add up to: metrics, losses, ageing, phases, the feeder, who sits where on it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.metrics.bus_groups import BusGroup, FeederDays, bus_groups
from meanwatt.analysis.metrics.feeder_stress import FeederStress, feeder_stress
from meanwatt.analysis.metrics.metrics import MarketDays, Metrics, market_metrics
from meanwatt.analysis.metrics.phase_stress import PhaseSlots, PhaseStress, PhaseVoltVar, phase_stress
from meanwatt.analysis.metrics.transformer_ageing import Thermal, TransformerAgeing, transformer_ageing
from meanwatt.analysis.metrics.utility_meter import Enjoyed
from meanwatt.analysis.simulation.inverter_report import held_by_type_and_bus
from meanwatt.model.market.bus_placement import home_buses
from meanwatt.model.market.grid_day import PhaseInverterDay
from meanwatt.model.market.history import History, phase_days
from meanwatt.model.market.market_centre import MarketCentre
from meanwatt.model.network.power_flow import VoltageLimits


def behaviour_rows(history: History) -> list[dict[str, Any]]:
    """Every behaviour with its households and what they paid; no bill where there is no day or nobody."""
    table = history.behaviour_days
    found = []
    for name in dict.fromkeys(history.behaviours):
        cohorts = [cohort == name for cohort in history.behaviours]
        households = int(history.class_households[:, cohorts].sum())
        bill_usd = float(table.loc[table["behaviour"] == name, "bill_usd"].sum())
        household_days = households * len(history)
        found.append(
            {
                "behaviour": name,
                "cohorts": sum(cohorts),
                "households": households,
                "share": households / sum(history.households),
                "bill_usd_per_household_day": bill_usd / household_days if household_days else None,
            }
        )
    return found


def curtailed_kwh(market: MarketCentre) -> float:
    """Solar output not used. [kWh per household-day]"""
    return float(market.history.stacked("curtailed_kw").sum(axis=1).mean()) * market.slot_hours


def unmet_trip_kwh(market: MarketCentre, enjoyed: list[Enjoyed]) -> float:
    """Energy that trips needed and did not get; less than nothing is the draw between two levels. [kWh per day]"""
    return max(sum(day.unmet_trip_kwh for day in enjoyed), 0.0) / (len(enjoyed) * market.households)


def run_metrics(market: MarketCentre, enjoyed: list[Enjoyed], bill_usd: Floats) -> Metrics:
    """The metrics of the days lived; bills (household,) since the beginning. [USD]"""
    history, census, days = market.history, market.census, len(enjoyed)
    states = [record.common_state for record in history]
    return market_metrics(
        market.economy,
        MarketDays(
            wholesale_usd_per_kwh=history.stacked("wholesale_usd_per_kwh"),
            net_load_kw=history.stacked("net_load_kw"),
            rest_load_kw=market.economy.rest_load_kw[states],
        ),
        household_type=np.repeat(np.arange(len(census.count)), census.count),
        bill_usd_per_day=bill_usd / days,
        utility_usd_per_household_day=sum(day.utility_usd for day in enjoyed) / (days * census.households),
        wear_usd_per_household_day=sum(day.wear_usd for day in enjoyed) / (days * census.households),
        loss_cost_usd_per_household_day=sum(record.account.loss_cost_usd for record in history)
        / (days * census.households),
    )


def feeder_losses(market: MarketCentre) -> dict[str, Any]:
    """Losses of the feeder, of the slots with a state, and what they cost where the utility buys them."""
    grids = [record.grid for record in market.history if record.grid is not None]
    kwh = sum(float(np.nansum(grid.loss_kw)) for grid in grids) * market.slot_hours
    bought = market.economy.scenario.feeder.losses_bought
    cost = sum(record.account.loss_cost_usd for record in market.history)
    days = len(market.history)
    return {
        "bought": bought,
        "kwh_per_household_day": kwh / (days * float(market.feeder.customers.sum())),
        "usd_per_household_day": cost / (days * market.households) if bought else None,
    }


def ageing_of(market: MarketCentre) -> TransformerAgeing | None:
    """How the transformer aged, the most loaded one in each slot with a state."""
    if not market.feeder.has_transformer:
        return None
    loading = np.concatenate([record.grid.transformer_loading for record in market.history if record.grid is not None])
    table = market.economy.scenario.feeder.ageing
    return transformer_ageing(loading[np.isfinite(loading)], market.slot_hours, Thermal(**table.model_dump()))


def market_phases(market: MarketCentre) -> PhaseStress | None:
    """Summarise the days of a market by phase; None where homes draw from all phases alike, or before the first day."""
    days = [found for _, found in phase_days(market.history)]
    if market.phases is None or not days:
        return None
    names = ("voltage_pu", "unbalance_percent", "loss_kw", "transformer_loading", "solved")
    found = phase_stress(
        PhaseSlots(**{name: np.concatenate([getattr(day, name) for day in days]) for name in names}),
        slot_hours=market.slot_hours,
        limits=VoltageLimits(market.economy.scenario.feeder.limits),
        buses=market.bus_names,
        homes=market.phases.customers.sum(axis=0),
    )
    return replace(found, volt_var=_volt_var_by_phase([day.inverters for day in days], market.slot_hours))


def _volt_var_by_phase(days: Sequence[PhaseInverterDay | None], slot_hours: float) -> PhaseVoltVar | None:
    """Summarise what inverters did by the voltage of their phase."""
    known = [day for day in days if day is not None]
    if not known:
        return None

    def largest(values: Sequence[Floats]) -> float | None:
        every = np.concatenate(values)
        return float(np.nanmax(every)) if np.isfinite(every).any() else None

    most = largest([-day.fed_in_kvar for day in known])
    return PhaseVoltVar(
        most_kvar_drawn=None if most is None else max(0.0, most),
        residual_pu=largest([day.residual_pu for day in known]),
        starts_differ_pu=largest([day.starts_differ_pu for day in known]),
        hours_without_fixed_point=slot_hours * float(sum((~day.fixed_point).sum() for day in known)),
    )


def groups_of_buses(market: MarketCentre, bill_usd: Floats | None) -> list[BusGroup]:
    """Who sits where on the feeder, and what it costs them."""
    history, count = market.history, np.asarray(market.census.count)
    grids = [record.grid for record in history if record.grid is not None]
    held, available = held_by_type_and_bus(history)
    return bus_groups(
        market.feeder,
        VoltageLimits(market.economy.scenario.feeder.limits),
        market.household_types,
        home_type=np.repeat(np.arange(len(count)), count),
        home_bus=home_buses(market.residents.customers(market.feeder), key_from(market.key), count),
        bill_usd_per_day=None if bill_usd is None else bill_usd / len(history),
        days=FeederDays(
            voltage_pu=np.concatenate([grid.voltage_pu for grid in grids]),
            slot_hours=market.slot_hours,
            held_kwh=held,
            available_kwh=available,
        ),
    )


def stress_of_feeder(market: MarketCentre) -> FeederStress:
    """Voltages, losses and loadings over all days with a power flow."""
    days = [record for record in market.history if record.grid is not None]
    grids = [record.grid for record in days if record.grid is not None]
    transformer = (
        np.concatenate([grid.transformer_loading for grid in grids]) if market.feeder.has_transformer else None
    )
    return feeder_stress(
        voltage_pu=np.concatenate([grid.voltage_pu for grid in grids]),
        loss_kw=np.concatenate([grid.loss_kw for grid in grids]),
        hours=market.slot_hours,
        limits=VoltageLimits(market.economy.scenario.feeder.limits),
        converged=np.concatenate([grid.solved for grid in grids]),
        transformer_loading=transformer,
        line_loading=np.concatenate([grid.line_loading for grid in grids]),
        curtailed_kw=np.concatenate([record.curtailed_kw for record in days]) * float(market.feeder.customers.sum()),
    )
