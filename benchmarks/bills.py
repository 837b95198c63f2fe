"""Bills a second of many customers on one core, beside PySAM's where it is installed, and whether they are the same.

``uv run --group bill_oracle python benchmarks/bills.py [CUSTOMERS]``; processor time, so that a busy machine counts
less. One tariff: two seasons, three periods, two tiers and a demand charge in a window; load and generation are arrays
in memory, lists for PySAM made beforehand, of which ``execute`` alone is timed. Beside the bills stands what it takes
to read their meters at all, the time of a plain sum of both arrays: no biller of arrays in memory takes less.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook, compile_ratebook
from meanwatt.agents.tariff.ratebook.convention import SAM
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.urdb_reader import table_of_record

BY_PYSAM = 40
"""Bills that PySAM is timed on."""
ALONE = 500
"""Bills that are timed one by one."""
TERMS = Terms(metering=Metering.NET_BILLING, convention=SAM)
MANY = 100_000
"""Customers whose meters do not lie in memory together."""
PART = 1_000
"""Customers whose meters are made, billed and forgotten together."""


def _day(month: int) -> list[int]:
    """Periods by the hour: night 0, day 1 (4 in summer), evening 2 (5)."""
    summer = 3 if 5 <= month < 9 else 0
    return [summer + (2 if 16 <= hour < 21 else 1 if 8 <= hour < 16 else 0) for hour in range(24)]


def _tiers(rate: float, sell: float) -> list[dict[str, float]]:
    return [{"rate": rate, "sell": sell, "max": 330.0}, {"rate": rate + 0.1, "sell": sell}]


RECORD: dict[str, Any] = {
    "energyratestructure": [
        _tiers(rate, sell)
        for rate, sell in ((0.2, 0.04), (0.25, 0.04), (0.35, 0.1), (0.22, 0.05), (0.3, 0.05), (0.5, 0.2))
    ],
    "energyweekdayschedule": [_day(month) for month in range(12)],
    "energyweekendschedule": [[min(_day(month)[0:1])] * 24 for month in range(12)],
    "demandratestructure": [[{"rate": 0.0}], [{"rate": 6.0}]],
    "demandweekdayschedule": [[int(16 <= hour < 21) for hour in range(24)]] * 12,
    "demandweekendschedule": [[0] * 24] * 12,
    "fixedchargefirstmeter": 12.0,
    "fixedchargeunits": "$/month",
}


def seconds(what: Callable[[], Any], times: int = 7) -> float:
    """Processor time of a call, the best of some."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        what()
        taken.append(time.process_time() - start)
    return min(taken)


class ByPySAM:
    """PySAM's bills of a few customers under net billing."""

    def __init__(self, load_kw: Floats, solar_kw: Floats) -> None:
        from PySAM import Utilityrate5
        from PySAM.UtilityRateTools import URDBv8_to_ElectricityRates

        rates = URDBv8_to_ElectricityRates(json.loads(json.dumps(RECORD)))  # which changes what it is given
        zeros = ("monthly_min_charge", "annual_min_charge", "sell_eq_buy", "nm_yearend_sell_rate", "nm_credit_rollover")
        rates |= {f"ur_{name}": 0 for name in (*zeros, "nb_credit_expire", "en_ts_sell_rate", "en_ts_buy_rate")}
        rates |= {"ur_nb_apply_credit_current_month": 0, "ur_nm_credit_month": 11}
        rates |= {"ur_ts_sell_rate": [0], "ur_ts_buy_rate": [0], "ur_metering_option": 2}
        self._models = []
        for load, solar in zip(load_kw.tolist(), solar_kw.tolist(), strict=True):
            model = Utilityrate5.new()
            model.ElectricityRates.assign(rates)
            model.ElectricityRates.rate_escalation = [0]
            model.Lifetime.inflation_rate, model.Lifetime.analysis_period = 0, 1
            model.Lifetime.system_use_lifetime_output = 0
            model.SystemOutput.gen, model.SystemOutput.degradation, model.Load.load = solar, [0], load
            self._models.append(model)

    def execute(self) -> None:
        """Work all bills out."""
        for model in self._models:
            model.execute(0)

    @property
    def annual_usd(self) -> Floats:
        """The year's bills. (customer,) [USD]"""
        return np.array([float(model.Outputs.utility_bill_w_sys[1]) for model in self._models])


def meters(customers: int, per_hour: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Load and generation, (customer, interval) each. [kWh]"""
    intervals = 8760 * per_hour
    hour = np.arange(intervals) / per_hour % 24
    load = rng.gamma(1.5, 0.6 / per_hour, (customers, intervals))
    size = rng.uniform(0.2, 1.0, (customers, 1)) / per_hour
    return load, 2 * np.maximum(np.sin(np.pi * (hour - 6) / 12), 0.0) * size


def compiled(per_hour: int) -> CompiledRatebook:
    """The tariff over the reference year."""
    book = RatebookTable.model_validate(table_of_record(RECORD)[0]).ratebook("two seasons")
    return compile_ratebook(book, reference_year(per_hour))


def beside_pysam(load: Floats, solar: Floats, per_hour: int, ours: Floats) -> float | None:
    """Seconds that a bill takes PySAM; None without it. Raises ``SystemExit`` if its bills are others."""
    try:
        theirs = ByPySAM(load[:BY_PYSAM] * per_hour, solar[:BY_PYSAM] * per_hour)
    except ImportError:
        return None
    taken = seconds(theirs.execute) / BY_PYSAM
    apart = float(np.abs(theirs.annual_usd - ours[:BY_PYSAM]).max())
    if apart > 1e-6:
        raise SystemExit(f"bills differ from PySAM's by up to {apart:g} USD")
    print(f"  {BY_PYSAM} bills are PySAM's to {apart:.0e} USD")
    return taken


def compare(customers: int, per_hour: int, target: float) -> None:
    """Print bills a second of many customers, and of one at a time."""
    load, solar = meters(customers, per_hour, np.random.default_rng(1))
    book = compiled(per_hour)
    print(f"{60 // per_hour} minutes, {customers} customers")
    ours = bill_customers(book, load, solar, TERMS).annual_usd
    theirs = beside_pysam(load, solar, per_hour, ours)
    each = seconds(lambda: bill_customers(book, load, solar, TERMS)) / customers
    rows = [slice(k % customers, k % customers + 1) for k in range(ALONE)]
    alone = seconds(lambda: [bill_customers(book, load[row], solar[row], TERMS) for row in rows]) / ALONE
    bound = seconds(lambda: load.sum() + solar.sum()) / customers
    for what, taken, aim in (("together", each, target), ("one by one", alone, 20.0), ("a plain sum", bound, None)):
        aimed = "" if aim is None else f" (aim {aim:.0f})"
        ratio = "" if theirs is None else f", {theirs / taken:,.0f} times PySAM's {1 / theirs:,.1f}{aimed}"
        print(f"  {what}: {1 / taken:,.0f} bills a second, {1e6 * taken:.1f} µs each{ratio}")


def parts(rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
    """Meters of many customers, a few at a time, as from a file."""
    for _ in range(MANY // PART):
        yield meters(PART, 1, rng)


def stream() -> None:
    """Print by how much the memory of this process grows while many customers are billed in parts."""
    book, before = compiled(1), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = sum(float(bill_customers(book, *part, TERMS).annual_usd.sum()) for part in parts(np.random.default_rng(2)))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{MANY} customers in parts of {PART}: {total:,.0f} USD, the most memory grew by {grown:,.0f} MB")


def main(customers: int) -> None:
    """Print memory first, while nothing else has raised it."""
    stream()
    compare(customers, 1, 500.0)
    compare(max(customers // 5, BY_PYSAM), 4, 300.0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
