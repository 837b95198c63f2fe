"""Ageing of an oil-filled transformer under a series of loadings, by the loading guide IEC 60076-7.

The guide's equations for varying load (IEC 60076-7:2018, clause 8.2.2, exponential form; the small-transformer
constants k11 = 1, k21 = 1, k22 = 2 and exponents x = 0.8, y = 1.6 of its tables for distribution transformers, ONAN):

* top oil over air: tends to Δθ_or ((1 + R K²)/(1 + R))^x with the time constant k11 τ_o,
* hot spot over top oil: tends to Δθ_hr K^y with the time constant k22 τ_w (with k21 = 1 the guide's second term is 0),
* hot spot θ_h = air + both; ageing rate V = 2^((θ_h − 98)/6) of normal paper, one at 98 °C,
  V = exp(15000/(110 + 273) − 15000/(θ_h + 273)) of thermally upgraded paper, one at 110 °C.

K is the loading, R the ratio of load losses at K = 1 to no-load losses. Loss of life is the integral of V over time.
"""

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, require_finite

OIL_EXPONENT: Final = 0.8
"""x of a distribution transformer."""
WINDING_EXPONENT: Final = 1.6
"""y of a distribution transformer."""
K11: Final = 1.0
K22: Final = 2.0
STEP_MINUTES: Final = 1.0
"""Longest step of the integral of the ageing rate; temperatures are exact at any step. [min]"""
LIMIT_CELSIUS: Final = 140.0
"""Hot spot above which gas bubbles may break the insulation down, and the guide's ageing rates no longer hold. [°C]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermal:
    """A transformer's thermal constants; the defaults are those of a distribution transformer with natural cooling.

    Parameters
    ----------
    ambient_celsius
        Temperature of the air. [°C]
    top_oil_rise_kelvin, hot_spot_rise_kelvin
        Rise of the top oil over the air, and of the hot spot over it, at rated load. [K]
    loss_ratio
        Load losses at rated load over no-load losses.
    oil_minutes, winding_minutes
        Time constants. [min]
    upgraded_paper
        Whether the paper is thermally upgraded.
    """

    ambient_celsius: float = 20.0
    top_oil_rise_kelvin: float = 55.0
    hot_spot_rise_kelvin: float = 23.0
    loss_ratio: float = 5.0
    oil_minutes: float = 180.0
    winding_minutes: float = 4.0
    upgraded_paper: bool = False

    def ageing_rate(self, hot_spot_celsius: Floats) -> Floats:
        """Ageing relative to that of a hot spot of 98 °C, or 110 °C with upgraded paper."""
        if self.upgraded_paper:
            return np.asarray(np.exp(15000 / (110 + 273) - 15000 / (hot_spot_celsius + 273)))
        return np.asarray(2.0 ** ((hot_spot_celsius - 98) / 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerAgeing:
    """How a transformer aged.

    Attributes
    ----------
    hours
        Time that is covered. [h]
    loss_of_life_hours
        Hours of ageing at the rated hot spot that do as much. [h]
    relative_ageing
        That over the time covered: 1 is the ageing for which it was built.
    hot_spot_max_celsius, top_oil_max_celsius
        Highest temperatures. [°C]
    hours_above_140_celsius
        Time with a hot spot for which the guide gives no ageing rate: the loss of life is then too low. [h]
    """

    hours: float
    loss_of_life_hours: float
    relative_ageing: float
    hot_spot_max_celsius: float
    top_oil_max_celsius: float
    hours_above_140_celsius: float

    def to_json(self) -> dict[str, float]:
        """Every attribute under its own name."""
        return asdict(self)

    @property
    def messages(self) -> tuple[str, ...]:
        """What is said of hours for which the guide gives no rate."""
        if not self.hours_above_140_celsius > 0:
            return ()
        return (
            f"transformer_ageing: the hottest spot was above {LIMIT_CELSIUS:g} °C for"
            f" {self.hours_above_140_celsius:.3g} h (up to {self.hot_spot_max_celsius:.0f} °C), where IEC 60076-7 gives"
            " no ageing rate; loss_of_life_hours and relative_ageing only say that it is overloaded.",
        )


def transformer_ageing(loading: npt.ArrayLike, slot_hours: float, thermal: Thermal) -> TransformerAgeing | None:
    """Follow temperatures and ageing over slots of constant loading; None without a slot.

    The first slot begins in the steady state of its loading, as the guide has it where nothing is known from before.

    Parameters
    ----------
    loading : (slot,) float
        Load over rated load, ≥ 0.
    slot_hours
        Length of a slot. [h]

    Raises
    ------
    ValueError
        If a loading is negative or not finite.
    """
    load = np.asarray(loading, dtype=np.float64)
    if load.size == 0:
        return None
    require_finite("loading", load)
    if (load < 0).any():
        raise ValueError(f"loading is {load.min():g} in slot {int(np.argmin(load))}; give numbers of 0 or more")
    steps = 2 * max(int(np.ceil(30 * slot_hours / STEP_MINUTES)), 1)
    minute = np.linspace(0.0, 60 * slot_hours, steps + 1)
    loss = (1 + thermal.loss_ratio * load**2) / (1 + thermal.loss_ratio)
    oil = _followed(thermal.top_oil_rise_kelvin * loss**OIL_EXPONENT, minute, K11 * thermal.oil_minutes)
    spot = _followed(thermal.hot_spot_rise_kelvin * load**WINDING_EXPONENT, minute, K22 * thermal.winding_minutes)
    top_oil = thermal.ambient_celsius + oil
    hot_spot = top_oil + spot
    simpson = np.full(steps + 1, 2.0)
    simpson[1::2], simpson[[0, -1]] = 4.0, 1.0
    weight = simpson * (slot_hours / steps / 3)
    lost = float((thermal.ageing_rate(hot_spot) @ weight).sum())
    hours = slot_hours * load.size
    return TransformerAgeing(
        hours=hours,
        loss_of_life_hours=lost,
        relative_ageing=lost / hours,
        hot_spot_max_celsius=float(hot_spot.max()),
        top_oil_max_celsius=float(top_oil.max()),
        hours_above_140_celsius=float(((hot_spot > LIMIT_CELSIUS) @ weight).sum()),
    )


def _followed(target: Floats, minute: Floats, constant: float) -> Floats:
    """Follow targets (slot,) with a time constant; the value at minutes of each slot, (slot, minute)."""
    left = np.exp(-minute / constant)
    start = np.empty(len(target))
    start[0] = target[0]
    for slot in range(1, len(target)):
        before = target[slot - 1]
        start[slot] = before + (start[slot - 1] - before) * left[-1]
    return np.asarray(target[:, None] + (start - target)[:, None] * left)
