"""What each move brings in each slot: use, net load and reward at given rates."""

from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.household.demand import best_use, utility_of_use, utility_usd_per_hour, wanted_use
from meanwatt.agents.household.envelope import BARRED_USD, BARRED_USD_PER_KWH, fill_limited_outcome
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.plans import best_plan, is_simple
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.split import UNLIMITED, SlotInputs, Split, Ties, curtailed_kw, split_by
from meanwatt.agents.household.storage import Choice
from meanwatt.agents.numerics.arrays import Floats, Ints, as_input, spread
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates, payment_usd, slot_payment


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlotOutcome:
    """Consequences of every move, use being the best answer to the rates. Arrays are (c, h, z, j) unless said.

    Attributes
    ----------
    moves : (j,) int
        Level changes.
    use_kw, net_load_kw
        Electricity use q and net load n = q − p + b, p being the sun used; positive n is bought. [kW]
    utility_usd, payment_usd
        Utility of use and payment to the leader per slot, fixed charge excluded. [USD]
    wear_usd : (j,) or (h, 1, j)
        Battery wear, and of an electric vehicle what a trip lacks. [USD]
    level_kwh
        Energy between two levels; 0 without a battery. [kWh]
    choice : Choice, optional
        Which moves are chosen among in each slot; without it all in every slot.
    curtailed_kw : optional
        Sun that is not used; None where all is. [kW]
    split : Split, optional
        How households part between plans where these may tie; the arrays above are then means over households.
    barred_usd : optional
        What a move counts that no use keeps within the household's envelope; None without one. [USD]
    """

    __repr__ = short_repr

    moves: Ints
    use_kw: Floats
    net_load_kw: Floats
    utility_usd: Floats
    payment_usd: Floats
    wear_usd: Floats
    level_kwh: float = 0.0
    choice: Choice | None = None
    curtailed_kw: Floats | None = None
    split: Split | None = None
    barred_usd: Floats | None = None

    def followed(self, probability: Floats) -> PolicyTable:
        """The policy table (c, h, e, z, j) of those who choose their moves with these probabilities."""
        return PolicyTable(
            moves=self.moves,
            probability=probability,
            net_load_kw=self.net_load_kw,
            use_kw=self.use_kw,
            curtailed_kw=self.curtailed_kw,
            split=self.split,
            choice=self.choice,
        )

    def mean_cost_usd(self, weight: Floats) -> float:
        """Expected wear, and of an electric vehicle what trips lack, of moves (c, h, z, j) with these weights. [USD]"""
        if self.wear_usd.ndim == 1:
            return float((weight.sum(axis=(0, 1, 2)) * self.wear_usd).sum())
        return float((weight * self.wear_usd).sum())

    @property
    def reward_usd(self) -> Floats:
        """Slot reward Δ·U(q) − wear − payment. (c, h, z, j) [USD]"""
        return self.utility_usd - self.payment_usd - self.wear_usd

    @property
    def valued_usd(self) -> Floats:
        """What moves are chosen by: the reward, what a tie not yet settled adds, what is barred. (c, h, z, j) [USD]"""
        valued = self.reward_usd if self.split is None else self.reward_usd + self.split.lead_usd
        return valued if self.barred_usd is None else valued - self.barred_usd

    @property
    def plans(self) -> Split:
        """Every plan with its share, as ``PolicyTable.plans``."""
        return self.split or Split.undivided(self.use_kw, self.net_load_kw, self.curtailed_kw)

    @property
    def imported_kw(self) -> Floats:
        """Mean of what is bought, n⁺. (c, h, z, j) [kW]"""
        if self.split is None:
            return np.maximum(self.net_load_kw, 0.0)
        return self.split.mean(np.maximum(self.split.net_load_kw, 0.0))

    @property
    def exported_kw(self) -> Floats:
        """Mean of what is sold, n⁻. (c, h, z, j) [kW]"""
        return self.imported_kw - self.net_load_kw


def slot_outcome(
    household: HouseholdType, rates: Rates, shock_levels: Floats, slot_hours: float, ties: Ties | None = None
) -> SlotOutcome:
    """Work out every move's consequences for one household type.

    Parameters
    ----------
    rates
        Import and export rate (c, h) that this type plans with, its discount applied.
    shock_levels : (z,)
        Factor on the reference load.
    slot_hours
        Length of a slot. [h]
    ties
        How households part where plans tie; without it all follow the first of the best.

    Raises
    ------
    ValueError
        If plans tie where an import costs a household more than its rate.
    """
    if household.import_adder_usd_per_kwh is not None:
        return _by_shock(household, rates, shock_levels, slot_hours, ties)
    day = household.storage_day(slot_hours)
    shape = (*household.reference_kw.shape, shock_levels.size, day.moves.size)
    bought, sold = (spread(rate, shape[:2]) for rate in (rates.import_usd_per_kwh, rates.export_usd_per_kwh))
    elasticity, flexibility = float(household.elasticity), float(household.flexibility)
    slots = SlotInputs(
        reference_kw=as_input(household.reference_kw),
        pv_kw=as_input(household.pv_kw),
        shock_levels=as_input(shock_levels),
        battery_kw=day.power_kw,
        import_usd_per_kwh=as_input(bought),
        export_usd_per_kwh=as_input(sold),
        demand=(elasticity, flexibility, float(household.reference_price_usd_per_kwh)),
        slot_hours=float(slot_hours),
        curtailable=bool(household.curtailable),
    )
    split, spilt, barred = None, None, None
    envelope = household.envelope
    if ties is None or not ties.where.any():
        use_kw, net_load_kw, utility, payment = np.empty((4, *shape))
        if envelope is None:
            fill_outcome(*slots, use_kw, net_load_kw, utility, payment)
        else:
            barred = np.empty(shape)
            fill_limited_outcome(*slots, envelope.limits_kw, use_kw, net_load_kw, utility, payment, barred)
        if household.curtailable and (envelope is not None or min(bought.min(), sold.min()) < 0):
            spilt = curtailed_kw(household.pv_kw, day.power_kw[:, None], use_kw, net_load_kw)
    else:
        split = split_by(slots, ties, UNLIMITED if envelope is None else envelope.limits_kw)
        use_kw, net_load_kw, spilt = map(split.mean, (split.use_kw, split.net_load_kw, split.curtailed_kw))
        utility = split.mean(_utility_usd(household, split.use_kw, shock_levels, slot_hours))
        payment = split.mean(_payment_usd(split.net_load_kw, bought, sold, slot_hours))
        if envelope is not None:
            beyond_kw = envelope.beyond_kw(net_load_kw)
            barred = np.where(beyond_kw > 0, BARRED_USD + BARRED_USD_PER_KWH * slot_hours * beyond_kw, 0.0)
    return SlotOutcome(
        moves=day.moves,
        use_kw=use_kw,
        net_load_kw=net_load_kw,
        utility_usd=utility,
        payment_usd=payment,
        wear_usd=day.cost_usd,
        level_kwh=day.level_kwh,
        choice=day.choice,
        curtailed_kw=spilt if spilt is not None and spilt.any() else None,
        split=split,
        barred_usd=barred if barred is not None and barred.any() else None,
    )


def _by_shock(
    household: HouseholdType, rates: Rates, shock_levels: Floats, slot_hours: float, ties: Ties | None
) -> SlotOutcome:
    """The same where the household sees another import rate in every shock."""
    if ties is not None and ties.where.any():
        raise ValueError(
            f"plans of {household.name} tie, and demand_charge.decision = ex_ante does not part them; give ignored"
        )
    plain = replace(household, import_adder_usd_per_kwh=None)
    parts = [
        slot_outcome(
            plain,
            Rates(import_usd_per_kwh=rate, export_usd_per_kwh=rates.export_usd_per_kwh),
            shock_levels[z : z + 1],
            slot_hours,
        )
        for z, rate in enumerate(np.moveaxis(import_rate_seen(household, rates)[..., 0], 2, 0))
    ]
    spilt = [np.zeros_like(part.use_kw) if part.curtailed_kw is None else part.curtailed_kw for part in parts]
    barred = [np.zeros_like(part.use_kw) if part.barred_usd is None else part.barred_usd for part in parts]
    return replace(
        parts[0],
        use_kw=np.concatenate([part.use_kw for part in parts], axis=2),
        net_load_kw=np.concatenate([part.net_load_kw for part in parts], axis=2),
        utility_usd=np.concatenate([part.utility_usd for part in parts], axis=2),
        payment_usd=np.concatenate([part.payment_usd for part in parts], axis=2),
        curtailed_kw=np.concatenate(spilt, axis=2) if any(part.curtailed_kw is not None for part in parts) else None,
        barred_usd=np.concatenate(barred, axis=2) if any(part.barred_usd is not None for part in parts) else None,
    )


def import_rate_seen(household: HouseholdType, rates: Rates) -> Floats:
    """Import rate that a household decides by, its own adder in it. (c, h, z or 1, 1) [USD/kWh]"""
    rate = rates.import_usd_per_kwh[:, :, None, None]
    adder = household.import_adder_usd_per_kwh
    return np.asarray(rate if adder is None else rate + adder[..., None])


def plan_reward_usd(
    household: HouseholdType, rates: Rates, split: Split, shock_levels: Floats, slot_hours: float
) -> Floats:
    """Reward of each plan of a split at given rates, wear left out. (c, h, z, j, plan) [USD]"""
    utility = _utility_usd(household, split.use_kw, shock_levels, slot_hours)
    seen = import_rate_seen(household, rates)[..., None]
    sold = rates.export_usd_per_kwh[:, :, None, None, None]
    return utility - payment_usd(split.net_load_kw, seen, sold, slot_hours)


def mean_reward_usd(
    household: HouseholdType, rates: Rates, policy: PolicyTable, shock_levels: Floats, slot_hours: float
) -> Floats:
    """Mean reward of each move of a table at given rates, whatever plans it goes with. (c, h, z, j) [USD]"""
    plans = policy.plans
    cost_usd = household.storage_day(slot_hours).cost_usd
    return plans.mean(plan_reward_usd(household, rates, plans, shock_levels, slot_hours)) - cost_usd


def mean_payment_usd(outcome: SlotOutcome, rates: Rates, slot_hours: float) -> Floats:
    """Mean payment of each move at rates other than those it was planned at. (c, h, z, j) [USD]"""
    plans = outcome.plans
    return plans.mean(_payment_usd(plans.net_load_kw, rates.import_usd_per_kwh, rates.export_usd_per_kwh, slot_hours))


def _utility_usd(household: HouseholdType, use_kw: Floats, shock_levels: Floats, slot_hours: float) -> Floats:
    reference_kw = household.reference_kw[:, :, None, None, None] * shock_levels[:, None, None]
    enjoyed = utility_usd_per_hour(
        use_kw,
        reference_kw,
        elasticity=household.elasticity,
        reference_price=household.reference_price_usd_per_kwh,
    )
    return slot_hours * enjoyed


def _payment_usd(net_load_kw: Floats, bought: Floats, sold: Floats, slot_hours: float) -> Floats:
    bought, sold = (rate[:, :, None, None, None] for rate in (bought, sold))
    return payment_usd(net_load_kw, bought, sold, slot_hours)


@compiled
def fill_outcome(  # noqa: PLR0913
    reference_kw: Floats,
    pv_kw: Floats,
    shock_levels: Floats,
    battery_kw: Floats,
    bought: Floats,
    sold: Floats,
    demand: tuple[float, float, float],
    slot_hours: float,
    curtailable: bool,
    use_kw: Floats,
    net_load_kw: Floats,
    utility: Floats,
    payment: Floats,
) -> None:
    """Best use of every move and what it brings, into arrays (c, h, z, j); ``demand`` is (ε, f, p0)."""
    elasticity, flexibility, reference_price = demand
    states, slots, shocks, count = use_kw.shape
    for c in range(states):
        for h in range(slots):
            simple = is_simple(pv_kw[c, h], bought[c, h], sold[c, h], curtailable)
            for z in range(shocks):
                reference = reference_kw[c, h] * shock_levels[z]
                if_buying = wanted_use(reference, bought[c, h], elasticity, flexibility, reference_price)
                if_selling = wanted_use(reference, sold[c, h], elasticity, flexibility, reference_price)
                for j in range(count):
                    if simple:
                        free = pv_kw[c, h] - battery_kw[h, j]
                        use = best_use(free, if_buying, if_selling)
                        net = use - free
                    else:
                        use, net = best_plan(
                            reference,
                            pv_kw[c, h],
                            battery_kw[h, j],
                            bought[c, h],
                            sold[c, h],
                            elasticity,
                            flexibility,
                            reference_price,
                            curtailable,
                        )
                    use_kw[c, h, z, j], net_load_kw[c, h, z, j] = use, net
                    utility[c, h, z, j] = slot_hours * utility_of_use(use, reference, elasticity, reference_price)
                    payment[c, h, z, j] = slot_payment(net, bought[c, h], sold[c, h], slot_hours)
