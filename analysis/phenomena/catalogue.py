"""All phenomena, in the order of the gallery: one more is a module and a line here."""

from typing import Final

from meanwatt.analysis.phenomena import (
    death_spiral,
    discount,
    equal_charge,
    graduated_charge,
    herding,
    net_metering,
    second_peak,
    storage,
    storage_bills,
    time_of_use,
    volatility,
    voltage_rise,
)
from meanwatt.analysis.phenomena.phenomenon import Phenomenon

PHENOMENA: Final[tuple[Phenomenon, ...]] = (
    death_spiral.PHENOMENON,
    net_metering.PHENOMENON,
    equal_charge.PHENOMENON,
    graduated_charge.PHENOMENON,
    discount.PHENOMENON,
    storage.PHENOMENON,
    second_peak.PHENOMENON,
    herding.PHENOMENON,
    volatility.PHENOMENON,
    storage_bills.PHENOMENON,
    voltage_rise.PHENOMENON,
    time_of_use.PHENOMENON,
)
