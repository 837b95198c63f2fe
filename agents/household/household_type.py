"""A household type: an income group with a technology."""

from dataclasses import dataclass

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.day_peak import DayPeak
from meanwatt.agents.household.envelope import Envelope
from meanwatt.agents.household.storage import StorageDay, storage_day
from meanwatt.agents.numerics.arrays import Floats, read_only, require_shape
from meanwatt.agents.numerics.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HouseholdType:
    """All that households of one type have in common.

    Parameters
    ----------
    income_group, group
        Name and index of the income group.
    technology
        Name of what stands behind the meter (``meanwatt.model.scenario.technologies``).
    share
        Population share w_θ; the shares of all types sum to one.
    income_usd_per_year
        Gross household income. [USD/yr]
    reference_kw : (c, h)
        Reference demand q0 before the household's own shock. [kW]
    pv_kw : (c, h)
        Rooftop solar output, ≥ 0. [kW]
    battery
        The battery, at home or in a vehicle; or None.
    elasticity, flexibility, reference_price_usd_per_kwh
        ε, f and p0 of ``meanwatt.agents.household.demand``.
    curtailable
        Whether the inverter may use less than the sun gives.
    pv_installed_kw
        Rooftop solar installed, which charges by its size are counted by. [kW]
    import_adder_usd_per_kwh : (c, h, z), optional
        What an import costs the household beside the rate when it decides, by own shock, too: of a demand charge.
        [USD/kWh]
    branch
        The branch of the feeder it lives on; empty where a scenario has none.
    envelope : Envelope, optional
        Limits on its net load; without it there are none.
    rate_class
        The rate class that it chose; empty where it is in the one that holds it by what it is.
    day_peak
        A charge on the day's largest import that it carries in its state.
    """

    __repr__ = short_repr

    income_group: str
    group: int
    technology: str
    share: float
    income_usd_per_year: float
    reference_kw: Floats
    pv_kw: Floats
    battery: Battery | None
    elasticity: float
    flexibility: float
    reference_price_usd_per_kwh: float
    curtailable: bool = True
    pv_installed_kw: float = 0.0
    import_adder_usd_per_kwh: Floats | None = None
    branch: str = ""
    envelope: Envelope | None = None
    rate_class: str = ""
    day_peak: DayPeak | None = None

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        object.__setattr__(self, "reference_kw", read_only(self.reference_kw))
        object.__setattr__(self, "pv_kw", read_only(self.pv_kw))
        for key, array in (
            ("pv_kw", self.pv_kw),
            *([("limits", self.envelope.import_limit_kw)] if self.envelope is not None else []),
        ):
            require_shape(f"{self.name}: {key}", array, self.reference_kw.shape, "(common state, slot)")

    @property
    def name(self) -> str:
        """Income group and technology, e.g. ``low/pv_battery``, a rate class that was chosen, branch and envelope."""
        chosen = f" in {self.rate_class}" if self.rate_class else ""
        where = f" on {self.branch}" if self.branch else ""
        return f"{self.income_group}/{self.technology}{chosen}{where}" + (
            f" under {self.envelope.name}" if self.envelope else ""
        )

    @property
    def place(self) -> tuple[str, str]:
        """Names of its branch and of its envelope; empty without."""
        return self.branch, self.envelope.name if self.envelope else ""

    @property
    def levels(self) -> int:
        """Number of states of charge; 1 without a battery."""
        return self.battery.levels if self.battery else 1

    def storage_day(self, slot_hours: float) -> StorageDay:
        """Moves of what it stores in, over the slots of a day."""
        return storage_day(self.battery, self.reference_kw.shape[1], slot_hours)
