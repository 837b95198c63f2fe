"""How an error falls with the number of households: slope, floor, and their intervals by resampling replications.

Replications share their random draws across numbers of households (a larger market contains the smaller one), so they
are resampled as a whole.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr, stdtrit

from meanwatt.agents.numerics.arrays import Floats

RESAMPLES: Final = 2000
CONFIDENCE: Final = 0.95
REWEIGHTINGS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its 95 % interval; None where replications or sizes are too few to tell."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How a root mean square error depends on the number of households.

    Attributes
    ----------
    rms : tuple of Interval
        For each number of households.
    slope : Interval
        Of log RMS over log N, weighted by the replications' precision; −1/2 for independent households.
    floor_squared : Interval
        f² of the weighted fit RMS² = a²/N + f²; negative where the error falls faster than that.
    floor : float or None
        √max(f², 0); 0 where the interval of f² contains 0 (no floor is seen); None without an interval.
    """

    rms: tuple[Interval, ...]
    slope: Interval
    floor_squared: Interval
    floor: float | None


def scaling(households: Floats, mean_square: Floats, *, seed: int) -> Scaling:
    """Fit the law of an error.

    Parameters
    ----------
    households : (size,)
        Numbers of households N.
    mean_square : (size, replication)
        Mean square error of each replication.
    seed
        Key of the resampling.

    Notes
    -----
    Intervals are bootstrap percentiles over replications, widened from normal to t quantiles with the factor
    √(R/(R − 1)), which corrects their shortness with few replications (T. C. Hesterberg, *The American Statistician*
    69(4), 2015, section 5.3, "expanded percentile").
    """
    sizes, replications = mean_square.shape
    mean = mean_square.mean(axis=1)
    weight = _log_weights(mean_square)
    slope = _slope(households, mean[None], weight)
    squared = _floor_squared(households, mean[None])
    if replications < 2:
        rms = tuple(Interval(value=float(np.sqrt(m))) for m in mean)
        return Scaling(rms=rms, slope=_alone(slope), floor_squared=_alone(squared), floor=None)
    resampled = _resampled(mean_square, seed)
    roots = np.sqrt(resampled)
    return Scaling(
        rms=tuple(_interval(np.sqrt(mean[k]), roots[:, k], replications) for k in range(sizes)),
        slope=_fitted(slope, _slope(households, resampled, weight), replications),
        floor_squared=(found := _fitted(squared, _floor_squared(households, resampled), replications)),
        floor=_floor(found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Falling:
    """How the mean of a distance depends on the number of households.

    Attributes
    ----------
    mean : tuple of Interval
        For each number of households.
    slope : Interval
        Of log mean over log N, weighted by the replications' precision.
    """

    mean: tuple[Interval, ...]
    slope: Interval


def falling(households: Floats, distance: Floats, *, seed: int) -> Falling:
    """Fit a power law to the mean of a distance (size, replication); intervals as in `scaling`."""
    mean, weight = distance.mean(axis=1), _log_weights(distance)
    slope = _slope(households, mean[None], weight)
    slope = None if slope is None else 2 * slope  # `_slope` is that of the root
    replications = distance.shape[1]
    if replications < 2:
        return Falling(mean=tuple(Interval(value=float(m)) for m in mean), slope=_alone(slope))
    resampled = _resampled(distance, seed)
    again = _slope(households, resampled, weight)
    return Falling(
        mean=tuple(_interval(mean[k], resampled[:, k], replications) for k in range(len(mean))),
        slope=_fitted(slope, None if again is None else 2 * again, replications),
    )


def pooled_ratio(measured: Floats, expected: Floats, *, seed: int) -> Interval:
    """Measured over expected mean, pooled over sizes in logarithms with the replications' precision.

    Parameters
    ----------
    measured : (size, replication)
        Positive numbers.
    expected : (size,)
        Their expectations by theory; positive.
    """
    weight = _log_weights(measured)
    weight = weight / weight.sum()

    def pooled(mean: Floats) -> Floats:
        return np.asarray(np.exp(np.log(mean / expected) @ weight))

    if not (measured.mean(axis=1) > 0).all() or not (expected > 0).all():
        return Interval(value=None)
    value = float(pooled(measured.mean(axis=1)[None])[0])
    replications = measured.shape[1]
    if replications < 2:
        return Interval(value=value)
    return _interval(value, pooled(_resampled(measured, seed)), replications)


def paired_ratio(top: Floats, bottom: Floats, *, seed: int) -> Interval:
    """Mean of ``top`` over mean of ``bottom``, both (replication,) and resampled together; None where that is 0."""
    if not (bottom > 0).all():
        return Interval(value=None)
    value = float(top.mean() / bottom.mean())
    if len(top) < 2:
        return Interval(value=value)
    samples = _resampled(np.array([top, bottom]), seed)
    return _interval(value, samples[:, 0] / samples[:, 1], len(top))


def root(interval: Interval) -> Interval:
    """Interval of the square root; negative ends count as 0."""
    ends = (interval.value, interval.low, interval.high)
    value, low, high = (None if end is None else float(np.sqrt(max(end, 0.0))) for end in ends)
    return Interval(value=value, low=low, high=high)


def mean_interval(values: Floats, *, seed: int) -> Interval:
    """Mean of independent numbers (replication,) with its interval; both as in `scaling`."""
    if len(values) < 2:
        return Interval(value=float(values.mean()))
    return _interval(float(values.mean()), _resampled(values[None], seed)[:, 0], len(values))


def power_slope(households: Floats, error: Floats) -> float | None:
    """Slope of log |error| over log N by least squares.

    None with fewer than two errors at different N, and where errors change sign: there is no power law then.
    """
    known = error != 0
    if len(set(households[known].tolist())) < 2 or len(set(np.sign(error[known]).tolist())) > 1:
        return None
    return float(np.polyfit(np.log(households[known]), np.log(np.abs(error[known])), 1)[0])


def _resampled(values: Floats, seed: int) -> Floats:
    """Means of values (size, replication) over resampled replications, (sample, size)."""
    replications = values.shape[1]
    draw = np.random.default_rng(np.random.SeedSequence(seed)).integers(replications, size=(RESAMPLES, replications))
    return np.asarray(values[:, draw].mean(axis=2).T)


def _floor(squared: Interval) -> float | None:
    if squared.value is None or squared.low is None or squared.high is None:
        return None
    return 0.0 if squared.low <= 0 <= squared.high else float(np.sqrt(max(squared.value, 0.0)))


def _log_weights(mean_square: Floats) -> Floats:
    """Precision of log RMS by size, from the scatter of the replications; all alike where that tells nothing."""
    sizes, replications = mean_square.shape
    if replications >= 2:
        mean = mean_square.mean(axis=1)
        variance = mean_square.var(axis=1, ddof=1)
        if (variance > 0).all():
            return np.asarray(4 * replications * mean**2 / variance)
    return np.ones(sizes)


def _slope(households: Floats, mean_square: Floats, weight: Floats) -> Floats | None:
    """Weighted slope of log RMS over log N for each row (sample, size)."""
    if len(set(households.tolist())) < 2 or not (mean_square > 0).all():
        return None
    share = weight / weight.sum()
    x = np.log(households) - share @ np.log(households)
    return np.asarray(0.5 * np.log(mean_square) @ (share * x) / (share @ x**2))


def _floor_squared(households: Floats, mean_square: Floats) -> Floats | None:
    """f² of RMS² = a²/N + f² for each row (sample, size).

    Weighted least squares with a variance proportional to the squared expectation, as averages of squares have it; the
    expectation is taken from the fit before.
    """
    if len(set(households.tolist())) < 2 or not (mean_square > 0).all():
        return None
    x = 1.0 / households
    expected = mean_square
    for _ in range(REWEIGHTINGS):
        weight = expected**-2
        total = weight.sum(axis=1, keepdims=True)
        mean_x = (weight * x).sum(axis=1, keepdims=True) / total
        mean_y = (weight * mean_square).sum(axis=1, keepdims=True) / total
        spread = (weight * (x - mean_x) ** 2).sum(axis=1, keepdims=True)
        squared_a = (weight * (x - mean_x) * (mean_square - mean_y)).sum(axis=1, keepdims=True) / spread
        squared_f = mean_y - squared_a * mean_x
        expected = np.maximum(squared_a * x + squared_f, 0.1 * mean_square)
    return np.asarray(squared_f[:, 0])


def _alone(estimate: Floats | None) -> Interval:
    return Interval(value=None if estimate is None else float(estimate[0]))


def _fitted(estimate: Floats | None, samples: Floats | None, replications: int) -> Interval:
    if estimate is None or samples is None:
        return _alone(estimate)
    return _interval(float(estimate[0]), samples, replications)


def _interval(value: float, samples: Floats, replications: int) -> Interval:
    """Expanded percentile interval around an estimate."""
    t = stdtrit(replications - 1, (1 - CONFIDENCE) / 2)
    tail = float(ndtr(np.sqrt(replications / (replications - 1)) * t))
    low, high = np.quantile(samples, [tail, 1 - tail])
    return Interval(value=float(value), low=float(low), high=float(high))
