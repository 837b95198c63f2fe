"""The inverse of the derivative in Newton's method for prices, corrected after every step.

Its inverse is reused with Broyden's rank-one correction while steps keep shrinking the residual, so that a solution
nearby costs a few evaluations of the population and no derivative at all. Where a matrix would be large,
`LoadEquation` gives the step without it, and the inverses of the common states' blocks, corrected alike, stand for the
inverse afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import inverse, solved
from meanwatt.model.mean_field.derivatives.price_product import LoadEquation, apply_blocks

FORCING = 0.03
"""Residual of a step found without the matrix, as a share of what it is to remove."""
BENDS = 40
"""Newton steps along the supply curve, which ask nobody,"""
BEND_ACCURACY = 1e-3
"""to this share of the gap that they are to close,"""
SHORTEST_BEND = 1e-3
"""and the part of one below which they are given up."""


class Inverse(Protocol):
    """The inverse of the derivative, corrected after every step."""

    def step(self, gap_kw: Floats) -> Floats:
        """The Newton step (c, h) that is to close a gap (c, h)."""

    def correct(self, moved: Floats, gap_change: Floats) -> None:
        """Take in how the gap changed over a step: Broyden's rank-one correction."""


class DenseInverse:
    """The inverse as a matrix; ``slope`` is what it inverts, ``bent`` betters the first step."""

    def __init__(self, slope: Floats, bent: Callable[[Floats, Floats], Floats] | None = None) -> None:
        self.slope, self._inverse, self._bent = slope, inverse(slope), bent

    def step(self, gap_kw: Floats) -> Floats:
        """As `Inverse.step`."""
        step = np.asarray(-self._inverse @ gap_kw.ravel()).reshape(gap_kw.shape)
        if self._bent is None:
            return step
        step, self._bent = self._bent(gap_kw, step), None
        return step

    def correct(self, moved: Floats, gap_change: Floats) -> None:
        """As `Inverse.correct`."""
        along, inverse = moved.ravel(), self._inverse
        seen = inverse @ gap_change.ravel()
        inverse += np.outer(along - seen, along @ inverse) / (along @ seen)


def step_along(
    by_price: Floats, gap_kw: Floats, first: Floats, curve: Callable[[Floats], tuple[Floats, Floats]]
) -> Floats:
    """Step d with d + gap − ∂L/∂λ·(s(x + d) − s(x)) = 0, by damped Newton steps from ``first``, or that.

    ``curve`` is s(x + d) − s(x) and s'(x + d), both (c, h).
    """

    def left(step: Floats) -> Floats:
        return (step + gap_kw).ravel() - by_price @ curve(step)[0].ravel()

    step, missing = first, left(first)
    for _ in range(BENDS):
        size = np.abs(missing).max()
        if size <= BEND_ACCURACY * np.abs(gap_kw).max():
            return step
        newton = solved(np.eye(len(by_price)) - by_price * curve(step)[1].ravel(), -missing)
        length = 1.0
        while length >= SHORTEST_BEND:
            there = step + length * newton.reshape(step.shape)
            missing = left(there)
            if np.abs(missing).max() <= (1 - 0.1 * length) * size:
                break
            length *= 0.5
        else:
            return first
        step = there
    return first


@dataclass(slots=True, eq=False)
class BlockInverse:
    """The exact equation, where there is one, for the first step; else the blocks' inverses with their corrections."""

    blocks: Floats
    equation: LoadEquation | None = None
    corrections: list[tuple[Floats, Floats]] = field(default_factory=list)

    def step(self, gap_kw: Floats) -> Floats:
        """As `Inverse.step`."""
        if self.equation is None:
            return -self._times(gap_kw)
        found = self.equation.solve(-gap_kw, FORCING)
        self.equation = None  # and with it the policies it was made of
        return found

    def correct(self, moved: Floats, gap_change: Floats) -> None:
        """As `Inverse.correct`."""
        seen = self._times(gap_change)
        across = apply_blocks(self.blocks.transpose(0, 2, 1), moved)
        for left, right in self.corrections:
            across = across + (moved * left).sum() * right
        self.corrections.append(((moved - seen) / (moved * seen).sum(), across))

    def _times(self, load_kw: Floats) -> Floats:
        product = apply_blocks(self.blocks, load_kw)
        for left, right in self.corrections:
            product = product + left * (right * load_kw).sum()
        return product
