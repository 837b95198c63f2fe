"""Bills of a day, from the meters at the realised rates."""

import itertools
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.market.day_kernel import ONE_THREAD_BELOW, QUANTUM_KWH
from meanwatt.model.market.population import Population
from meanwatt.model.market.visits import CHUNK

QUANTUM_USD: Final = 2.0**-36
"""Unit of the sums of bills: a day's bill is rounded to it before it is added, so that sums are exact; a chunk of
households can hold 100 million dollars. [USD]"""

_ENERGY_SCALE, _MONEY_SCALE = 1.0 / QUANTUM_KWH, 1.0 / QUANTUM_USD
_COUNTABLE: Final = 2.0**62
_TOO_LARGE: Final = -(2**63)
"""Stands for a sum of more quanta than a whole number of 64 bits counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """A day's bills and metered energy by household class, summed over its households. Axes: (type, cohort).

    Attributes
    ----------
    quanta : (3, type, cohort) object
        Bills in quanta of ``QUANTUM_USD``, energy imported and exported in quanta of ``QUANTUM_KWH``: Python's whole
        numbers, which have no end.
    """

    quanta: npt.NDArray[np.object_]

    def __add__(self, other: "Settled") -> "Settled":
        return Settled(quanta=self.quanta + other.quanta)

    @property
    def bill_usd(self) -> Floats:
        """Bills, standing charges included, (type, cohort). [USD]"""
        return np.asarray(self.quanta[0].astype(float) * QUANTUM_USD)

    @property
    def imported_kwh(self) -> Floats:
        """Energy of slots with net import, (type, cohort). [kWh]"""
        return np.asarray(self.quanta[1].astype(float) * QUANTUM_KWH)

    @property
    def exported_kwh(self) -> Floats:
        """Energy of slots with net export, counted positive, (type, cohort). [kWh]"""
        return np.asarray(self.quanta[2].astype(float) * QUANTUM_KWH)


def settle(
    population: Population,
    *,
    import_usd_per_kwh: Floats,
    export_usd_per_kwh: Floats,
    standing_charge_usd: Floats,
    threads: int = 1,
    executor: Executor | None = None,
) -> Settled:
    """Bill every household for the day and add the bill to its column.

    A slot costs r⁺ times the energy imported in it or earns r⁻ times the energy exported. Sums over households are
    sums of whole numbers, as in the day kernel: the same for any number of threads and any cut into chunks.

    Parameters
    ----------
    import_usd_per_kwh, export_usd_per_kwh : (type, slot)
        Rates after discount. [USD/kWh]
    standing_charge_usd : (type,)
        Charges of the day that do not depend on use. [USD]

    Raises
    ------
    ValueError
        If a sum of bills is too large to be counted in whole quanta.
    """
    chunks = population.visits.chunk_start
    classes = np.searchsorted(population.class_first, chunks[:-1], side="right") - 1
    class_type = population.class_type[classes]
    parts = np.zeros((len(class_type), 3), dtype=np.int64)
    shared = (population.energy_kwh, import_usd_per_kwh, export_usd_per_kwh, standing_charge_usd, population.bill_usd)
    if executor is None or threads == 1 or population.households < ONE_THREAD_BELOW:
        _bill(0, len(class_type), chunks, class_type, *shared, parts)
    else:
        edges = np.linspace(0, len(class_type), min(threads, len(class_type)) + 1).astype(int)
        jobs = [
            executor.submit(_bill, int(a), int(b), chunks, class_type, *shared, parts)
            for a, b in itertools.pairwise(edges)
        ]
        for job in jobs:
            job.result()
    if (parts[:, 0] == _TOO_LARGE).any():
        raise ValueError(
            f"the day's bills of up to {CHUNK} households come to more than {_COUNTABLE * QUANTUM_USD:.3g} USD, which"
            " cannot be counted; give fewer households, smaller loads or smaller prices"
        )
    total = np.zeros((population.class_count.size, 3), dtype=object)
    np.add.at(total, classes, parts.astype(object))
    return Settled(quanta=total.T.reshape(3, *population.class_count.shape))


@compiled
def _bill(  # noqa: PLR0913
    first: int,
    last: int,
    chunk_start: Ints,
    class_type: Ints,
    energy_kwh: Any,
    import_rate: Floats,
    export_rate: Floats,
    standing: Floats,
    bill: Floats,
    parts: Ints,
) -> None:
    """Bill the households of chunks ``first`` to ``last − 1``; fill parts (chunk, 3) with their sums in quanta."""
    slots = energy_kwh.shape[1]
    payment, imported, net = np.empty(slots), np.empty(slots, np.int64), np.empty(slots, np.int64)
    for chunk in range(first, last):
        bought_at, sold_at = import_rate[class_type[chunk]], export_rate[class_type[chunk]]
        for h in range(slots):
            imported[h], net[h] = 0, 0
        bills, size = np.int64(0), 0.0
        for household in range(chunk_start[chunk], chunk_start[chunk + 1]):
            meter = energy_kwh[household]
            for h in range(slots):  # vector code: no sum runs along the slots
                energy = np.float64(meter[h])
                quanta = np.int64(energy * _ENERGY_SCALE)
                imported[h] += max(quanta, np.int64(0))
                net[h] += quanta
                payment[h] = energy * (bought_at[h] if energy > 0 else sold_at[h])
            own = standing[class_type[chunk]]
            for h in range(slots):
                own += payment[h]
            size += abs(own)
            bill[household] += own
            bills += np.int64(np.rint(own * _MONEY_SCALE))
        parts[chunk, 0], parts[chunk, 1], parts[chunk, 2] = bills, 0, 0
        for h in range(slots):
            parts[chunk, 1] += imported[h]
            parts[chunk, 2] += imported[h] - net[h]
        if not size * _MONEY_SCALE < _COUNTABLE:
            parts[chunk, 0] = _TOO_LARGE
