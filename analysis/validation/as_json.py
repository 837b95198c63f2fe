"""A validation study as JSON keys and as the columns of tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from meanwatt.analysis.validation.by_class import class_loads_json
from meanwatt.analysis.validation.exploitability import Exploitability
from meanwatt.analysis.validation.result import GridCheck, MemoryFloor, Validation
from meanwatt.analysis.validation.scaling import Interval, Scaling
from meanwatt.analysis.validation.verdict import verdict

BY_SIZE: Final = (
    "rms_net_load_kw",
    "rms_low",
    "rms_high",
    "scatter_rms_kw",
    "expected_scatter_rms_kw",
    "wasserstein_soc_kwh",
    "wasserstein_low",
    "wasserstein_high",
    "expected_wasserstein_soc_kwh",
    "exploitability_usd_per_household_day",
    "composition_error_kw",
)
"""Keys with one entry per number of households."""
SINGLE: Final = (
    "slope",
    "slope_low",
    "slope_high",
    "floor_kw",
    "exploitability_slope",
    "verdict",
    "verdict_status",
    "findings",
    "exploitability_detail",
    "emergence",
    "leader",
    "grid",
    "phases",
    "memory",
    "rate_classes",
)
"""Keys with one value, besides the limit of the exploitability."""

Columns = dict[str, list[Any]]
"""A table: columns by name."""


def validation_json(checks: Validation | None, limit: float | None, sizes: int) -> dict[str, Any]:
    """The part of the JSON object that the checks give; null where they did not come to an end.

    Parameters
    ----------
    limit
        ε_∞ under the tariff in force. [USD per household-day]
    sizes
        How many numbers of households were asked for.
    """
    if checks is None:
        nothing = [None] * sizes
        return {
            **dict.fromkeys(BY_SIZE, nothing),
            **dict.fromkeys(SINGLE),
            "exploitability_limit_usd_per_household_day": limit,
        }
    load, scatter = checks.load, checks.scatter
    status, sentence = verdict(checks.findings)
    distance = _distance(checks)
    return {
        **_numbers("rms", load.rms, value="rms_net_load_kw"),
        **_law("", load),
        "floor_kw": load.floor,
        "floor_squared_kw2": load.floor_squared.value,
        "floor_squared_low": load.floor_squared.low,
        "floor_squared_high": load.floor_squared.high,
        "scatter_rms_kw": [rms.value for rms in scatter.rms],
        **_law("scatter_", scatter),
        "scatter_floor_kw": scatter.floor,
        "expected_scatter_rms_kw": checks.expected_scatter_kw,
        "rms_over_expected": _interval(checks.load_ratio),
        **_numbers("wasserstein", distance, value="wasserstein_soc_kwh"),
        "expected_wasserstein_soc_kwh": checks.expected_wasserstein_kwh,
        "wasserstein_slope": None if checks.wasserstein is None else _interval(checks.wasserstein.slope),
        "wasserstein_over_expected": _interval(checks.wasserstein_ratio),
        "exploitability_usd_per_household_day": checks.exploitability_usd_per_household_day,
        "exploitability_limit_usd_per_household_day": limit,
        "exploitability_slope": checks.exploitability_slope,
        "composition_error_kw": checks.composition_error_kw,
        "exploitability_detail": None if checks.exploit is None else asdict(checks.exploit),
        "emergence": None if checks.learners is None else asdict(checks.learners),
        "leader": None if checks.leader is None else {**asdict(checks.leader), "gain": checks.leader.gain},
        "grid": None if checks.grid is None else asdict(checks.grid),
        "phases": None if checks.phases is None else asdict(checks.phases),
        "memory": [asdict(floor) for floor in checks.memory],
        "rate_classes": class_loads_json(checks.classes),
        "verdict_status": status,
        "verdict": sentence,
        "findings": [asdict(finding) for finding in checks.findings],
    }


def validation_tables(checks: Validation) -> dict[str, Columns]:
    """Tables of a study: by number of households, by market, the criteria, and those of the single checks."""
    limit = None if checks.exploit is None else checks.exploit.limit
    whole = validation_json(checks, limit, len(checks.households))
    tables: dict[str, Columns] = {
        "sizes": {"households": list(checks.households), **{name: list(whole[name]) for name in BY_SIZE}},
        "replications": dict(checks.by_replication),
        "criteria": {
            name: [str(getattr(finding, name)) for finding in checks.findings]
            for name in ("key", "check", "title", "criterion", "why", "status", "sentence")
        },
    }
    if checks.exploit is not None:
        tables |= _exploitability_tables(checks.exploit)
    if checks.learners is not None:
        tables["emergence"] = {
            "day": list(range(checks.learners.days)),
            **{
                name: getattr(checks.learners, name).tolist() for name in ("belief_error", "price_error", "given_error")
            },
        }
    if checks.leader is not None:
        tables["leader"] = {
            "households": list(checks.leader.households),
            **_numbers("loss", checks.leader.loss, value="loss_usd_per_household_day"),
            "at_mean_field_usd_per_household_day": [found.value for found in checks.leader.at_mean_field],
        }
    if checks.grid is not None:
        tables["grid"] = {"households": list(checks.households), **_grid_columns(checks.grid)}
    if checks.phases is not None:
        tables["phases"] = {
            "households": list(checks.households),
            **_numbers("voltage", checks.phases.voltage.rms, value="phase_voltage_rms_pu"),
            **_numbers("unbalance", checks.phases.unbalance.rms, value="unbalance_rms_percent"),
        }
    if checks.memory:
        tables["memory"] = _memory_columns(checks.memory, checks.households)
    return tables


def _exploitability_tables(found: Exploitability) -> dict[str, Columns]:
    return {
        "exploitability": {
            "curve": ["own"] * len(found.tail) + ["kinked"] * len(found.kinked),
            "households": [*found.tail, *found.kinked],
            "difference_usd_per_household_day": [*found.tail_error, *found.kinked_error],
        },
        "temperature": {
            "temperature_usd": list(found.temperature_usd),
            "exploitability_usd_per_household_day": list(found.cooled),
            "bound_usd_per_household_day": list(found.bound),
        },
    }


def _grid_columns(found: GridCheck) -> Columns:
    columns: Columns = {}
    for name, unit in (("voltage", "pu"), ("loading", "of_rating"), ("loss", "kw")):
        error: Scaling = getattr(found, name)
        columns |= _numbers(name, error.rms, value=f"{name}_rms_{unit}")
    return columns


def _memory_columns(floors: Sequence[MemoryFloor], households: Sequence[int]) -> Columns:
    return {
        "memory": [floor.memory for floor in floors for _ in households],
        "households": [count for _ in floors for count in households],
        "scatter_rms_kw": [rms.value for floor in floors for rms in floor.scatter.rms],
        "expected_rms_kw": [value for floor in floors for value in floor.expected_kw],
    }


def _distance(checks: Validation) -> list[Interval]:
    found = (
        {}
        if checks.wasserstein is None
        else dict(zip(checks.wasserstein_households, checks.wasserstein.mean, strict=True))
    )
    return [
        found.get(count, Interval(value=mean))
        for count, mean in zip(checks.households, checks.wasserstein_soc_kwh, strict=True)
    ]


def _law(prefix: str, found: Scaling) -> dict[str, float | None]:
    slope = found.slope
    return {f"{prefix}slope": slope.value, f"{prefix}slope_low": slope.low, f"{prefix}slope_high": slope.high}


def _numbers(name: str, found: Sequence[Interval], *, value: str) -> dict[str, list[Any]]:
    return {
        value: [one.value for one in found],
        f"{name}_low": [one.low for one in found],
        f"{name}_high": [one.high for one in found],
    }


def _interval(found: Interval) -> dict[str, float | None]:
    return asdict(found)
