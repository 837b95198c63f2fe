"""What of a validation study is not as asked, in sentences."""

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np

from meanwatt.analysis.validation.result import Validation
from meanwatt.model.market.grid_phases import assumed_messages, elsewhere_messages
from meanwatt.model.market.market_inverters import inverter_control, without_feeder_messages
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.residents import place_residents
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages, joined
from meanwatt.model.scenario.tables import FeederTable

ROUNDING_MATTERS: Final = 0.3
"""Part of the RMS from which the error of rounding the types is pointed out."""


def validation_messages(found: Validation, asked: Collection[str]) -> Messages:
    """Sentences about a study.

    Parameters
    ----------
    asked
        The checks that were asked for.
    """
    return joined(_rounded(found), _skipped(found, asked), _unsolved(found, asked))


def curve_messages(table: FeederTable, asked: Collection[str]) -> Messages:
    """Say in which of a study's markets inverters go by the curves of a scenario's ``[feeder]``."""
    if "grid" not in asked:
        off = inverter_control(table) is None and table.phases != "one"
        return () if off else without_feeder_messages(table)
    if inverter_control(table) is None:
        return ()
    return (
        "feeder.volt_watt, volt_var: in force in the markets whose feeder the check grid solves; those of another"
        " memory, the leader's and the mean field run without.",
    )


def phase_messages(economy: Economy, asked: Collection[str]) -> Messages:
    """Say what is drawn and assumed of homes that are on one phase each, where the check grid solves their feeder.

    Raises
    ------
    ValueError
        In one line, if the feeder has no low voltage, or a current on one phase no way back.
    """
    table = economy.scenario.feeder
    if table.phases != "one" or "grid" not in asked:
        return ()
    feeder = scenario_feeder(table, peak_reference_kw=economy.peak_reference_kw)
    residents = place_residents(economy.scenario, economy.types, feeder)
    lived_at = np.any(np.asarray(residents.share) > 0, axis=0)
    return (
        *assumed_messages(economy, feeder),
        *(() if residents.mixed else elsewhere_messages(feeder, lived_at)),
    )


def _rounded(found: Validation) -> Iterator[str]:
    """Say where whole households are a poor picture of the types."""
    if max(found.composition_error_kw) > ROUNDING_MATTERS * max(rms.value or 0.0 for rms in found.load.rms):
        slope = found.scatter.slope.value
        without = "" if slope is None else f"; without it the error falls as N to the power {slope:.3f}"
        yield f"Rounding the types to whole households is a large part of the error of the smallest market{without}."


def _skipped(found: Validation, asked: Collection[str]) -> Iterator[str]:
    """Say which check has no result."""
    if "leader" in asked and found.leader is None:
        yield "The check leader is skipped: no tariff of its family has an equilibrium."


def _unsolved(found: Validation, asked: Collection[str]) -> Iterator[str]:
    """Say where the feeder has no state."""
    if "grid" in asked and found.grid is None:
        yield "The check grid is skipped: in some market the power flow found no state in any hour (voltage collapse)."
    elif found.grid is not None and found.grid.unsolved > 0:
        share = f"{100 * found.grid.unsolved:.2g} %"
        yield f"Power flow: no state found in {share} of the hours; the feeder's errors are those of the other hours."
