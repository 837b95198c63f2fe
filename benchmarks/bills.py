"""Bills a second of many customers on one core, beside PySAM's where it is installed.

``uv run --group bill_oracle python benchmarks/bills.py CUSTOMERS``; processor time, so that a busy machine counts less.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.urdb_reader import table_of_record

BY_PYSAM = 40
"""Bills that PySAM is timed on."""
WINDOW = [[int(16 <= clock < 21) for clock in range(24)]] * 12
TARIFFS: dict[str, dict[str, Any]] = {
    "time of use": {
        "energyratestructure": [[{"rate": 0.3, "sell": 0.05}], [{"rate": 0.5, "sell": 0.2}]],
        "energyweekdayschedule": WINDOW,
        "energyweekendschedule": WINDOW,
    },
    "time of use with two tiers": {
        "energyratestructure": [
            [{"rate": 0.3, "sell": 0.05, "max": 330}, {"rate": 0.4, "sell": 0.05}],
            [{"rate": 0.5, "sell": 0.2, "max": 330}, {"rate": 0.6, "sell": 0.2}],
        ],
        "energyweekdayschedule": WINDOW,
        "energyweekendschedule": WINDOW,
    },
}


def seconds(what: Callable[[], Any]) -> float:
    """Processor time of a call, the best of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        what()
        taken.append(time.process_time() - start)
    return min(taken)


def by_pysam(record: dict[str, Any], load: Any, solar: Any, rates: Any) -> float:
    """PySAM's bill of a year under net billing."""
    from PySAM import Utilityrate5

    model = Utilityrate5.new()
    model.ElectricityRates.assign(rates)
    model.ElectricityRates.rate_escalation = [0]
    model.Lifetime.inflation_rate, model.Lifetime.analysis_period = 0, 1
    model.Lifetime.system_use_lifetime_output = 0
    model.SystemOutput.gen, model.SystemOutput.degradation, model.Load.load = solar, [0], load
    model.execute(0)
    return float(model.Outputs.utility_bill_w_sys[1])


def pysam_seconds(record: dict[str, Any], load: Any, solar: Any) -> float | None:
    """What a bill takes there, lists made beforehand; None without PySAM."""
    try:
        from PySAM.UtilityRateTools import URDBv8_to_ElectricityRates
    except ImportError:
        return None
    import json

    rates = URDBv8_to_ElectricityRates(json.loads(json.dumps(record)))
    zeros = ("monthly_fixed_charge", "monthly_min_charge", "annual_min_charge", "sell_eq_buy", "nm_yearend_sell_rate")
    rates |= {f"ur_{name}": 0 for name in (*zeros, "nm_credit_rollover", "nb_credit_expire", "en_ts_sell_rate")}
    rates |= {"ur_nb_apply_credit_current_month": 0, "ur_en_ts_buy_rate": 0, "ur_nm_credit_month": 11}
    rates |= {"ur_ts_sell_rate": [0], "ur_ts_buy_rate": [0], "ur_metering_option": 2}
    lists = [(load[row].tolist(), solar[row].tolist()) for row in range(BY_PYSAM)]
    return seconds(lambda: [by_pysam(record, *pair, rates) for pair in lists]) / BY_PYSAM


def main(customers: int) -> None:
    """Print bills a second, tariff by tariff."""
    rng = np.random.default_rng(1)
    hour = np.arange(8760) % 24
    load = rng.gamma(1.5, 0.4, (customers, 8760))
    solar = 2 * np.maximum(np.sin(np.pi * (hour - 6) / 12), 0.0) * rng.uniform(0.2, 1.0, (customers, 8760))
    terms = Terms(metering=Metering.NET_BILLING)
    for name, record in TARIFFS.items():
        book = RatebookTable.model_validate(table_of_record(record)[0]).ratebook(name)
        compiled = compile_ratebook(book, reference_year())
        bill_customers(compiled, load[:64], solar[:64], terms)  # compiles
        ours = seconds(lambda compiled=compiled: bill_customers(compiled, load, solar, terms)) / customers
        theirs = pysam_seconds(record, load, solar)
        beside = "" if theirs is None else f"; PySAM {1 / theirs:,.0f}: {theirs / ours:,.0f} times as many"
        print(f"{name}, net billing, {customers} customers: {1 / ours:,.0f} bills a second{beside}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
