"""What a utility offers its customers from midnight on: a tariff, and what is held while it is posted."""

from dataclasses import dataclass

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offer:
    """A tariff with what is held while it is posted. One object for each tariff.

    Attributes
    ----------
    tariff
        What is posted.
    adder_usd_per_kwh
        Its volumetric adder. [USD/kWh]
    fixed_charge_usd_per_day : (group,)
        Its fixed charges. [USD/day]
    policies
        Policies of each household type in the mean-field equilibrium of the tariff; None where nobody solved it.
    """

    tariff: Tariff
    adder_usd_per_kwh: float
    fixed_charge_usd_per_day: Floats
    policies: tuple[PolicyTable, ...] | None
