"""Forty made-up homes with meters: ``uv run python docs/examples/households.py homes.csv`` writes their readings.

Without a name it draws ``docs/images/import_households.png``, the mean day of each group. Half a minute.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
VALLEY = np.array([3, 3, 2, 2, 2, 3, 5, 6, 6, 5, 5, 5, 6, 6, 7, 8, 10, 13, 14, 13, 11, 9, 6, 4], dtype=float)
HILLS = np.array([4, 3, 3, 3, 3, 4, 8, 11, 9, 7, 7, 7, 8, 8, 7, 7, 9, 12, 13, 13, 12, 10, 8, 5], dtype=float)


def readings() -> pd.DataFrame:
    """Half-hours of 2025 of 24 homes in the valley and 16 in the hills, half of which have 5 kW of solar."""
    rng = np.random.default_rng(0)
    start = pd.date_range("2025-01-01", "2026-01-01", freq="30min", inclusive="left", tz="America/Los_Angeles")
    standard = start.tz_convert("Etc/GMT+8")
    middle = standard.hour.to_numpy() + standard.minute.to_numpy() / 60 + 0.25
    day = standard.day_of_year.to_numpy()
    tilt = np.radians(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    turn, north = np.radians(15 * (middle - 12 - 0.1)), np.radians(38.6)  # 121.5 degrees west: six minutes after 120
    height = np.sin(north) * np.sin(tilt) + np.cos(north) * np.cos(tilt) * np.cos(turn)
    sky = rng.choice([1.0, 0.65, 0.25], size=367, p=[0.65, 0.2, 0.15])[day]
    solar = 5.0 * 0.75 * np.maximum(height, 0.0) * sky
    cooling = 1 + 0.5 * np.maximum(np.cos(2 * np.pi * (day - 205) / 365), 0) * (middle > 12)
    parts = []
    for home in range(40):
        shape, mean = (VALLEY, 0.65) if home < 24 else (HILLS, 0.95)
        chance = rng.choice([0.4, 0.9, 1.9], size=len(start), p=[0.35, 0.4, 0.25])
        use = mean * rng.uniform(0.6, 1.4) * (shape / shape.mean())[start.hour] * cooling * chance
        has_solar = home >= 24 and home % 2 == 0
        parts.append(
            pd.DataFrame(
                {
                    "meter": f"home {home:02d}",
                    "ends": (standard + pd.Timedelta(minutes=30)).strftime("%Y-%m-%d %H:%M"),
                    "grid_kw": (use - solar * has_solar).round(3),
                    "solar_kw": solar.round(3) if has_solar else np.nan,
                    "area": "valley" if home < 24 else "hills",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def draw(file: Path) -> None:
    """Draw the image of the how-to."""
    from meanwatt.analysis.figures.saved import image
    from meanwatt.analysis.households.figures import shapes_figure
    from meanwatt.model.households.layouts import read_layout
    from meanwatt.model.households.survey import survey_households

    form = read_layout(str(ROOT / "examples" / "homes.toml")).format
    assert form is not None
    figure = shapes_figure(survey_households([file], form))
    (ROOT / "images" / "import_households.png").write_bytes(image(figure, "png", dpi=110))


if len(sys.argv) > 1:
    readings().to_csv(sys.argv[1], index=False)
else:
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "homes.csv"
        readings().to_csv(written, index=False)
        draw(written)
