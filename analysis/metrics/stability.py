"""Stability: how much the wholesale price and the load move from slot to slot.

Two forms of each number. In the mean field arrays are (common state, slot) and the expectation runs over the states'
probabilities and, at midnight, over the common kernel. A realised series is (day, slot), days in a row.

References
----------
.. [1] M. Roozbehani, M. A. Dahleh, S. K. Mitter, "Volatility of Power Grids Under Real-Time Pricing", IEEE
   Transactions on Power Systems 27(4), 1926–1940, 2012, doi:10.1109/TPWRS.2012.2195037.
"""

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, require_shape
from meanwatt.analysis.metrics.averages import numbers, positive_mean, shares

KERNEL_TOLERANCE = 1e-6
"""How far a row of the common kernel may be from summing to one."""


def expected_imv(
    wholesale_usd_per_kwh: npt.ArrayLike, probability: npt.ArrayLike, common_kernel: npt.ArrayLike
) -> float:
    """Incremental mean volatility E|λ_{t+1} − λ_t|, the midnight step included [1]_. [USD/kWh]

    IMV = (1/T) Σ_c p_c (Σ_{h<T−1} |λ[c,h+1] − λ[c,h]| + Σ_c' P(c'|c) |λ[c',0] − λ[c,T−1]|), a mean per slot step:
    compare only series with slots of the same length.

    Parameters
    ----------
    wholesale_usd_per_kwh : (common state, slot) float
        Wholesale price λ. [USD/kWh]
    probability : (common state,) float
        Stationary law p of the common state.
    common_kernel : (c, c') float
        P(tomorrow's state | today's); rows sum to one.

    Returns
    -------
    float
        ≥ 0; zero for a price that never moves.
    """
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(common state, slot)")
    step, chance = _expected_steps(price, probability, common_kernel)
    return float(chance @ np.abs(step))


def expected_imv_log(
    wholesale_usd_per_kwh: npt.ArrayLike, probability: npt.ArrayLike, common_kernel: npt.ArrayLike
) -> float | None:
    """Log form E|ln λ_{t+1} − ln λ_t| of `expected_imv`, or None if any price is ≤ 0. [-]"""
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(common state, slot)")
    if (price <= 0).any():
        return None
    return expected_imv(np.log(price), probability, common_kernel)


def realised_imv(wholesale_usd_per_kwh: npt.ArrayLike) -> float | None:
    """Mean |λ_{t+1} − λ_t| along a series (day, slot), midnights between days included. [USD/kWh]

    None for a series of one slot in all, which has no step.
    """
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(day, slot)")
    return None if price.size < 2 else float(np.abs(np.diff(price.ravel())).mean())


def realised_imv_log(wholesale_usd_per_kwh: npt.ArrayLike) -> float | None:
    """Log form of `realised_imv`, or None if any price is ≤ 0. [-]"""
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(day, slot)")
    return None if (price <= 0).any() else realised_imv(np.log(price))


def mean_wholesale_usd_per_kwh(wholesale_usd_per_kwh: npt.ArrayLike, probability: npt.ArrayLike | None = None) -> float:
    """Mean price over slots and rows (row, slot), not weighted by energy. [USD/kWh]"""
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(row, slot)")
    return float(shares(probability, len(price), name="probability") @ price.mean(axis=1))


def peak_to_average(net_load_kw: npt.ArrayLike, probability: npt.ArrayLike | None = None) -> float | None:
    """Largest load over the mean load, max_{c,h} L / E[L], ≥ 1; None if E[L] ≤ 0. [-]

    Parameters
    ----------
    net_load_kw : (row, slot) float
        Net load of the mean household; rows are common states or days. [kW]
    probability : (row,) float, optional
        Weights of the rows; None weighs all alike. A row of weight 0 never happens and makes no peak.
    """
    load = numbers("net_load_kw", net_load_kw, "(row, slot)")
    share = shares(probability, len(load), name="probability")
    mean = positive_mean(load.ravel(), np.repeat(share / load.shape[1], load.shape[1]))
    # a flat load's mean may exceed its peak by a rounding
    return None if mean is None else max(1.0, float(load[share > 0].max()) / mean)


def load_factor(net_load_kw: npt.ArrayLike, probability: npt.ArrayLike | None = None) -> float | None:
    """Mean load over the largest load, E[L] / max_{c,h} L, in (0, 1]; None if E[L] ≤ 0. [-]

    The reciprocal of `peak_to_average`, whose parameters it shares.
    """
    ratio = peak_to_average(net_load_kw, probability)
    return None if ratio is None else 1.0 / ratio


def expected_maximal_ramp_kw_per_hour(
    net_load_kw: npt.ArrayLike, probability: npt.ArrayLike, common_kernel: npt.ArrayLike, *, slot_hours: float
) -> float:
    """Fastest change of the load, up or down, that can happen: max |L_{t+1} − L_t| / Δ, ≥ 0. [kW per hour]

    Parameters
    ----------
    net_load_kw : (common state, slot) float
        Net load of the mean household. [kW]
    probability, common_kernel
        As in `expected_imv`; a step of probability 0, at midnight too, does not count.
    slot_hours
        Length of a slot Δ. [h]
    """
    load = numbers("net_load_kw", net_load_kw, "(common state, slot)")
    step, chance = _expected_steps(load, probability, common_kernel)
    return float(np.abs(step[chance > 0]).max()) / _positive_hours(slot_hours)


def realised_maximal_ramp_kw_per_hour(net_load_kw: npt.ArrayLike, *, slot_hours: float) -> float | None:
    """Fastest change of the load, up or down, along a series (day, slot), midnights included. [kW per hour]

    None for a series of one slot in all, which has no step.
    """
    load = numbers("net_load_kw", net_load_kw, "(day, slot)")
    hours = _positive_hours(slot_hours)
    return None if load.size < 2 else float(np.abs(np.diff(load.ravel())).max()) / hours


def _positive_hours(slot_hours: float) -> float:
    """The length of a slot; ValueError unless positive."""
    if not slot_hours > 0:
        raise ValueError(f"slot_hours is {slot_hours}; give a positive number, e.g. 24 / slots")
    return slot_hours


def _expected_steps(values: Floats, probability: npt.ArrayLike, common_kernel: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Every step a (c, h) array can take and its chance per slot; both (step,), the chances sum to one."""
    states, slots = values.shape
    share = shares(probability, states, name="probability")
    kernel = numbers("common_kernel", common_kernel, "(c, c')")
    require_shape("common_kernel", kernel, (states, states), "(today, tomorrow)")
    bad = (kernel < 0).any(axis=1) | (np.abs(kernel.sum(axis=1) - 1) > KERNEL_TOLERANCE)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"common_kernel row {row} is {kernel[row].tolist()}; give probabilities of 0 or more that sum to 1"
        )
    within = np.diff(values, axis=1)
    midnight = values[None, :, 0] - values[:, None, -1]
    step = np.concatenate([within.ravel(), midnight.ravel()])
    chance = np.concatenate([np.repeat(share, slots - 1), (share[:, None] * kernel).ravel()]) / slots
    return step, chance
