"""What a bill needs to know of the months before."""

from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.settlement import Credits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carried:
    """What a bill needs to know of the months before.

    Parameters
    ----------
    credits
        Credits that wait.
    peaks_kw : one (customer, month, period) for each demand charge
        Peaks of those months, for ratchets. [kW]
    charged_usd : (customer,)
        What counts towards the annual minimum since January. [USD]
    """

    __repr__ = short_repr

    credits: Credits
    peaks_kw: tuple[Floats, ...]
    charged_usd: Floats


def rows_of(carried: Carried | None, rows: slice) -> Carried | None:
    """Of some customers."""
    if carried is None:
        return None
    waiting = carried.credits
    return replace(
        carried,
        credits=Credits(usd=waiting.usd[rows], kwh=waiting.kwh[rows], total_kwh=waiting.total_kwh[rows]),
        peaks_kw=tuple(peaks[rows] for peaks in carried.peaks_kw),
        charged_usd=carried.charged_usd[rows],
    )


def join_carried(parts: list[Carried]) -> Carried:
    """Of customers that were billed apart."""
    return Carried(
        credits=Credits(
            usd=np.concatenate([part.credits.usd for part in parts]),
            kwh=np.concatenate([part.credits.kwh for part in parts]),
            total_kwh=np.concatenate([part.credits.total_kwh for part in parts]),
        ),
        peaks_kw=tuple(np.concatenate(peaks) for peaks in zip(*(part.peaks_kw for part in parts), strict=True)),
        charged_usd=np.concatenate([part.charged_usd for part in parts]),
    )
