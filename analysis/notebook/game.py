"""What a caller may name a scenario and a tariff by: a preset's name, a file, or an object."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import Economy, build_rate_classes
from meanwatt.model.scenario.loading import Scenario, load_scenario

Overrides: TypeAlias = Sequence[str] | Mapping[str, Any]
"""Changes to a scenario, as `load_scenario` takes them."""


def game(
    scenario: str | Path | Scenario | Economy, tariff: str | Path | Tariff | None = None, overrides: Overrides = ()
) -> tuple[Economy, Tariff]:
    """Turn a scenario and a tariff into arrays.

    Parameters
    ----------
    scenario
        Name of a preset, path of a TOML file, scenario, or economy.
    tariff
        Name of one of the scenario's tariffs, path of a TOML file, or tariff; by default the one in force.
    overrides
        Changes, such as ``{"memory": 1}`` or ``["tariff.recovery=fixed"]``.

    Raises
    ------
    ValueError
        In one line, if a name, a file or a change is not allowed, or an economy or a tariff object is to be changed.
    """
    require_kinds(scenario, tariff, overrides)
    overrides = overrides or ()
    if isinstance(tariff, Tariff) and any(key.startswith("tariff") for key in overrides):
        raise ValueError("a tariff object cannot be changed by overrides; give the tariff's name or file, or change it")
    economy, terms = _loaded(scenario, tariff, overrides)
    wanted = (len(economy.common.day_types), economy.slots)
    if terms.energy_usd_per_kwh.shape != wanted:
        raise ValueError(
            f"tariff {terms.name} has rates for (day types, slots) {terms.energy_usd_per_kwh.shape}; scenario"
            f" {economy.scenario.name} has {wanted}"
        )
    return economy, terms


def _loaded(
    scenario: str | Path | Scenario | Economy, tariff: str | Path | Tariff | None, overrides: Overrides
) -> tuple[Economy, Tariff]:
    if isinstance(scenario, Economy):
        if overrides:
            raise ValueError("an economy cannot be changed by overrides; give its scenario, as economy.scenario")
        loaded = load_scenario(scenario.scenario, tariff=_name(tariff))
        economy = replace(scenario, scenario=loaded) if loaded.rate_classes else scenario
    else:
        loaded = load_scenario(scenario, overrides=overrides, tariff=_name(tariff))
        economy = build_located_economy(loaded)
    return economy, tariff if isinstance(tariff, Tariff) else build_rate_classes(loaded)


def _name(tariff: str | Path | Tariff | None) -> str | Path | None:
    return None if isinstance(tariff, Tariff) else tariff


def require_kinds(scenario: object, tariff: object, overrides: Any) -> None:
    """``ValueError`` in one line unless these are things that `game` takes."""
    if not isinstance(scenario, str | Path | Scenario | Economy):
        raise ValueError(
            f"the scenario is of type {type(scenario).__name__}; give a preset's name, the path of a TOML file, a"
            " scenario or an economy"
        )
    if not isinstance(tariff, str | Path | Tariff | None):
        raise ValueError(
            f"the tariff is of type {type(tariff).__name__}; give one of the scenario's names, the path of a TOML"
            " file or a tariff"
        )
    if isinstance(overrides, str) or not all(isinstance(key, str) for key in overrides or ()):
        raise ValueError(f'overrides are {overrides!r}; give {{"memory": 1}} or ["memory=1"]')
