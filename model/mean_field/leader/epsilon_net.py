"""The ε-net of a tariff family: a regular grid over the box of its parameters, as a finite menu for a leader.

Distances are largest differences over the parameters, each as a share of its range, so that dollars and pass-through
weigh alike. A net of covering radius ε has a member within ε of every point of the box; an objective that changes by
at most Λ per unit of distance then loses at most Λ·ε by keeping to the net.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only, require_finite, require_shape

LARGEST = 4096
"""Members of a net at most; every one costs a leader at least one equilibrium."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpsilonNet:
    """Points of a grid over a box; all of them, or those beside what a leader wants to see more closely.

    Attributes
    ----------
    low, high : (parameter,)
        Bounds of the box.
    steps : (parameter,) int
        Intervals that the grid cuts each range into; 0 holds the parameter in the middle.
    index : (member, parameter) int
        Place of each member on the grid, 0 … steps, no member twice.
    """

    low: Floats
    high: Floats
    steps: Ints
    index: Ints

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        for name in ("low", "high"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        for name in ("steps", "index"):
            whole = np.array(getattr(self, name), dtype=np.int64)
            whole.setflags(write=False)
            object.__setattr__(self, name, whole)

    def __len__(self) -> int:
        """Members."""
        return len(self.index)

    @property
    def share(self) -> Floats:
        """Members as shares of the ranges, each in [0, 1]. (member, parameter)"""
        return np.where(self.steps > 0, self.index / np.maximum(self.steps, 1), 0.5)

    @property
    def parameters(self) -> Floats:
        """Members in the parameters' own units. (member, parameter)"""
        return self.low + self.share * (self.high - self.low)

    @property
    def spacing(self) -> Floats:
        """Distance of neighbours on the grid, in own units; the whole range where there is one. (parameter,)"""
        return (self.high - self.low) / np.maximum(self.steps, 1)

    @property
    def epsilon(self) -> float:
        """Covering radius ε, half of the widest spacing as a share of its range.

        Of the whole box for a whole grid; of the cells around the members for one that `halved` made.
        """
        share = np.where(self.high > self.low, 1 / np.maximum(self.steps, 1), 0.0)
        return float(share.max() / 2)

    def halved(self, keep: npt.ArrayLike) -> "EpsilonNet":
        """A net of half the spacing around some members: they and all their new neighbours, within the box.

        Parameters
        ----------
        keep : (kept,) int
            Which members; all of them give the whole finer grid.

        Raises
        ------
        ValueError
            If ``keep`` is empty or names no member, or if the finer net has more than ``LARGEST`` members.
        """
        kept = np.asarray(keep, dtype=np.int64)
        if kept.size == 0 or kept.min() < 0 or kept.max() >= len(self):
            raise ValueError(f"keep is {kept.tolist()}; give indices of members, from 0 to {len(self) - 1}")
        beside = np.array(list(product(*((-1, 0, 1) if n else (0,) for n in self.steps))))
        finer = 2 * self.steps
        places = (2 * self.index[kept][:, None] + beside).reshape(-1, len(finer))
        inside = ((places >= 0) & (places <= finer)).all(axis=1)
        index = np.unique(places[inside], axis=0)
        _require_room(len(index), f"{len(kept)} members and their neighbours")
        return EpsilonNet(low=self.low, high=self.high, steps=finer, index=index)


def epsilon_net(
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    points: int | Sequence[int] | None = None,
    *,
    spacing: float | Sequence[float] | None = None,
) -> EpsilonNet:
    """Regular grid over a box, bounds included.

    Parameters
    ----------
    low, high : (parameter,)
        Bounds of the box.
    points
        Points per parameter, one number for all or one for each; a single point is the middle of the range.
    spacing
        Instead of ``points``, the widest spacing allowed, in the parameters' own units.

    Returns
    -------
    EpsilonNet
        Members in lexicographic order. Grids with n and 2n − 1 points are nested, so their best member only improves.

    Raises
    ------
    ValueError
        If the box is not one, the grid is empty or has more than ``LARGEST`` points, or not exactly one of ``points``
        and ``spacing`` is given.

    Notes
    -----
    A grid of cell centres would have a smaller radius for the same number of points; the bounds are kept because
    leaders often end at them (a price cap), and because nested grids make errors comparable.
    """
    bottom, top = np.atleast_1d(np.asarray(low, dtype=float)), np.atleast_1d(np.asarray(high, dtype=float))
    if bottom.ndim != 1 or bottom.size == 0:
        raise ValueError(f"low has shape {bottom.shape}; give one bound for each parameter, at least one")
    require_shape("high", top, bottom.shape, "(parameter,)")
    require_finite("low", bottom)
    require_finite("high", top)
    crossed = np.flatnonzero(bottom > top)
    if crossed.size:
        k = int(crossed[0])
        raise ValueError(f"low is {bottom[k]:g} and high is {top[k]:g} at parameter {k}; give low <= high")
    if (points is None) == (spacing is None):
        raise ValueError("give either points or spacing of the net, and not both")
    if points is not None:
        intervals = _per_parameter("points", points, bottom.shape, 1) - 1
    else:
        widest = _per_parameter("spacing", spacing, bottom.shape, 0)
        intervals = np.ceil((top - bottom) / widest - 1e-9)  # a spacing that divides the range, but for rounding, does
    steps = np.where(top > bottom, intervals, 0).astype(np.int64)
    _require_room(float(np.prod(steps + 1.0)), " x ".join(str(n + 1) for n in steps))
    index = np.array(list(product(*(range(n + 1) for n in steps))), dtype=np.int64)
    return EpsilonNet(low=bottom, high=top, steps=steps, index=index)


def lipschitz(net: EpsilonNet, table: npt.ArrayLike) -> float:
    """Largest slope of an objective between members of a net: an estimate, from below, of its Lipschitz constant.

    Parameters
    ----------
    table : (member,) * states
        Objective where member k_s is posted in state s of the leader; one axis for each state.

    Returns
    -------
    float
        max |J(k) − J(k')| / max_s distance(k_s, k'_s), in the unit of the objective per range; 0 for one member.
    """
    worth = np.asarray(table, dtype=float)
    require_shape("table", worth, (len(net),) * worth.ndim, "one axis for each state")
    members = np.indices(worth.shape).reshape(worth.ndim, -1)
    share, flat = net.share[members], worth.ravel()  # (state, choice, parameter), (choice,)
    steepest = 0.0
    for place, value in enumerate(flat[:-1]):
        far = np.abs(share[:, place + 1 :] - share[:, place, None]).max(axis=(0, 2))
        slopes = np.abs(flat[place + 1 :] - value) / far
        steepest = max(steepest, float(slopes.max()))
    return steepest


def _per_parameter(name: str, given: object, shape: tuple[int, ...], least: int) -> Floats:
    """One number for each parameter, whole and at least 1 for points, positive for a spacing."""
    values = np.asarray(given, dtype=float)
    values = np.full(shape, float(values)) if values.ndim == 0 else values
    require_shape(name, values, shape, "(parameter,)")
    good = (values >= 1) & (values == np.floor(values)) if least else (values > 0) & np.isfinite(values)
    if not good.all():
        k = int(np.argmin(good))
        allowed = "whole numbers of at least 1" if least else "positive numbers"
        raise ValueError(f"{name} is {values[k]:g} at parameter {k}, which leaves the net empty; give {allowed}")
    return values


def _require_room(members: float, made_of: str) -> None:
    """Refuse a net that nobody could solve."""
    if members > LARGEST:
        raise ValueError(
            f"a net of {made_of} has {members:,.0f} members, allowed are {LARGEST:,};"
            " give fewer points, a wider spacing or fewer free parameters"
        )
