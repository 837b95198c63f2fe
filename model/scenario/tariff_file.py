"""A tariff as people write it in a TOML table: periods of the day, and rates by period, day type or season."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.agents.tariff.components.demand_charge import DEMAND_LEVELS, DemandView, require_period
from meanwatt.agents.tariff.components.standing_charge import StandingCharge
from meanwatt.agents.tariff.components.tiers import Perception, Tiers
from meanwatt.agents.tariff.credit_rule import CARRYING, CreditRule
from meanwatt.agents.tariff.ratebook.ratebook import MONTHS, Metering
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.marks import AddedLater, ByName, Form, Names
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_tables import period_of_minute, within_window
from meanwatt.model.scenario.technologies import TECHNOLOGIES
from meanwatt.model.scenario.values import finite, show


class Table(BaseModel):
    """A table of a scenario file: frozen, no unknown keys, no silent conversions, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


def number_or_list(value: object) -> float | tuple[float, ...]:
    """Check a number or a list of numbers."""
    if isinstance(value, list | tuple):
        return tuple(finite(entry, f"entry {place}") for place, entry in enumerate(value))
    return finite(value)


def _rate(value: object) -> Any:
    """Check a number, a list, or a table of them, any depth; the names are checked against the scenario later."""
    if isinstance(value, Mapping):
        if not value:
            raise ValueError("is an empty table; give a number, a list, or a table by period, day type or season")
        return {str(name): _inside(str(name), entry) for name, entry in value.items()}
    return number_or_list(value)


def _inside(name: str, value: object) -> Any:
    try:
        return _rate(value)
    except ValueError as error:
        text = str(error)
        raise ValueError(f"{name} {text}" if text.startswith("is ") else f"{name}: {text}") from None


def _by_group(value: object) -> float | dict[str, float]:
    """Check a number or a table of numbers by income group."""
    if isinstance(value, Mapping):
        return {str(name): finite(entry, str(name)) for name, entry in value.items()}
    return finite(value)


def _by_technology(value: object) -> float | dict[str, float]:
    """Check a number or a table of numbers by technology."""
    found = _by_group(value)
    if isinstance(found, dict):
        known = [technology.name for technology in TECHNOLOGIES]
        for name in found:
            if name not in known:
                raise ValueError(unknown("technology", name, known))
    return found


def whole(value: object) -> object:
    """Refuse 1.0 and true where 1 is meant: they are equal to it, and a literal would let them pass."""
    if isinstance(value, bool | float):
        raise ValueError(f"is {show(value)}; give a whole number")
    return value


def tuples(value: object) -> object:
    """Make tuples of lists at every depth, so that a strict, frozen table accepts a TOML array."""
    if isinstance(value, list | tuple):
        return tuple(tuples(entry) for entry in value)
    return value


NumberOrList = Annotated[float | tuple[float, ...], BeforeValidator(number_or_list), Form("{}, or a list of them")]
"""A number, or a list of them (one an hour or slot, or one a segment)."""
RateForm = Annotated[
    Any,
    BeforeValidator(_rate),
    Form("{}, a list of one an hour or slot, or a table by period, day type, season or class"),
    ByName(Names.PERIODS_OR_DAYS),
]
"""A number, a list, a table period → number, or a table day type or season → any of these."""
ByGroup = Annotated[
    float | dict[str, float],
    BeforeValidator(_by_group),
    Form("{}, or a table by income group"),
    ByName(Names.INCOME_GROUPS),
]
"""A number for everybody, or a table income group → number."""
ByTechnology = Annotated[
    float | dict[str, float],
    BeforeValidator(_by_technology),
    Form("{}, or a table by technology"),
    ByName(Names.TECHNOLOGIES),
]
"""A number for everybody, or a table technology → number, 0 for those not named."""
Row = Annotated[tuple[float, ...], BeforeValidator(tuples), Form("a list, each {}")]
"""A list of numbers."""
Matrix = Annotated[tuple[tuple[float, ...], ...], BeforeValidator(tuples), Form("a list of rows, each entry {}")]
"""A list of lists of numbers."""
Texts = Annotated[tuple[str, ...], BeforeValidator(tuples), Form("a list of texts in quotes")]
"""A list of strings."""


class ExportTable(Table):
    """``[tariffs.NAME.export]``: how exported energy is credited."""

    rule: Literal["net_metering", "net_billing", "none"] = "net_billing"
    """``net_metering`` credits the import rate; ``net_billing`` the posted rate and a share of the wholesale price."""
    pass_through: Annotated[float, ranges.SHARE] = 0.0
    """Share κ_x of the wholesale price in the export rate."""
    usd_per_kwh: Annotated[RateForm, ranges.PRICE] = 0.0
    """Posted part x of the export rate. [USD/kWh]"""
    capped_at_import: bool = False
    """Whether exports never earn more than imports cost; else the posted credit is paid."""
    metering: Annotated[
        Literal["net_billing", "net_billing_carryover", "net_metering", "net_metering_dollars"], AddedLater()
    ] = "net_billing"
    """How `simulate` settles a home's months: as `metering` of a filed tariff, ``net_billing`` slot by slot at once."""
    true_up_month: Annotated[int, BeforeValidator(whole), ranges.MONTH, AddedLater()] = MONTHS
    """Month at whose end credits are paid out or lost and netted kWh begin anew, where `metering` lets them wait."""
    credit_expires: Annotated[bool, AddedLater()] = False
    """Whether credits in dollars that are left at the true-up are lost."""
    year_end_usd_per_kwh: Annotated[float, ranges.PRICE, AddedLater()] = 0.0
    """What kWh that are left then earn under `metering` ``net_metering``. [USD/kWh]"""

    @model_validator(mode="after")
    def _ends_what_waits(self) -> "ExportTable":
        self.credit_rule()
        return self

    def credit_rule(self) -> CreditRule | None:
        """How credits wait for later months; None where each slot's credit counts at once."""
        if self.metering == "net_billing":
            for key in ("true_up_month", "credit_expires", "year_end_usd_per_kwh"):
                value = getattr(self, key)
                if value != type(self).model_fields[key].default:
                    raise ValueError(
                        f"export.{key} is {show(value)}, and under export.metering net_billing nothing waits; give"
                        f" metering, one of {', '.join(CARRYING)}, or leave {key} out"
                    )
            return None
        return CreditRule(
            metering=Metering(self.metering),
            true_up_month=self.true_up_month,
            credit_expires=self.credit_expires,
            year_end_usd_per_kwh=self.year_end_usd_per_kwh,
        )


class ChargeTable(Table):
    """A table ``[tariffs.NAME.CHARGE]`` of a charge that does not depend on use; as it stands it charges nothing."""

    @abstractmethod
    def charge(self) -> StandingCharge:
        """The charge that it writes down."""


class AccessChargeTable(ChargeTable):
    """``[tariffs.NAME.access_charge]``: the grid-access charge, after discount and whatever is used."""

    usd_per_pv_kw_day: Annotated[float, ranges.CHARGE_PER_KW] = 0.0
    """For each kW of rooftop solar installed. [USD/kW per day]"""
    usd_per_household_day: Annotated[ByTechnology, ranges.CHARGE] = 0.0
    """For each household: a number, or a table by technology, 0 for those not named. [USD/day]"""

    def charge(self) -> AccessCharge:
        """The charge that it writes down."""
        return AccessCharge(usd_per_pv_kw_day=self.usd_per_pv_kw_day, usd_per_household_day=self.usd_per_household_day)


class TiersTable(Table):
    """``[tariffs.NAME.tiers]``: adders by the month's billed kWh; as it stands none."""

    limits_kwh_per_month: Annotated[Row, ranges.MONTH_ENERGY] = ()
    """Where each tier but the last ends, in a month of 365/12 days; rising. [kWh/month]"""
    adders_usd_per_kwh: Annotated[Row, ranges.PRICE] = ()
    """What a kWh of each tier costs beside the rate, after discount; one more than limits. [USD/kWh]"""
    perception: Literal["marginal", "average"] = "marginal"
    """Price that households act on: that of the tier where their expected month ends, or the average of their month."""

    @model_validator(mode="after")
    def _is_a_ladder(self) -> "TiersTable":
        if self.limits_kwh_per_month or self.adders_usd_per_kwh:
            self.component()
        return self

    def component(self) -> Tiers:
        """The tiers that it writes down."""
        return Tiers(
            limits_kwh_per_month=self.limits_kwh_per_month,
            adders_usd_per_kwh=self.adders_usd_per_kwh,
            perception=Perception(self.perception),
        )


class DemandChargeTable(Table):
    """``[tariffs.NAME.demand_charge]``: USD for each kW of the largest import of the month, or of every day."""

    usd_per_kw_month: Annotated[float, ranges.DEMAND_CHARGE] = 0.0
    """For each kW of the month's largest import, a month having 365/12 days. [USD/kW per month]"""
    usd_per_kw_day: Annotated[float, ranges.DAY_DEMAND_CHARGE, AddedLater()] = 0.0
    """For each kW of every day's largest import, in place of the month's. [USD/kW per day]"""
    window: Texts = ("0-24",)
    """``"from-to"`` hours in which imports count; they may wrap over midnight."""
    decision: Literal["ignored", "ex_ante", "state"] = "ignored"
    """How households decide by it: not at all, by the chance that a slot holds the month's largest import, or with the
    day's largest import so far as a part of their state, which is for a charge by the day."""
    demand_levels: Annotated[int, ranges.DEMAND_LEVELS, AddedLater()] = DEMAND_LEVELS
    """Levels of the day's largest import that households with ``decision = "state"`` tell apart."""

    @model_validator(mode="after")
    def _window_is_read(self) -> "DemandChargeTable":
        within_window(self.window)
        require_period(self.usd_per_kw_month, self.usd_per_kw_day, DemandView(self.decision))
        return self


class MinimumBillTable(Table):
    """``[tariffs.NAME.minimum_bill]``: what a month's bill is raised to; as it stands nothing."""

    usd_per_month: Annotated[float, ranges.MONTH_SUM] = 0.0
    """For a month of 365/12 days, all charges and credits counted; 0 for none. [USD/month]"""


class SubscriptionTable(Table):
    """``[tariffs.NAME.subscription]``: a contracted load at posted rates; as it stands nothing is contracted."""

    usd_per_kwh: Annotated[RateForm, ranges.PRICE] = 0.0
    """What the contracted load costs; what differs from it the tariff's own rate. [USD/kWh]"""
    contracted_share: Annotated[float, ranges.CONTRACTED] = 0.0
    """Contracted load as a share of the reference load less solar, where that is positive."""


class DiscountFundingTable(Table):
    """``[tariffs.NAME.discount_funding]``: who pays for the discounts of income groups; as it stands nobody does."""

    by: Literal["none", "per_kwh", "per_customer"] = "none"
    """All customers by the billed kWh, all alike, or nobody but the tariff's rule of recovery."""


class TariffTable(Table):
    """``[tariffs.NAME]``, or a tariff file of its own: what a utility posts."""

    title: str = ""
    """Name for people."""
    as_of: str = ""
    """Date at which filed rates were in force; empty for a tariff made up here."""
    recovery: Literal["volumetric", "fixed", "posted"]
    """What balances revenue and cost: an adder on every kWh, the fixed charge, or nothing."""
    pass_through: Annotated[float, ranges.SHARE] = 0.0
    """Share κ of the wholesale price in the import rate."""
    periods: Annotated[dict[str, Texts], Form("a table: period → list of texts in quotes")] = Field(
        default_factory=dict
    )
    """Period → list of ``"from-to"`` hours; may wrap over midnight, must cover the day once."""
    energy_usd_per_kwh: Annotated[RateForm, ranges.PRICE]
    """Energy charge τ. [USD/kWh]"""
    export: ExportTable = Field(default_factory=ExportTable)
    """Credit for exports; without it net billing at zero."""
    fixed_charge_usd_per_day: Annotated[ByGroup, ranges.CHARGE] = 0.0
    """Posted fixed charge after discount. [USD/day]"""
    fixed_charge_shape: Annotated[ByGroup, ranges.SHAPE] = 1.0
    """Relative fixed charges with recovery ``fixed``."""
    discount: Annotated[ByGroup, ranges.DISCOUNT] = 0.0
    """Share of the import rate a group does not pay, in [0, 1)."""
    branch_adder_usd_per_kwh: Annotated[
        dict[str, RateForm],
        Form("a table: branch of the feeder → as an energy charge"),
        AddedLater(),
    ] = Field(default_factory=dict)
    """Adder on each branch of the feeder, 0 where none is given; ``rest`` is whom no branch names. [USD/kWh]"""
    adder_cap_usd_per_kwh: Annotated[float, ranges.POSITIVE_PRICE] = 2.0
    """Where the search for a volumetric adder gives up. [USD/kWh]"""
    access_charge: AccessChargeTable = Field(default_factory=AccessChargeTable)
    """Grid-access charge; without it none."""
    tiers: Annotated[TiersTable, AddedLater()] = Field(default_factory=TiersTable)
    """Adders by the month's billed kWh; without it none."""
    demand_charge: Annotated[DemandChargeTable, AddedLater()] = Field(default_factory=DemandChargeTable)
    """Charge on the month's largest import; without it none."""
    minimum_bill: Annotated[MinimumBillTable, AddedLater()] = Field(default_factory=MinimumBillTable)
    """What a month's bill is raised to; without it nothing."""
    subscription: Annotated[SubscriptionTable, AddedLater()] = Field(default_factory=SubscriptionTable)
    """Contracted load at posted rates; without it none."""
    discount_funding: Annotated[DiscountFundingTable, AddedLater()] = Field(default_factory=DiscountFundingTable)
    """Who pays for discounts; without it nobody but the rule of recovery."""

    def standing_charges(self) -> tuple[StandingCharge, ...]:
        """Charges that do not depend on use, of the tables that differ from those that charge nothing."""
        tables = (getattr(self, name) for name in charge_names(type(self)))
        return tuple(table.charge() for table in tables if table != type(table)())

    @property
    def component_names(self) -> tuple[str, ...]:
        """Names of the components that differ from those that do nothing."""
        names = ("tiers", "demand_charge", "minimum_bill", "subscription", "discount_funding")
        return tuple(name for name in names if getattr(self, name) != type(getattr(self, name))())

    @property
    def monthly_names(self) -> tuple[str, ...]:
        """Names of what is billed by the month: components, and a rule by which credits wait."""
        waits = self.export.credit_rule() is not None
        return (*self.component_names, *((f"export.metering {self.export.metering}",) if waits else ()))

    def require_plain(self, name: str) -> None:
        """Raise ``ValueError``, in one line, if the tariff bills months, for whom cannot hold that."""
        if self.monthly_names:
            raise ValueError(
                f"tariff {name} has {' and '.join(self.monthly_names)}, which only solve, design, practice, allot,"
                " flow, export, validate, and simulate without --leader and --workers, can hold; give another tariff,"
                " or leave them out"
            )

    @model_validator(mode="after")
    def _periods_cover_the_day_once(self) -> "TariffTable":
        if self.periods:
            period_of_minute(self.periods)
        return self


def charge_names(table: type[TariffTable] = TariffTable) -> tuple[str, ...]:
    """Names of the charges that do not depend on use and have a table of their own."""
    return tuple(
        name
        for name, field in table.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, ChargeTable)
    )
