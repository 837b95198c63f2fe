"""The net load of every rate class among finitely many households, against the continuum."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.validation.expected import type_variance_kw2
from meanwatt.analysis.validation.replication import Replication, class_weights
from meanwatt.analysis.validation.scaling import Interval, pooled_ratio, root, scaling
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.mean_field.equilibrium import Equilibrium


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLoad:
    """The scatter of one rate class's net load about the continuum's, per household of the class.

    Attributes
    ----------
    name, share
        Of the class.
    sizes, households
        Numbers N of all households in which the class has some, and how many it has.
    rms
        RMS of the class's net load less the continuum's at its rounded shares, by size. [kW]
    expected_kw
        The same of independent households: √(Σ N_θ Var n_θ) / N_class.
    ratio
        Measured over expected, pooled over sizes.
    """

    name: str
    share: float
    sizes: tuple[int, ...]
    households: tuple[int, ...]
    rms: tuple[Interval, ...]
    expected_kw: tuple[float, ...]
    ratio: Interval


def class_loads(
    equilibrium: Equilibrium, sizes: Sequence[int], rows: Sequence[Sequence[Replication]], seed: int
) -> tuple[ClassLoad, ...]:
    """What the markets of every size show of each rate class; empty where one tariff holds for all."""
    tariff, economy = equilibrium.tariff, equilibrium.economy
    variance = type_variance_kw2(equilibrium)
    counts = [largest_remainder(economy.type_share, size) for size in sizes]
    places = np.array([tariff.class_index(one) for one in economy.types])
    found = []
    for place, one in enumerate(tariff.classes):
        number = [int(count[places == place].sum()) for count in counts]
        known = [k for k, many in enumerate(number) if many]
        if not known:
            continue
        expected = np.array([_expected_kw2(equilibrium, counts[k], variance, place) for k in known])
        measured = np.array([[run.class_scatter_kw2[place] for run in rows[k]] for k in known])
        fit = scaling(np.array([number[k] for k in known], dtype=np.float64), measured, seed=seed)
        found.append(
            ClassLoad(
                name=one.name,
                share=float(economy.type_share[places == place].sum()),
                sizes=tuple(sizes[k] for k in known),
                households=tuple(number[k] for k in known),
                rms=fit.rms,
                expected_kw=tuple(np.sqrt(expected).tolist()),
                ratio=root(pooled_ratio(measured, expected, seed=seed)),
            )
        )
    return tuple(found)


def _expected_kw2(equilibrium: Equilibrium, count: Any, variance: Floats, place: int) -> float:
    """Mean square of independent households of one class, over common states and slots. [kW²]"""
    weight = class_weights(equilibrium, count)[place]
    alone = np.tensordot(np.divide(weight**2, count, out=np.zeros_like(weight), where=count > 0), variance, axes=1)
    return float(equilibrium.economy.common.probability @ alone.mean(axis=1))


def class_loads_json(loads: Sequence[ClassLoad]) -> list[dict[str, Any]]:
    """The rows under ``rate_classes`` of ``validate --json``; lists are by size."""
    return [
        {
            "name": one.name,
            "share": one.share,
            "sizes": one.sizes,
            "households": one.households,
            "scatter_rms_kw": [rms.value for rms in one.rms],
            "scatter_rms_low": [rms.low for rms in one.rms],
            "scatter_rms_high": [rms.high for rms in one.rms],
            "expected_scatter_rms_kw": one.expected_kw,
            "rms_over_expected": asdict(one.ratio),
        }
        for one in loads
    ]
