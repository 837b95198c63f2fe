"""A year of hourly loads on the built-in rural feeder, half of its homes with 5 kW of solar: ``year.csv``."""

import numpy as np
import pandas as pd

from meanwatt.model.network.feeder import build_feeder

feeder = build_feeder("lv_rural", peak_reference_kw=1.4)
rng = np.random.default_rng(0)
hour = np.arange(8760)
of_day, season = hour % 24, np.cos((hour / 24 - 172) / 365 * 2 * np.pi)
sun = np.clip(np.sin((of_day - 6) / 12 * np.pi), 0, None) * (0.6 + 0.4 * season)
use = 0.5 + 0.4 * np.exp(-(((of_day - 19) / 3) ** 2))
homes = np.flatnonzero(feeder.p_kw > 0)
load_kw = use[:, None] * rng.uniform(0.6, 1.4, (8760, len(homes)))
load_kw -= (rng.random(len(homes)) < 0.5) * 5 * sun[:, None]

table = pd.DataFrame(load_kw.round(3), columns=[feeder.buses[bus] for bus in homes])
table.insert(0, "time", pd.date_range("2025-01-01", periods=8760, freq="h").strftime("%Y-%m-%d %H:%M"))
table.to_csv("year.csv", index=False)
