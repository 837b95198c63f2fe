"""What meters would show under a tariff that was never posted, from those that were.

The forecast stands on one day metered, kind by kind of day, and moves it by what was learned of all others: registers
by a response matrix, the wholesale price and the emission rate by their slopes in load, all around that day. Where a
rate follows the wholesale price, rates and prices answer each other, and the forecast is where they come to rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.tariff import Recovery, Tariff, rates
from meanwatt.analysis.leader.metered_change import averaging
from meanwatt.analysis.learning.response_matrix import ResponseMatrix, fit_response

ROUNDS: Final = 25
"""Times that prices answer rates, twice in full and then by half: a slope of a price in its rate up to 3 rests."""
HALVINGS: Final = 20
"""Of the bracket of an adder that covers the cost."""
_KEPT: Final = (
    "import_usd_per_kwh",
    "export_usd_per_kwh",
    "imported_kw",
    "exported_kw",
    "wholesale_usd_per_kwh",
    "marginal_emissions_t_per_kwh",
    "volatility_usd_per_kwh",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeteredDays:
    """A reading averaged by kind of day.

    Attributes
    ----------
    weight : (c,)
        Share of the days metered that were of the kind; 0 where none was.
    values
        The fields of a reading that have a row for each day, by name: (c, …).
    """

    weight: Floats
    values: dict[str, Floats]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, for a journal."""
        return {"weight": self.weight.tolist(), **{name: value.tolist() for name, value in self.values.items()}}

    @property
    def net_load_kw(self) -> Floats:
        """Load of the mean household. (c, slot)"""
        return np.asarray((self.values["imported_kw"] - self.values["exported_kw"]).sum(axis=1))


def metered_days(reading: MeterReading, states: int) -> MeteredDays:
    """Average a reading by kind of day; zeros where none was metered."""
    average = averaging(reading, states)
    weight = np.zeros(states)
    np.add.at(weight, reading.common_state, reading.weight)
    return MeteredDays(
        weight=weight, values={name: np.tensordot(average, getattr(reading, name), axes=1) for name in _KEPT}
    )


def metered_days_of_json(entry: dict[str, Any]) -> MeteredDays:
    """Take up what `MeteredDays.to_json` made, to the last bit."""
    return MeteredDays(weight=np.array(entry["weight"]), values={name: np.array(entry[name]) for name in _KEPT})


class MeterForecast:
    """Forecasts readings around one that was metered.

    Parameters
    ----------
    today : (c,) int
        Day type of each common state, as the calendar says it.
    frame
        The reading of the tariff in force, for what does not change: customers, network cost, slots.
    around
        The days that the forecast stands on.
    others, weight
        All other days metered, and how much each tariff's count.
    """

    def __init__(
        self, today: Ints, frame: MeterReading, around: MeteredDays, others: Sequence[MeteredDays], weight: Floats
    ) -> None:
        self._today, self._frame, self._around = today, frame, around
        self._blocks = _blocks(frame)
        self._states = np.flatnonzero(around.weight > 0)
        rows = [
            (one, c, float(much * one.weight[c]))
            for one, much in zip(others, weight, strict=True)
            for c in self._states.tolist()
            if one.weight[c] > 0
        ]
        inputs = np.array([self._rates(one)[c] - self._rates(around)[c] for one, c, _ in rows])
        outputs = np.array([_registers(one)[c] - _registers(around)[c] for one, c, _ in rows])
        much = np.array([row[2] for row in rows])
        self._size = around.values["imported_kw"].shape[1:]
        count = 2 * len(self._blocks) * self._size[1]
        if rows:
            self.response = fit_response(inputs, outputs, much)
        else:
            nothing = np.zeros((2 * self._size[0] * self._size[1], count))
            self.response = ResponseMatrix(matrix=nothing, ridge=np.inf)
        self._price_slope, self._emission_slope = (
            self._slope(rows, name) for name in ("wholesale_usd_per_kwh", "marginal_emissions_t_per_kwh")
        )

    @property
    def net_load_response(self) -> Floats:
        """Change of net load in each slot (row) with the import rate in each (column). [kW per USD/kWh]"""
        accounts, slots = self._size
        matrix = self.response.matrix.reshape(2, accounts, slots, 2, len(self._blocks), slots)
        return np.asarray((matrix[0] - matrix[1]).sum(axis=0)[:, 0].sum(axis=1))

    def reading(self, tariff: Tariff) -> MeterReading:
        """What meters would show under a tariff, at its own adder where it has one."""
        if tariff.recovery is not Recovery.VOLUMETRIC:
            return self._reading(tariff, 0.0)
        low, high = 0.0, tariff.adder_cap_usd_per_kwh
        found = self._reading(tariff, low)
        if _margin(found) >= 0:
            return found
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            found = self._reading(tariff, middle)
            low, high = (middle, high) if _margin(found) < 0 else (low, middle)
        return found

    def _reading(self, tariff: Tariff, adder: float) -> MeterReading:
        base = self._around
        old = self._rates(base)
        registers = _registers(base)
        price = base.values["wholesale_usd_per_kwh"]
        for number in range(ROUNDS):
            posted = rates(tariff, self._today, price, adder)
            own = self._frame.own_rates(tariff, posted)
            bought = np.stack([one.import_usd_per_kwh for one in own], axis=1)
            sold = np.stack([one.export_usd_per_kwh for one in own], axis=1)
            new = self._means(bought, sold)
            metered = np.maximum(registers + self.response.change(new - old), 0.0).reshape(len(price), 2, *self._size)
            change = (metered[:, 0] - metered[:, 1]).sum(axis=1) - base.net_load_kw
            wanted = base.values["wholesale_usd_per_kwh"] + self._price_slope * change
            if np.abs(wanted - price).max() < 1e-9:
                break
            price = wanted if number < 2 else 0.5 * (price + wanted)
        seen = self._states
        emissions = base.values["marginal_emissions_t_per_kwh"] + self._emission_slope * change
        others = self._frame.other_charges(tariff)
        if others is None:
            others = self._frame.other_standing_usd_per_household_day
        restless = _volatility(price) - _volatility(base.values["wholesale_usd_per_kwh"])
        return replace(
            self._frame,
            tariff=tariff,
            common_state=seen,
            weight=base.weight[seen] / base.weight[seen].sum(),
            import_usd_per_kwh=bought[seen],
            export_usd_per_kwh=sold[seen],
            imported_kw=metered[seen, 0],
            exported_kw=metered[seen, 1],
            wholesale_usd_per_kwh=price[seen],
            marginal_emissions_t_per_kwh=emissions[seen],
            volatility_usd_per_kwh=np.maximum(base.values["volatility_usd_per_kwh"] + restless, 0.0)[seen],
            fixed_charge_usd_per_day=self._frame.charges(tariff, tariff.payer_charge_usd_per_day),
            other_standing_usd_per_household_day=others,
        )

    def _rates(self, days: MeteredDays) -> Floats:
        """Import rates and then export rates of the mean customer of each block. (c, 2 · block · slot)"""
        return self._means(days.values["import_usd_per_kwh"], days.values["export_usd_per_kwh"])

    def _means(self, bought: Floats, sold: Floats) -> Floats:
        """Means over the customers of each block of rates (c, account, slot). (c, 2 · block · slot)"""
        means = [np.einsum("cgh,g->ch", side, share) for side in (bought, sold) for share in self._blocks]
        return np.concatenate(means, axis=1)

    def _slope(self, rows: Sequence[tuple[MeteredDays, int, float]], name: str) -> float:
        """Slope of something metered by slot in the net load, by least squares on deviations; 0 where nothing moved."""
        base, above, below = self._around, 0.0, 0.0
        for one, c, much in rows:
            load = one.net_load_kw[c] - base.net_load_kw[c]
            above += much * float(load @ (one.values[name][c] - base.values[name][c]))
            below += much * float(load @ load)
        return max(above / below, 0.0) if below > 0 else 0.0


def _blocks(frame: MeterReading) -> list[Floats]:
    """Whose rates move together: shares (account,) in each rate class in force with households, of all without classes.

    The shares of a class are of its own customers.
    """
    if not frame.tariff.classes:
        return [frame.account_share]
    own = np.array([frame.tariff.class_index(customer) for customer in frame.customers])
    each = [np.where(own == place, frame.account_share, 0.0) for place in range(len(frame.tariff.classes))]
    return [share / share.sum() for share in each if share.any()]


def _registers(days: MeteredDays) -> Floats:
    """Both registers of all accounts, one after the other. (c, 2 · account · slot)"""
    both = np.stack([days.values["imported_kw"], days.values["exported_kw"]], axis=1)
    return both.reshape(len(both), -1)


def _volatility(price: Floats) -> Floats:
    """Mean |change| from slot to slot around each day. (c,)"""
    return np.asarray(np.abs(np.diff(price, axis=1, append=price[:, :1])).mean(axis=1))


def _margin(reading: MeterReading) -> float:
    return float(reading.weight @ reading.margin_usd_per_day)
