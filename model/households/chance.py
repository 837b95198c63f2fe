"""A home's own chance: how far an hour's use is from what the home uses at such hours, and how long that lasts."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.households.hourly import Hours

BOUNDS: Final = (0.6, 1.2)
"""Where little, middling and much use part, relative to the home's mean of the month and hour."""
LEVELS: Final = len(BOUNDS) + 1
_CELLS: Final = 12 * 24


@dataclass(slots=True)
class Chance:
    """Counts of a home's levels and of what follows them an hour later."""

    hours: Floats = field(default_factory=lambda: np.zeros(LEVELS))
    sums: Floats = field(default_factory=lambda: np.zeros(LEVELS))
    moves: Floats = field(default_factory=lambda: np.zeros((LEVELS, LEVELS)))

    def add(self, hours: Hours, counted: Bools) -> None:
        """Count the hours of homes that count."""
        whole = counted[hours.code] & (hours.sums[:, 0] > 0)
        kw = (hours.sums[:, 1] - hours.sums[:, 4]) / np.where(hours.sums[:, 0] > 0, hours.sums[:, 0], 1.0)
        month = (hours.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)) % 12
        cell = (hours.code * 12 + month) * 24 + hours.hour
        size = (int(hours.code.max()) + 1) * _CELLS if len(hours.code) else 0
        times = np.bincount(cell[whole], minlength=size)
        mean = np.bincount(cell[whole], kw[whole], minlength=size) / np.maximum(times, 1)
        usable = whole & (mean[cell] > 0) & (kw >= 0) if size else whole
        ratio = np.where(usable, kw / np.where(mean[cell] > 0, mean[cell], 1.0), 0.0) if size else kw
        level = np.searchsorted(BOUNDS, ratio)
        self.hours += np.bincount(level[usable], minlength=LEVELS)
        self.sums += np.bincount(level[usable], ratio[usable], minlength=LEVELS)
        follows = usable[1:] & usable[:-1] & (np.diff(hours.code) == 0) & (np.diff(hours.instant) == 1)
        pair = level[:-1][follows] * LEVELS + level[1:][follows]
        self.moves += np.bincount(pair, minlength=LEVELS**2).reshape(LEVELS, LEVELS)

    def chain(self) -> tuple[Floats, Floats] | None:
        """Levels of mean 1 under the stationary law, and their kernel; None if too little was read."""
        if (self.hours < 1).any() or (self.moves.sum(axis=1) < 1).any() or (self.moves < 1).any():
            return None
        kernel = self.moves / self.moves.sum(axis=1, keepdims=True)
        law = np.linalg.matrix_power(kernel, 4096)[0]
        levels = self.sums / self.hours
        return levels / float(law @ levels), kernel
