"""Where the sun stands: the equations of NOAA's solar calculator, good to a minute of time and a quarter of a degree.

pvlib and astral compute the same to more digits; checks of a meter's clock need none of them, nor a dependency.
"""

from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints

MINUTES_PER_DAY: Final = 1440
_DAYS_FROM_1970_TO_2000: Final = 10957.5


def _angles(minute: Ints) -> tuple[Floats, Floats]:
    """Declination [rad] and equation of time [min] at minutes since 1970 in UTC (Meeus, low accuracy)."""
    century = (np.asarray(minute) / MINUTES_PER_DAY - _DAYS_FROM_1970_TO_2000) / 36525
    mean_longitude = np.radians((280.46646 + 36000.76983 * century) % 360)
    anomaly = np.radians(357.52911 + 35999.05029 * century)
    eccentricity = 0.016708634 - 0.000042037 * century
    centre = np.radians(
        (1.914602 - 0.004817 * century) * np.sin(anomaly)
        + 0.019993 * np.sin(2 * anomaly)
        + 0.000289 * np.sin(3 * anomaly)
    )
    longitude = mean_longitude + centre - np.radians(0.00569)
    tilt = np.radians(23.4393 - 0.01300 * century)
    declination = np.arcsin(np.sin(tilt) * np.sin(longitude))
    y = np.tan(tilt / 2) ** 2
    equation = (
        y * np.sin(2 * mean_longitude)
        - 2 * eccentricity * np.sin(anomaly)
        + 4 * eccentricity * y * np.sin(anomaly) * np.cos(2 * mean_longitude)
        - 0.5 * y**2 * np.sin(4 * mean_longitude)
        - 1.25 * eccentricity**2 * np.sin(2 * anomaly)
    )
    return declination, 4 * np.degrees(equation)


def after_solar_noon(minute: Ints, longitude: float) -> Floats:
    """Minutes by which instants are after the sun's highest point of their day; from -720 to 720.

    Parameters
    ----------
    minute
        Minutes since 1970 in UTC.
    longitude
        East is positive. [degrees]
    """
    _, equation = _angles(minute)
    solar = np.asarray(minute) + 4 * longitude + equation
    return (solar % MINUTES_PER_DAY) - MINUTES_PER_DAY / 2


def sun_elevation(minute: Ints, latitude: float, longitude: float) -> Floats:
    """Height of the sun above the horizon, without refraction. [degrees]"""
    declination, _ = _angles(minute)
    hour_angle = np.radians(after_solar_noon(minute, longitude) / 4)
    north = np.radians(latitude)
    sine = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(hour_angle)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1, 1))))
