"""Household data of known truth, written in the layouts that people share: what an import must give back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

EVENING = np.array([3, 2, 2, 2, 2, 3, 5, 7, 6, 5, 5, 5, 6, 5, 5, 6, 8, 11, 13, 12, 10, 8, 6, 4], dtype=float)
MORNING = np.array([2, 2, 2, 2, 3, 6, 12, 13, 9, 6, 5, 5, 5, 5, 5, 5, 6, 7, 8, 8, 7, 5, 4, 3], dtype=float)
PLACES = {
    "Europe/London": (51.5, -0.1),
    "Europe/Dublin": (53.3, -6.3),
    "Australia/Sydney": (-33.4, 151.2),
    "America/Chicago": (30.3, -97.7),
    "America/New_York": (40.7, -74.0),
    "America/Los_Angeles": (37.0, -120.0),
}


@dataclass(frozen=True)
class Truth:
    """Homes and what they use and generate.

    ``start`` holds the beginnings of intervals, in the zone; ``use``, ``solar``, ``controlled`` are (home, interval) in
    kWh, rounded as files round.
    """

    zone: str
    minutes: int
    start: pd.DatetimeIndex
    names: tuple[str, ...]
    groups: tuple[str, ...]
    use: np.ndarray
    solar: np.ndarray
    controlled: np.ndarray
    installed_kw: np.ndarray

    @property
    def local(self) -> pd.DatetimeIndex:
        """What the clock on the wall shows."""
        return self.start.tz_localize(None)

    @property
    def instants(self) -> np.ndarray:
        """Minutes since 1970 in UTC."""
        return np.asarray(self.start.tz_convert("UTC").as_unit("s").asi8 // 60)


def sun_height(start: pd.DatetimeIndex, latitude: float, longitude: float, minutes: int) -> np.ndarray:
    """Sine of the sun's height at the middle of intervals, by the textbook's formulas and not those of the project."""
    middle = start.tz_convert("UTC") + pd.Timedelta(minutes=minutes / 2)
    day = middle.day_of_year.to_numpy()
    angle = 2 * np.pi * (day - 81) / 364
    equation = 9.87 * np.sin(2 * angle) - 7.53 * np.cos(angle) - 1.5 * np.sin(angle)
    hours = middle.hour.to_numpy() + middle.minute.to_numpy() / 60 + longitude / 15 + equation / 60
    declination = np.radians(23.45) * np.sin(np.radians(360 / 365 * (284 + day)))
    north = np.radians(latitude)
    turn = np.radians(15 * (hours - 12))
    return np.asarray(np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(turn))


def truth(
    zone: str = "Europe/London",
    minutes: int = 30,
    *,
    first: str = "2013-01-01",
    months: int = 12,
    groups: Sequence[str] = ("Affluent", "Comfortable", "Adversity"),
    homes: int = 6,
    solar_every: int = 0,
    kwh_per_year: float = 4000,
) -> Truth:
    """Homes whose mean day is EVENING, of every second group MORNING, louder in winter and at weekends."""
    rng = np.random.default_rng(homes)
    begin = pd.Timestamp(first, tz=zone)
    start = pd.date_range(begin, begin + pd.DateOffset(months=months), freq=f"{minutes}min", inclusive="left")
    place = PLACES[zone]
    south = place[0] < 0
    season = 1 + 0.25 * np.cos(2 * np.pi * (start.day_of_year.to_numpy() - (196 if south else 15)) / 365)
    weekend = np.where(start.day_of_week.to_numpy() >= 5, 1.15, 0.94)
    names = tuple(f"{1000 + k}" for k in range(homes))
    of_home = tuple(groups[k % len(groups)] for k in range(homes))
    use, solar, controlled = (np.zeros((homes, len(start))) for _ in range(3))
    installed = np.zeros(homes)
    height = np.maximum(sun_height(start, *place, minutes), 0.0)
    days = (start.tz_localize(None) - pd.Timestamp(first)).days.to_numpy()
    sky = rng.choice([1.0, 0.6, 0.2], size=int(days.max()) + 1, p=[0.5, 0.3, 0.2])[days]
    for k in range(homes):
        shape = EVENING if groups.index(of_home[k]) % 2 == 0 else MORNING
        loud = 1.3 - 0.3 * groups.index(of_home[k])
        chance = rng.choice([0.4, 0.9, 1.9], size=len(start), p=[0.35, 0.4, 0.25])
        kw = kwh_per_year / 8766 * loud * (shape / shape.mean())[start.hour] * season * weekend * chance
        use[k] = (kw * minutes / 60).round(3)
        controlled[k] = (
            np.where((start.hour >= 22) | (start.hour < 1), 0.9 * minutes / 60, 0.0).round(3) if k % 2 else 0
        )
        if solar_every and k % solar_every == 0:
            installed[k] = 3.0 + k % 3
            solar[k] = (0.8 * installed[k] * height * sky * minutes / 60).round(3)
    return Truth(zone, minutes, start, names, of_home, use, solar, controlled, installed)


def london(path: Path, data: Truth, *, label: str = "end", clock: str = "UTC", unit: float = 1.0) -> Path:
    """Low Carbon London: a trailing blank in the heading, Null for nothing."""
    stamp = data.start.tz_convert(clock).tz_localize(None)
    if label == "end":
        stamp = stamp + pd.Timedelta(minutes=data.minutes)
    said = stamp.strftime("%Y-%m-%d %H:%M:%S.0000000")
    lines = ["LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped"]
    for k, name in enumerate(data.names):
        lines += [
            f"MAC{name},Std,{when},{kwh * unit:.6g},ACORN-A,{data.groups[k]}"
            for when, kwh in zip(said, data.use[k], strict=True)
        ]
    return _written(path, lines)


def ausgrid(
    path: Path, data: Truth, *, date: str = "slashed", clock: str | None = None, solar: np.ndarray | None = None
) -> Path:
    """Ausgrid: a title, a row for each home, day and channel; the hour that comes twice loses its second time."""
    names = [f"{(k + 1) // 2}:{'30' if (k + 1) % 2 else '00'}" for k in range(47)] + ["0:00"]
    wall = data.local if clock is None else data.start.tz_convert(clock).tz_localize(None)
    slot = (wall.hour * 2 + wall.minute // 30).to_numpy()
    day, dates = pd.factorize(wall.normalize())
    first = ~pd.Series(wall).duplicated().to_numpy()
    lines = [
        "Solar home electricity data: see notes,,,",
        "Customer,Generator Capacity,Postcode,Consumption Category,date," + ",".join(names) + ",Row Quality",
    ]
    generation = data.solar if solar is None else solar
    for k, name in enumerate(data.names):
        tables = []
        for channel, values in (("GC", data.use[k]), ("CL", data.controlled[k]), ("GG", generation[k])):
            if channel == "CL" and not values.any():
                continue
            table = np.zeros((len(dates), 48))
            table[day[first], slot[first]] = values[first]
            tables.append((channel, table))
        for number, when in enumerate(pd.DatetimeIndex(dates)):
            said = f"{when.day}/{when.month:02d}/{when.year}" if date == "slashed" else f"{when.day}-{when:%b-%y}"
            for channel, table in tables:
                cells = ",".join(f"{one:.6g}" for one in table[number])
                lines.append(f"{name},{data.installed_kw[k]:g},2000,{channel},{said},{cells},")
    return _written(path, lines)


def pecan(path: Path, data: Truth, *, sign: float = 1.0, vehicle: np.ndarray | None = None) -> Path:
    """Pecan Street: kW, two offsets in a column, grid = use - solar, no solar where none is installed."""
    text = data.start.strftime("%Y-%m-%d %H:%M:%S%z").str.slice(0, -2)
    lines = ["dataid,local_15min,air1,car1,grid,solar"]
    hours = data.minutes / 60
    for k, name in enumerate(data.names):
        grid = sign * (data.use[k] - data.solar[k]) / hours
        sun = [f"{one:.6g}" for one in data.solar[k] / hours] if data.installed_kw[k] else [""] * len(grid)
        car = np.zeros(len(grid)) if vehicle is None else vehicle[k] / hours
        lines += [
            f"{name},{when},0.1,{charge:.6g},{one:.9g},{out}"
            for when, charge, one, out in zip(text, car, grid, sun, strict=True)
        ]
    return _written(path, lines)


def resstock(folder: Path, data: Truth) -> tuple[list[Path], Path]:
    """ResStock: a file for each home, ends of intervals in Eastern Standard Time, pv below 0; and the metadata."""
    folder.mkdir(exist_ok=True)
    stamp = data.start.tz_convert("Etc/GMT+5").tz_localize(None) + pd.Timedelta(minutes=data.minutes)
    files = []
    for k, name in enumerate(data.names):
        table = pd.DataFrame(
            {
                "timestamp": stamp,
                "out.electricity.total.energy_consumption": data.use[k],
                "out.electricity.total.energy_consumption_intensity": data.use[k] / 150,
                "out.electricity.pv.energy_consumption": -data.solar[k],
            }
        )
        files.append(folder / f"{name}-0.parquet")
        table.to_parquet(files[-1], index=False)
    income = {"all": 60_000.0, "Affluent": 150_000.0, "Comfortable": 60_000.0, "Adversity": 18_000.0}
    about = pd.DataFrame(
        {
            "bldg_id": [int(name) for name in data.names],
            "in.representative_income": [income[one] for one in data.groups],
        }
    )
    homes = folder / "metadata.parquet"
    about.to_parquet(homes, index=False)
    return files, homes


def cer(path: Path, data: Truth, *, separator: str = " ", slots: str = "elapsed") -> Path:
    """Irish trial: no heading, dddtt; days of 46 and 50 half-hours, or 48 by the clock on the wall."""
    midnight = data.local.normalize()
    day = (midnight - pd.Timestamp("2009-01-01")).days.to_numpy() + 1
    begun = midnight.tz_localize(ZoneInfo(data.zone))
    elapsed = ((data.start - begun).total_seconds().to_numpy() // 1800).astype(int)
    wall = (data.local.hour * 2 + data.local.minute // 30).to_numpy()
    number = day * 100 + 1 + (elapsed if slots == "elapsed" else wall)
    lines = []
    for k, name in enumerate(data.names):
        lines += [f"{name}{separator}{one}{separator}{kwh:.6g}" for one, kwh in zip(number, data.use[k], strict=True)]
    return _written(path, lines)


def with_use(data: Truth, use: np.ndarray, **changes: Any) -> Truth:
    """The same homes with another use."""
    return replace(data, use=use, **changes)


def _written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
