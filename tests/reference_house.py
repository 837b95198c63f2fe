"""The house whose bills PySAM computed: its load and its solar output in closed form."""

import numpy as np

HOUR = np.arange(8760)
OF_DAY, DAY = HOUR % 24, HOUR // 24
WEEKEND = DAY % 7 >= 5
LOAD_KWH = (
    0.45
    + 0.25 * np.exp(-0.5 * ((OF_DAY - 7.5) / 1.5) ** 2)
    + 0.95 * np.exp(-0.5 * ((OF_DAY - 19) / 2) ** 2)
    + 0.15 * np.cos(2 * np.pi * (DAY - 200) / 365)
    + 0.10 * WEEKEND
)
"""What the house uses in each hour. [kWh]"""
SOLAR_KWH = (
    3
    * np.maximum(np.sin(np.pi * (OF_DAY + 0.5 - 6) / 12), 0)
    * (0.75 + 0.25 * np.cos(2 * np.pi * (DAY - 172) / 365))
    * np.array([1, 0.9, 0.55, 1, 0.8, 0.95, 0.7])[DAY % 7]
)
"""What its roof generates in each hour. [kWh]"""
