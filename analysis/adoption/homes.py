"""Homes that may own solar and storage: what they own today, what that costs, and what it saves under a tariff."""

from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.household.envelope import Envelope
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.adoption.worth import Worth, annuity_years, life_years, worth
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.population_response import PopulationResponse, population_response
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load
from meanwatt.model.scenario.household_types import household_types
from meanwatt.model.scenario.rate_classes import opted_in
from meanwatt.model.scenario.rate_tables import group_values
from meanwatt.model.scenario.technologies import TECHNOLOGIES, Technology, battery_of, technology_shares, vehicle_of

PARTS = ("solar", "battery")
"""What a technology may be made of; a vehicle is no part, it is kept whatever is decided."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Homes:
    """The households of a scenario as they decide. Axes: income group, technology.

    Attributes
    ----------
    economy
        With today's shares.
    technologies
        Those that somebody may own. Where a rate class may be chosen they come twice: without it, then with it.
    chosen : (technology,) bool
        Whether the rate class open to such homes is chosen.
    pools : (technology,) int
        Alternatives to one another have the same number: 1 with an electric vehicle, 0 without.
    today : (group, technology)
        Share of each group that owns a technology; rows sum to one.
    offered : (group, technology) bool
        Whether it can be owned at all.
    part_usd : (part, group, technology)
        Capital cost of the `PARTS` before subsidy, today. [USD]
    """

    __repr__ = short_repr

    economy: Economy
    technologies: tuple[Technology, ...]
    chosen: Bools
    pools: Ints
    today: Floats
    offered: Bools
    part_usd: Floats

    @property
    def envelope(self) -> Envelope | None:
        """The operating envelope that holds everybody, adopters to come included; None without."""
        return self.economy.types[0].envelope

    @property
    def names(self) -> tuple[str, ...]:
        """Name of every technology, and whether the rate class was chosen."""
        return tuple(
            f"{one.name} (opted in)" if chosen else one.name
            for one, chosen in zip(self.technologies, self.chosen, strict=True)
        )

    @property
    def apart(self) -> int:
        """How far in the order a technology with the rate class chosen is from the same without."""
        return int((~self.chosen).sum())

    def opted_share(self, share: Floats) -> float:
        """Part of all homes that chose a rate class, where groups own technologies in shares (group, technology)."""
        return float(self.economy.group_share @ share[:, self.chosen].sum(axis=1))

    @property
    def part_lifetime_years(self) -> Floats:
        """Lifetime of each part. (part,) [years]"""
        table = self.economy.scenario.adoption
        return np.array([table.solar_lifetime_years, table.battery_lifetime_years])

    @property
    def life_years(self) -> Floats:
        """Life of each technology, 0 where nothing was bought. (group, technology) [years]"""
        return life_years(self.part_usd, self.part_lifetime_years)

    @property
    def solar(self) -> Ints:
        """Places of the technologies with solar."""
        return np.flatnonzero([technology.solar for technology in self.technologies])

    @property
    def storage(self) -> Ints:
        """Places of the technologies with a home battery."""
        return np.flatnonzero([technology.storage is battery_of for technology in self.technologies])

    def solar_share(self, share: Floats) -> float:
        """Part of all homes that have solar, where groups own technologies in shares (group, technology)."""
        return float(self.economy.group_share @ share[:, self.solar].sum(axis=1))

    def storage_share(self, share: Floats) -> float:
        """Part of all homes that have a home battery."""
        return float(self.economy.group_share @ share[:, self.storage].sum(axis=1))

    def by_group(self, key: str) -> Floats:
        """A number of the ``[adoption]`` table for every income group. (group,)"""
        return group_values(getattr(self.economy.scenario.adoption, key), self.economy.groups, f"adoption.{key}")

    def economy_at(self, share: Floats) -> Economy:
        """The economy where groups own technologies in other shares (group, technology)."""
        names = [technology.name for technology in self.technologies[: self.apart]]
        plain = share[:, ~self.chosen]
        owners = plain + share[:, self.chosen] if self.chosen.any() else plain
        part = np.divide(owners - plain, owners, out=np.zeros_like(owners), where=owners > 0)
        shares, opted = ([dict(zip(names, row, strict=True)) for row in own.tolist()] for own in (owners, part))
        types = household_types(self.economy.scenario, self.economy.common, shares, opted)
        if self.envelope is not None:
            types = tuple(replace(household, envelope=self.envelope) for household in types)
        return replace(self.economy, types=types)

    def none_own(self) -> Floats:
        """Shares where nobody has solar or a home battery, rate classes chosen as today. (group, technology)"""
        bare = np.zeros_like(self.today)
        for pool in np.unique(self.pools):
            for chosen in np.unique(self.chosen):
                inside = (self.pools == pool) & (self.chosen == chosen)
                bare[:, self.base(pool) + chosen * self.apart] = self.today[:, inside].sum(axis=1)
        return bare

    def all_own(self, fitted: Floats) -> Floats:
        """Shares where everybody has one of the technologies a group has, in the proportions given."""
        full = fitted.copy()
        for pool in np.unique(self.pools):
            inside, base = self.pools == pool, self.base(pool)
            mass = fitted[:, inside].sum(axis=1, keepdims=True)
            owners = fitted.copy()
            owners[:, base :: self.apart] = 0.0  # with and without a rate class chosen
            total = owners[:, inside].sum(axis=1, keepdims=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                full[:, inside] = np.where(total > 0, owners[:, inside] * mass / total, fitted[:, inside])
        return full

    def base(self, pool: int) -> int:
        """Place of the alternative with neither solar nor home battery."""
        bare = [k for k, t in enumerate(self.technologies) if not t.solar and t.storage is not battery_of]
        return next(k for k in bare if self.pools[k] == pool)

    def worth(self, saving_usd_per_year: Floats, subsidy_share: Floats, cost_factor: float = 1.0) -> Worth:
        """What every technology is worth. (group, technology)

        What the rate class chosen saves beside the same technology without it counts for
        ``adoption.rate_choice_years``, and not for the technology's life.

        Parameters
        ----------
        subsidy_share : (group,)
            Share of the capital cost that others pay.
        cost_factor
            Capital cost over today's.
        """
        paid = cost_factor * self.part_usd * (1 - subsidy_share)[None, :, None]
        rate = self.by_group("discount_rate_per_year")
        found = worth(saving_usd_per_year, paid, self.part_lifetime_years, rate)
        if not self.chosen.any():
            return found
        plain, chosen = ~self.chosen, self.chosen
        extra = saving_usd_per_year[:, chosen] - saving_usd_per_year[:, plain]
        npv = found.npv_usd.copy()
        counted = annuity_years(rate[:, None], self.economy.scenario.adoption.rate_choice_years)
        npv[:, chosen] = npv[:, plain] + counted * extra
        return replace(found, npv_usd=npv)


def homes_of(economy: Economy) -> Homes:
    """The households of a scenario as they decide.

    Raises
    ------
    ValueError
        In one line, if envelopes hold some homes otherwise than others: what a roof is worth there would tell homes
        apart that here are one.
    """
    scenario = economy.scenario
    if limits_load(economy.types) and len({one.place for one in economy.types}) > 1:
        raise ValueError(
            f"feeder.envelopes ({', '.join(scenario.feeder.envelopes)}) do not hold all homes alike, and adoption tells"
            " them apart by income and technology, not by where they stand; give one envelope without buses and branch,"
            " which holds everybody, or leave them out"
        )
    groups = scenario.income_groups.values()
    owned = [technology_shares(scenario, group) for group in groups]
    driven = any(row[t.name] > 0 for row in owned for t in TECHNOLOGIES if t.storage is vehicle_of)
    kept = tuple(t for t in TECHNOLOGIES if driven or t.storage is not vehicle_of)
    today = np.array([[row[t.name] for t in kept] for row in owned])
    choices = opted_in(scenario)
    open_to = np.array([[choices.get((t.name, g), ("", 0.0))[1] for t in kept] for g in range(len(groups))])
    may, chosen = np.ones(today.shape, dtype=bool), np.zeros(len(kept), dtype=bool)
    if choices:
        may = np.hstack([may, [[(t.name, g) in choices for t in kept] for g in range(len(groups))]])
        kept, chosen = (*kept, *kept), np.concatenate([chosen, ~chosen])
        today = np.hstack([today * (1 - open_to), today * open_to])
    solar_kw = np.array([group.pv_kw * scenario.pv_scale for group in groups])[:, None] * [t.solar for t in kept]
    battery_kwh = np.array([scenario.battery.capacity_kwh * (t.storage is battery_of) for t in kept])
    pools = np.array([int(t.storage is vehicle_of) for t in kept])
    roofs = (solar_kw > 0) | ~np.array([t.solar for t in kept])
    driving = today[:, pools == 1].sum(axis=1, keepdims=True) > 0
    table = scenario.adoption
    return Homes(
        economy=economy,
        technologies=kept,
        chosen=chosen,
        pools=pools,
        today=today / today.sum(axis=1, keepdims=True),
        offered=((today > 0) | (roofs & ((pools == 0) | driving))) & may & (economy.group_share > 0)[:, None],
        part_usd=np.stack(
            [
                table.solar_usd_per_kw * solar_kw,
                np.broadcast_to(table.battery_usd_per_kwh * battery_kwh, solar_kw.shape),
            ]
        ),
    )


@dataclass(slots=True)
class Savings:
    """What every technology takes off the bill at an equilibrium; each call begins where the one before ended."""

    homes: Homes
    _before: PopulationResponse | None = None

    def __call__(self, found: Equilibrium, tariff: Tariff, watch: Watch) -> Floats:
        """Yearly saving of a household by each technology, NaN where it cannot be owned. (group, technology) [USD/yr]

        One household more or less does not move prices: both bills are at the rates of the equilibrium, as those who
        own and do not own the technology answer them. The bill without is that of a household that uses as much as the
        owner does (`LoadTable.adopter_multiplier`), on the rate class of those without
        who chose none. With a rate class chosen it is what both save together.
        """
        homes = self.homes
        candidates = self._candidates()
        probe = replace(homes.economy, types=tuple(candidates.values()))
        told = population_response(
            probe, tariff, found.wholesale_usd_per_kwh, found.adder_usd_per_kwh, start=self._before, check=watch.check
        )
        self._before = told
        standing = tariff.standing_usd_per_day(found.fixed_charge_usd_per_day, probe.types)
        bill = dict(zip(candidates, (told.payment_usd_per_day + standing).tolist(), strict=True))
        saving = np.full(homes.today.shape, np.nan)
        for group, technology in np.argwhere(homes.offered).tolist():
            without = bill[group, technology, "without"]
            saving[group, technology] = DAYS_PER_YEAR * (without - bill[group, technology, "with"])
        return saving

    def _candidates(self) -> dict[tuple[int, int, str], HouseholdType]:
        """A household with each technology, and the same one without."""
        homes, found = self.homes, dict[tuple[int, int, str], HouseholdType]()
        even = homes.offered / np.maximum(homes.offered.sum(axis=1, keepdims=True), 1)
        names = [technology.name for technology in homes.technologies[: homes.apart]]
        for owner in homes.economy_at(even).types:
            k = names.index(owner.technology) + (homes.apart if owner.rate_class else 0)
            base = homes.technologies[homes.base(int(homes.pools[k]))]
            storage = base.storage(homes.economy.scenario) if base.storage else None
            bare = replace(
                owner,
                technology=base.name,
                pv_kw=np.zeros_like(owner.pv_kw),
                pv_installed_kw=0.0,
                battery=storage,
                rate_class="",
            )
            found[owner.group, k, "with"], found[owner.group, k, "without"] = owner, bare
        return found
