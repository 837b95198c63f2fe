"""The wholesale supply curve: what one more kWh costs when the average household draws x kW from the grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, read_only
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.short_repr import short_repr

POWERS = 4  # constant to cubic


@compiled
def piecewise(x: float, breaks: Floats, rows: Floats) -> float:
    """A polynomial between break points at x; row k holds the coefficients of piece k in rising powers."""
    piece, beyond = 0, breaks.size  # `np.searchsorted` of one number takes longer than all the rest
    while piece < beyond:
        middle = (piece + beyond) // 2
        if x < breaks[middle]:
            beyond = middle
        else:
            piece = middle + 1
    top = rows.shape[1] - 1
    value: float = rows[piece, top]
    for power in range(top - 1, -1, -1):
        value = rows[piece, power] + x * value
    return value


@compiled
def _piecewise(x: Floats, breaks: Floats, rows: Floats, out: Floats) -> None:
    for k in range(x.size):
        out[k] = piecewise(x[k], breaks, rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SupplyCurve:
    """A non-decreasing marginal cost, polynomial between break points.

    Build it with `polynomial` or `piecewise_linear`. Net load is in kW per household, so a cost rate is in USD per
    hour and household. All methods accept any shape and return the same shape.

    Attributes
    ----------
    breaks_kw : (break,) float
        Ascending net loads at which the formula changes; a break point belongs to the piece on its right. [kW]
    coefficients : (break + 1, 4) float
        Row k: the marginal cost of piece k in rising powers of the net load. [USD/kWh, USD/kWh per kW, …]
    emissions_t_per_kwh : (break + 1,) float
        Marginal emissions of piece k. [t/kWh]
    """

    __repr__ = short_repr

    breaks_kw: Floats
    coefficients: Floats
    emissions_t_per_kwh: Floats

    def __post_init__(self) -> None:
        """Keep read-only copies of a curve that never falls."""
        for name in ("breaks_kw", "coefficients", "emissions_t_per_kwh"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        pieces = len(self.breaks_kw) + 1
        if self.coefficients.shape != (pieces, POWERS):
            raise ValueError(f"coefficients have shape {self.coefficients.shape}; give ({pieces}, {POWERS})")
        if self.emissions_t_per_kwh.shape != (pieces,):
            raise ValueError(
                f"emissions_t_per_kwh has shape {self.emissions_t_per_kwh.shape}; give ({pieces},), one a segment"
            )
        for name in ("breaks_kw", "coefficients", "emissions_t_per_kwh"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} holds a number that is not finite; give finite numbers")
        if (np.diff(self.breaks_kw) <= 0).any():
            raise ValueError(f"breaks_kw are {self.breaks_kw.tolist()}; give them strictly ascending")
        if (self.emissions_t_per_kwh < 0).any():
            raise ValueError(f"emissions are {self.emissions_t_per_kwh.min() * 1000:g} t/MWh; give 0 or more")
        self._refuse_a_falling_curve()

    def _refuse_a_falling_curve(self) -> None:
        """Raise ValueError if the marginal cost falls anywhere."""
        edges = np.concatenate([[-np.inf], self.breaks_kw, [np.inf]])
        for piece, row in enumerate(self.coefficients):
            where = _falls_at(row, edges[piece], edges[piece + 1])
            if where is not None:
                raise ValueError(
                    f"supply curve falls with load near {where:.4g} kW; give a curve that never falls"
                    " (clamp_below_kw holds the price constant below a load)"
                )
        for place, left, right in zip(self.breaks_kw, self.coefficients[:-1], self.coefficients[1:], strict=True):
            below, above = (np.polynomial.polynomial.polyval(place, row) for row in (left, right))
            if above < below - 1e-9 * max(1.0, abs(below)):
                raise ValueError(
                    f"supply curve falls with load near {place:.4g} kW, from {below:.6g} to {above:.6g} USD/kWh;"
                    " give a curve that never falls"
                )

    @classmethod
    def polynomial(
        cls,
        coefficients: npt.ArrayLike,
        *,
        clamp_below_kw: float | None = None,
        floor_usd_per_kwh: float | None = None,
        emissions_t_per_kwh: float = 0.0,
    ) -> Self:
        """Marginal cost c0 + c1 x + c2 x² + c3 x³, held constant at low load.

        Parameters
        ----------
        coefficients : (power,) float
            One to four numbers, constant first. [USD/kWh, USD/kWh per kW, …]
        clamp_below_kw : float, optional
            Below this net load the price stays what it is there. [kW]
        floor_usd_per_kwh : float, optional
            Instead of a load: the price below which the curve does not go. [USD/kWh]
        emissions_t_per_kwh : float
            Marginal emissions, the same at every load. [t/kWh]

        Raises
        ------
        ValueError
            If there are not one to four coefficients, if both a load and a floor are given, or if the curve falls.
        """
        given = np.array(coefficients, dtype=float)
        if given.ndim != 1 or not 1 <= len(given) <= POWERS:
            raise ValueError(f"coefficients have shape {given.shape}; give one to four numbers, the constant first")
        if not np.isfinite(given).all():
            raise ValueError("coefficients hold a number that is not finite; give finite numbers")
        if clamp_below_kw is not None and floor_usd_per_kwh is not None:
            raise ValueError("clamp_below_kw and floor_usd_per_kwh are both given; give one of them")
        row = np.zeros(POWERS)
        row[: len(given)] = given
        if floor_usd_per_kwh is not None:
            clamp_below_kw = _where_it_rises_through(row, floor_usd_per_kwh)
        if clamp_below_kw is None:
            return cls(
                breaks_kw=np.zeros(0), coefficients=row[None], emissions_t_per_kwh=np.array([emissions_t_per_kwh])
            )
        held = np.zeros(POWERS)
        # the floor itself where it is given, so that no rounding of the root shows up in the price
        held[0] = (
            np.polynomial.polynomial.polyval(clamp_below_kw, row) if floor_usd_per_kwh is None else floor_usd_per_kwh
        )
        return cls(
            breaks_kw=np.array([clamp_below_kw]),
            coefficients=np.array([held, row]),
            emissions_t_per_kwh=np.full(2, emissions_t_per_kwh),
        )

    @classmethod
    def piecewise_linear(
        cls, net_load_kw: npt.ArrayLike, usd_per_kwh: npt.ArrayLike, *, emissions_t_per_kwh: npt.ArrayLike = 0.0
    ) -> Self:
        """Marginal cost interpolated between nodes; first and last price held outside them.

        Parameters
        ----------
        net_load_kw : (node,) float
            Strictly ascending, two or more. [kW]
        usd_per_kwh : (node,) float
            Never falling. [USD/kWh]
        emissions_t_per_kwh : float or (node - 1,) float
            Marginal emissions, one number or one a segment; the outermost hold outside. [t/kWh]

        Raises
        ------
        ValueError
            If the shapes differ, the nodes do not ascend, or the price falls.
        """
        nodes, prices = np.array(net_load_kw, dtype=float), np.array(usd_per_kwh, dtype=float)
        if nodes.ndim != 1 or len(nodes) < 2 or nodes.shape != prices.shape:
            raise ValueError(
                f"supply curve has {nodes.size} net_load_kw and {prices.size} usd_per_kwh;"
                " give the same number of both, two or more"
            )
        if not np.isfinite(nodes).all() or not np.isfinite(prices).all():
            raise ValueError("supply curve holds a node that is not finite; give finite numbers")
        if (np.diff(nodes) <= 0).any():
            raise ValueError(f"net_load_kw is {nodes.tolist()}; give it strictly ascending")
        given = np.array(emissions_t_per_kwh, dtype=float)
        if given.ndim and given.shape != (len(nodes) - 1,):
            raise ValueError(
                f"emissions have {given.size} numbers; give one, or {len(nodes) - 1}, one for each segment"
            )
        inner = np.broadcast_to(given, (len(nodes) - 1,))
        rows = np.zeros((len(nodes) + 1, POWERS))
        slope = np.diff(prices) / np.diff(nodes)
        rows[0, 0], rows[-1, 0] = prices[0], prices[-1]
        rows[1:-1, 0], rows[1:-1, 1] = prices[:-1] - slope * nodes[:-1], slope
        return cls(
            breaks_kw=nodes, coefficients=rows, emissions_t_per_kwh=np.concatenate([inner[:1], inner, inner[-1:]])
        )

    @property
    def is_affine(self) -> bool:
        """Whether one straight line is the whole curve (no clamp, no kink)."""
        return bool((self.coefficients == self.coefficients[0]).all() and (self.coefficients[:, 2:] == 0).all())

    @property
    def is_strictly_increasing(self) -> bool:
        """Whether the curve rises at every load from minus to plus infinity (a clamped curve does not)."""
        return self.rises_strictly_between(-np.inf, np.inf)

    def rises_strictly_between(self, low_kw: npt.ArrayLike, high_kw: npt.ArrayLike) -> bool:
        """Whether no two net loads in [low_kw, high_kw] have the same price, in each of the ranges given."""
        edges = np.concatenate([[-np.inf], self.breaks_kw, [np.inf]])
        met = (edges[1:] > np.asarray(low_kw)[..., None]) & (edges[:-1] < np.asarray(high_kw)[..., None])
        # a polynomial that never falls and is not constant rises strictly: its slope vanishes at single points only
        return bool((~met | (self.coefficients[:, 1:] != 0).any(axis=1)).all())

    def prices_at(self, net_load_kw: Sequence[float]) -> list[float]:
        """Marginal cost at a few net loads, without compiled code. [USD/kWh]"""
        pieces = np.searchsorted(self.breaks_kw, net_load_kw, side="right")
        return [
            float(np.polynomial.polynomial.polyval(x, self.coefficients[piece]))
            for x, piece in zip(net_load_kw, pieces, strict=True)
        ]

    def price(self, net_load_kw: npt.ArrayLike) -> Floats:
        """Marginal cost s(x). [USD/kWh]"""
        return self._at(net_load_kw, self.coefficients)

    def slope(self, net_load_kw: npt.ArrayLike) -> Floats:
        """Derivative s'(x); at a break point, that of the piece on the right. [USD/kWh per kW]"""
        return self._at(net_load_kw, self.slope_rows)

    def cost(self, net_load_kw: npt.ArrayLike) -> Floats:
        """Supply cost S(x) = ∫₀ˣ s, negative for x < 0 where s > 0. [USD per hour]"""
        return self._at(net_load_kw, self.cost_rows)

    @property
    def slope_rows(self) -> Floats:
        """Coefficients of s', (break + 1, 3). [USD/kWh per kW, …]"""
        return self.coefficients[:, 1:] * np.arange(1, POWERS)

    @property
    def cost_rows(self) -> Floats:
        """Coefficients of S, (break + 1, 5). [USD/h, USD/kWh, …]"""
        return self._integral(self.coefficients).copy()

    def marginal_emissions_t_per_kwh(self, net_load_kw: npt.ArrayLike) -> Floats:
        """Emissions of one more kWh. [t/kWh]"""
        x = np.asarray(net_load_kw, dtype=float)
        return self.emissions_t_per_kwh[np.searchsorted(self.breaks_kw, x, side="right")]

    def emissions_t(self, net_load_kw: npt.ArrayLike) -> Floats:
        """Emissions ∫₀ˣ of the marginal ones. [t per hour]"""
        constant = np.zeros_like(self.coefficients)
        constant[:, 0] = self.emissions_t_per_kwh
        return self._at(net_load_kw, self._integral(constant))

    def shifted_by_carbon(self, usd_per_t: float) -> Self:
        """Curve of the social marginal cost s + ``usd_per_t`` · marginal emissions. It may jump up between segments.

        Raises
        ------
        ValueError
            If the sum falls with load, because a dirtier segment comes before a cleaner one.
        """
        if not (np.isfinite(usd_per_t) and usd_per_t >= 0):
            raise ValueError(f"carbon price is {usd_per_t} USD/t; give a finite number, 0 or more")
        rows = np.array(self.coefficients)
        rows[:, 0] += usd_per_t * self.emissions_t_per_kwh
        try:
            return type(self)(breaks_kw=self.breaks_kw, coefficients=rows, emissions_t_per_kwh=self.emissions_t_per_kwh)
        except ValueError as error:
            raise ValueError(
                f"with carbon at {usd_per_t:g} USD/t the {error}; lower the carbon price"
                " or put the dirtier segments above the cleaner ones"
            ) from None

    def _at(self, net_load_kw: npt.ArrayLike, rows: Floats) -> Floats:
        """The piecewise polynomial with these rows at net loads of any shape."""
        x = np.array(net_load_kw, dtype=float, order="C")
        value = np.empty_like(x)
        _piecewise(x.reshape(-1), self.breaks_kw, np.array(rows), value.reshape(-1))
        return value

    def _integral(self, rows: Floats) -> Floats:
        """Coefficients of the integral from 0 of the piecewise polynomial with these rows (break + 1, power)."""
        return _integrated(self.breaks_kw.tobytes(), np.ascontiguousarray(rows).tobytes())


@lru_cache(maxsize=64)
def _integrated(breaks: bytes, rows: bytes) -> Floats:
    """As above, of the bytes of both: objectives ask for the same integral at every tariff that a search tries."""
    breaks_kw, powers = np.frombuffer(breaks), np.frombuffer(rows).reshape(-1, POWERS)
    primitive = np.concatenate([np.zeros((len(powers), 1)), powers / np.arange(1, POWERS + 1)], axis=1)
    # constants of integration that make neighbours meet at their break point, then F(0) = 0
    polyval = np.polynomial.polynomial.polyval
    left, right = (polyval(breaks_kw, side.T, tensor=False) for side in (primitive[:-1], primitive[1:]))
    constant = np.concatenate([[0.0], np.cumsum(left - right)])
    primitive[:, 0] = constant - constant[np.searchsorted(breaks_kw, 0.0, side="right")]
    primitive.setflags(write=False)
    return primitive


def _falls_at(row: Floats, left: float, right: float) -> float | None:
    """Net load in [left, right] near which the polynomial falls, or None."""
    slope = (row[1], 2 * row[2], 3 * row[3])
    turning = _real_roots(slope)
    # towards an infinite end the highest power decides; it changes sign from right to left if it is odd
    power = max((k for k in range(3) if slope[k] != 0), default=0)
    if np.isinf(right) and slope[power] < 0:
        return max([place for place in turning if place > left], default=left if np.isfinite(left) else 0.0)
    if np.isinf(left) and slope[power] * (-1) ** power < 0:
        return min([place for place in turning if place < right], default=right if np.isfinite(right) else 0.0)
    # in between the slope, a parabola, is least at an end or at its vertex, half-way between its roots
    places = [end for end in (left, right) if np.isfinite(end)]
    if slope[2] > 0 and len(turning) == 2 and left < sum(turning) / 2 < right:
        places.append(sum(turning) / 2)
    for place in places:
        terms = [slope[k] * place**k for k in range(3)]
        if sum(terms) < -1e-9 * sum(abs(term) for term in terms):
            return place
    return None


def _real_roots(polynomial: Sequence[float]) -> list[float]:
    """Real roots in ascending order, constant coefficient first; a coefficient that rounding swallows counts as 0."""
    largest = max(abs(value) for value in polynomial)
    kept = [value if abs(value) > 1e-15 * largest else 0.0 for value in polynomial]
    roots = np.atleast_1d(np.polynomial.Polynomial(kept).trim().roots())
    return sorted(float(root.real) for root in roots if abs(root.imag) <= 1e-9 * max(1.0, abs(root)))


def _where_it_rises_through(row: Floats, price: float) -> float:
    """Largest net load at which the polynomial equals ``price``; ValueError if there is none."""
    roots = _real_roots([row[0] - price, *row[1:]])
    if not roots:
        raise ValueError(
            f"floor_usd_per_kwh is {price:g}, a price the curve never has; give clamp_below_kw, or a higher floor"
        )
    return roots[-1]
