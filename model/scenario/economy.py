"""A scenario as arrays: the one source of numbers for the continuum and for the finite market."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.decision_problem import HeldDay, OneDay
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.split import Ties
from meanwatt.agents.numerics.arrays import Floats, read_only
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH, Component
from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.agents.tariff.components.discount_funding import DiscountFunding, FundedBy
from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.subscription import Subscription
from meanwatt.agents.tariff.rate_classes import with_classes
from meanwatt.agents.tariff.tariff import ExportRule, RateClass, Recovery, Tariff
from meanwatt.model.progress.machine import require_room
from meanwatt.model.scenario.branches import ADDER, classes_on_branches, with_branch_adders
from meanwatt.model.scenario.day_profiles import day_profiles
from meanwatt.model.scenario.envelopes import TAKERS
from meanwatt.model.scenario.household_types import household_types
from meanwatt.model.scenario.limits import SMALLER_GAME, policy_bytes
from meanwatt.model.scenario.loading import ScenarioError
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_classes import DEFAULT, members_of
from meanwatt.model.scenario.rate_tables import group_values, period_of_slot, rate_table, slots_within
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.supply import SupplyCurve
from meanwatt.model.scenario.tariff_file import TariffTable
from meanwatt.model.scenario.weather import CommonStates, common_states

__all__ = ["DAYS_PER_MONTH", "Economy", "build_economy", "build_rate_classes", "build_tariff"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Economy:
    """All that households, market and solvers need to know of a scenario.

    Attributes
    ----------
    scenario : Scenario
        Where the numbers come from.
    slots : int
        Slots per day.
    slot_hours : float
        Length of a slot. [h]
    common : CommonStates
        The weather chain.
    supply : SupplyCurve
        Marginal cost over net load per household, rest of the system included.
    rest_load_kw : (c, h) float
        Load of the rest of the system per household. [kW]
    shock_levels, shock_kernel, shock_probability : (z,), (z, z'), (z,) float
        The household's own chain; levels have mean one under the stationary law ``shock_probability``.
    types : tuple of HouseholdType
        Household types of positive share, by income group, then as in ``TECHNOLOGIES``. Shares sum to one.
    groups : tuple of str
        Income groups.
    group_share, group_income_usd_per_year : (group,) float
        Population share and gross income of each group.
    fixed_cost_usd_per_day : float
        Network cost K of a household. [USD/day]
    carbon_usd_per_t : float
        Social cost of carbon. [USD/t]
    one_day : OneDay, optional
        The single day that is all there is; None for days without end.
    held : tuple of HeldDay, optional
        For every type, the single day on which a leader deviates while all other days are held.
    ties : tuple of Ties, optional
        For every type, how households part where plans tie, while a solver looks for it.
    anchors : tuple of (c, h, e, z, j), optional
        For every type, the policy from which departures cost the temperature times their relative entropy, while a
        solver cools down; values follow the entropy rule then.
    """

    __repr__ = short_repr

    scenario: Scenario
    slots: int
    slot_hours: float
    common: CommonStates
    supply: SupplyCurve
    rest_load_kw: Floats
    shock_levels: Floats
    shock_kernel: Floats
    shock_probability: Floats
    types: tuple[HouseholdType, ...]
    groups: tuple[str, ...]
    group_share: Floats
    group_income_usd_per_year: Floats
    fixed_cost_usd_per_day: float
    carbon_usd_per_t: float
    one_day: OneDay | None = None
    held: tuple[HeldDay, ...] | None = None
    ties: tuple[Ties | None, ...] | None = None
    anchors: tuple[Floats, ...] | None = None

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        for name in (
            "rest_load_kw",
            "shock_levels",
            "shock_kernel",
            "shock_probability",
            "group_share",
            "group_income_usd_per_year",
        ):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def type_share(self) -> Floats:
        """Population share w of each household type, (θ,). Sums to one."""
        return np.array([household.share for household in self.types])

    @property
    def mean_reference_kw(self) -> Floats:
        """Reference load of the average household before solar, (c, h). [kW]"""
        return np.asarray(sum(household.share * household.reference_kw for household in self.types))

    @property
    def mean_use_kwh_per_day(self) -> float:
        """Expected reference use of the average household. [kWh/day]"""
        return float(self.common.probability @ self.mean_reference_kw.sum(axis=1)) * self.slot_hours

    @property
    def peak_reference_kw(self) -> float:
        """Largest `mean_reference_kw` of all common states and slots. [kW]"""
        return float(self.mean_reference_kw.max())


def build_economy(scenario: Scenario, *, on_branches: bool = False, opt_in: bool = False) -> Economy:
    """Turn a validated scenario into arrays.

    Parameters
    ----------
    on_branches
        Whether the caller divides household types by branch and envelope of the feeder afterwards, as
        `meanwatt.model.network.located_economy.build_located_economy` does; else a scenario with either is refused.
    opt_in
        Whether the caller can hold households of one type on a rate class that they chose; else a scenario where they
        may choose is refused.

    Returns
    -------
    Economy
        Lists are per slot, shares and probabilities sum to one to rounding. A type's reference load is
        ``use_kwh_per_day / 24 · use_factor · shape · load_factor`` (times ``adopter_multiplier`` with PV), its solar
        output ``pv_kw · pv_scale · shape_kw_per_kw · pv_factor``.
    """
    if not on_branches:
        require_undivided(scenario)
    if not opt_in:
        require_no_choice(scenario)
    require_room(policy_bytes(scenario), "the policies", SMALLER_GAME)
    slots = scenario.slots_per_day
    common = common_states(tuple(scenario.day_types), scenario.day_type_kernel_array(), scenario.memory)
    profiles = day_profiles(scenario)
    total = sum(group.share for group in scenario.income_groups.values())
    return Economy(
        scenario=scenario,
        slots=slots,
        slot_hours=scenario.slot_hours,
        common=common,
        supply=scenario.supply.curve(),
        rest_load_kw=profiles.rest_load_kw[common.today],
        shock_levels=np.array(scenario.shock.levels),
        shock_kernel=scenario.shock_kernel_array(),
        shock_probability=scenario.shock_law(),
        types=household_types(scenario, common),
        groups=tuple(scenario.income_groups),
        group_share=np.array([group.share for group in scenario.income_groups.values()]) / total,
        group_income_usd_per_year=np.array([group.income_usd_per_year for group in scenario.income_groups.values()]),
        fixed_cost_usd_per_day=scenario.fixed_cost_usd_per_month / DAYS_PER_MONTH,
        carbon_usd_per_t=scenario.carbon.usd_per_t,
        one_day=scenario.one_day.game(scenario.battery_levels) if scenario.one_day else None,
    )


def require_unlimited(scenario: Scenario) -> None:
    """Raise ``ScenarioError``, in one line, for a scenario with operating envelopes, for whom cannot hold them."""
    if scenario.feeder.envelopes:
        raise ScenarioError(
            f"scenario {scenario.name} has feeder.envelopes ({', '.join(scenario.feeder.envelopes)}), which only"
            f" {TAKERS} can hold; leave them out"
        )


def require_undivided(scenario: Scenario) -> None:
    """Raise ``ScenarioError``, in one line, for a scenario with branches or envelopes, for whom cannot hold them."""
    require_unlimited(scenario)
    require_unbranched(scenario)


def require_unbranched(scenario: Scenario) -> None:
    """Raise ``ScenarioError``, in one line, for a scenario with branches, for whom cannot hold them."""
    if scenario.feeder.branches:
        raise ScenarioError(
            f"scenario {scenario.name} has feeder.branches ({', '.join(scenario.feeder.branches)}), which only solve,"
            " simulate, pilot, practice, flow, emergence, validate, design, allot, export, study and hosting can hold,"
            " and in the app every page but Challenge; leave them out"
        )


def require_no_choice(scenario: Scenario) -> None:
    """Raise ``ScenarioError``, in one line, where households choose a rate class, for whom cannot hold that."""
    chosen = [name for name, table in scenario.rate_classes.items() if table.opt_in_share is not None]
    if chosen and scenario.has_rate_classes:
        raise ScenarioError(
            f"scenario {scenario.name}: rate_classes.{chosen[0]} has an opt_in_share, which only solve, adoption"
            " and allot can hold; leave it out, or put everybody on one tariff with --tariff"
        )


def build_tariff(scenario: Scenario, name: str | None = None, *, components: bool = False) -> Tariff:
    """Turn one of the scenario's tariffs into arrays over day types, slots and income groups.

    Parameters
    ----------
    name : str, optional
        Which tariff; the scenario's ``selected_tariff`` without it.
    components
        Whether the caller can hold tiers, demand charges and other components; else a tariff with one is refused.

    Raises
    ------
    ScenarioError
        If the scenario has no such tariff, if none is named and its households have several, or if it has components
        that cannot be held.
    """
    if name is None and scenario.has_rate_classes:
        raise ScenarioError(
            f"scenario {scenario.name} has rate_classes ({', '.join(scenario.rate_classes)}), and here one tariff holds"
            f" for all; put everybody on one tariff, e.g. --tariff {scenario.selected_tariff}"
        )
    name = scenario.selected_tariff if name is None else name
    if name not in scenario.tariffs:
        raise ScenarioError(f"scenario {scenario.name}: {unknown('tariff', name, scenario.tariffs)}")
    table = scenario.tariffs[name]
    if not components:
        try:
            table.require_plain(name)
        except ValueError as error:
            raise ScenarioError(f"scenario {scenario.name}: {error}") from None
    return tariff_of_table(scenario, name, table)


def tariff_of_table(scenario: Scenario, name: str, table: TariffTable) -> Tariff:
    """Turn a tariff's table into arrays over a scenario's day types, slots and income groups.

    Whether the caller can hold its components is the caller's to check.

    Raises
    ------
    ValueError
        In one line, if it names periods, days or groups that are not there, or leaves some out.
    """
    groups = tuple(scenario.income_groups)

    def rates(form: object, key: str) -> Floats:
        return rate_table(
            form,
            key=key,
            periods=table.periods,
            day_types=tuple(scenario.day_types),
            seasons=scenario.seasons,
            classes=scenario.day_classes,
            slots=scenario.slots_per_day,
        )

    tariff = Tariff(
        name=name,
        energy_usd_per_kwh=rates(table.energy_usd_per_kwh, "energy_usd_per_kwh"),
        export_usd_per_kwh=rates(table.export.usd_per_kwh, "export.usd_per_kwh"),
        pass_through=table.pass_through,
        export_pass_through=table.export.pass_through,
        export_rule=ExportRule(table.export.rule),
        recovery=Recovery(table.recovery),
        fixed_charge_usd_per_day=group_values(table.fixed_charge_usd_per_day, groups, "fixed_charge_usd_per_day"),
        fixed_charge_shape=group_values(table.fixed_charge_shape, groups, "fixed_charge_shape"),
        discount=group_values(table.discount, groups, "discount"),
        adder_cap_usd_per_kwh=table.adder_cap_usd_per_kwh,
        capped_at_import=table.export.capped_at_import,
        credit_rule=table.export.credit_rule(),
        standing_charges=table.standing_charges(),
        components=tuple(_component(table, one, rates, scenario.slots_per_day) for one in table.component_names),
        periods=tuple(period_of_slot(table.periods, scenario.slots_per_day)) if table.periods else (),
    )
    adders = {branch: rates(form, f"{ADDER}.{branch}") for branch, form in table.branch_adder_usd_per_kwh.items()}
    return with_branch_adders(scenario, tariff, adders) if adders else tariff


def _component(table: TariffTable, name: str, rates: Callable[[object, str], Floats], slots: int) -> Component:
    """One of a tariff's components, as arrays where it has any."""
    if name == "tiers":
        return table.tiers.component()
    if name == "demand_charge":
        charge = table.demand_charge
        return DemandCharge(
            usd_per_kw_month=charge.usd_per_kw_month,
            counted=np.array(slots_within(charge.window, slots)),
            decision=DemandView(charge.decision),
            window=charge.window,
            usd_per_kw_day=charge.usd_per_kw_day,
            demand_levels=charge.demand_levels,
        )
    if name == "minimum_bill":
        return MinimumBill(usd_per_month=table.minimum_bill.usd_per_month)
    if name == "subscription":
        form = table.subscription.usd_per_kwh
        return Subscription(
            posted_usd_per_kwh=rates(form, "subscription.usd_per_kwh"),
            contracted_share=table.subscription.contracted_share,
            form=form,
        )
    return DiscountFunding(by=FundedBy(table.discount_funding.by))


def build_rate_classes(scenario: Scenario, *, components: bool = False) -> Tariff:
    """Turn the tariffs in force into arrays, rate class by rate class, the default one first.

    Where everybody has the same tariff it is that one, as from `build_tariff`.

    Raises
    ------
    ScenarioError
        If there is no such tariff.
    """
    if not scenario.has_rate_classes:
        return build_tariff(scenario, components=components)
    tariff_of = {DEFAULT: scenario.selected_tariff, **{name: t.tariff for name, t in scenario.rate_classes.items()}}
    classes = [
        RateClass(name=name, tariff=build_tariff(scenario, tariff_of[name], components=components), members=members)
        for name, members in members_of(scenario).items()
    ]
    return with_classes(classes_on_branches(classes))
