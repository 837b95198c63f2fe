"""Bills of drawn tariffs under every rule of metering, against those of NREL's System Advisor Model."""

import json
from typing import Any

import numpy as np
import pytest
from drawn_ratebooks import drawn_readings, drawn_schedule
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.convention import SAM, TARIFF_BOOK
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.urdb_reader import table_of_record

pytest.importorskip("PySAM", reason="PySAM is not installed: uv run --group bill_oracle pytest …")

OPTION = {
    Metering.NET_METERING: 0,
    Metering.NET_METERING_DOLLARS: 1,
    Metering.NET_BILLING: 2,
    Metering.NET_BILLING_CARRYOVER: 3,
    Metering.BUY_ALL_SELL_ALL: 4,
}
"""PySAM's numbers of the rules."""
LIMITS = {"kWh": 1.0, "kWh daily": 30.0, "kWh/kW": 3.0, "kWh/kW daily": 90.0}
"""Unit of a tier's limit, and about how many kWh a month it is."""


def drawn(rng: np.random.Generator) -> dict[str, Any]:
    """A record that both programs take: tiers alike in all periods, every charge in the database's words."""
    periods, tiers = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    low = -0.1 if rng.random() < 0.3 else 0.0
    unit = str(rng.choice(list(LIMITS))) if tiers > 1 else "kWh"
    ends = (np.sort(rng.uniform(50, 900, tiers - 1)) / LIMITS[unit]).tolist()
    record: dict[str, Any] = {
        "energyratestructure": [
            [
                {"rate": float(rng.uniform(low, 0.6)), "sell": float(rng.uniform(low / 2, 0.4)), "unit": unit}
                | {"adj": float(rng.uniform(-0.01, 0.05))}
                | ({"max": ends[tier]} if tier + 1 < tiers else {})
                for tier in range(tiers)
            ]
            for _ in range(periods)
        ],
        "energyweekdayschedule": drawn_schedule(rng, periods),
        "energyweekendschedule": drawn_schedule(rng, periods),
        "fixedchargefirstmeter": float(rng.uniform(0, 30)),
        "fixedchargeunits": str(rng.choice(["$/month", "$/day", "$/year"])),
    }
    if rng.random() < 0.5:
        per, scale = [("$/month", 1), ("$/day", 1 / 30), ("$/year", 12)][int(rng.integers(3))]
        record |= {"mincharge": float(rng.uniform(0, 120)) * scale, "minchargeunits": per}
    if rng.random() < 0.5:
        record["demandratestructure"] = [
            [{"rate": float(rng.uniform(0, 20)), "max": 2.0}, {"rate": float(rng.uniform(0, 20))}] for _ in range(3)
        ]
        record["demandweekdayschedule"] = drawn_schedule(rng, 3)
        record["demandweekendschedule"] = drawn_schedule(rng, 3)
    if rng.random() < 0.4:
        record["flatdemandstructure"] = [[{"rate": float(rng.uniform(0, 10))}] for _ in range(2)]
        record["flatdemandmonths"] = rng.integers(0, 2, 12).tolist()
    return record


def by_pysam(record: dict[str, Any], load_kw: Any, solar_kw: Any, **settings_: Any) -> list[float]:
    """Twelve bills."""
    from PySAM import Utilityrate5
    from PySAM.UtilityRateTools import URDBv8_to_ElectricityRates

    model = Utilityrate5.new()
    rates = URDBv8_to_ElectricityRates(json.loads(json.dumps(record)))  # which changes what it is given
    rates |= {
        "ur_annual_min_charge": 0,
        "ur_monthly_min_charge": 0,
        "ur_sell_eq_buy": 0,
        "ur_nm_credit_rollover": 0,
        "ur_nb_apply_credit_current_month": 0,
        "ur_en_ts_buy_rate": 0,
        "ur_ts_buy_rate": [0],
    } | {name: value for name, value in rates.items() if name.endswith("min_charge")}
    model.ElectricityRates.assign({**rates, **settings_})
    model.ElectricityRates.rate_escalation = [0]
    model.Lifetime.inflation_rate, model.Lifetime.analysis_period = 0, 1
    model.Lifetime.system_use_lifetime_output = 0
    model.SystemOutput.gen, model.SystemOutput.degradation = solar_kw.tolist(), [0]
    model.Load.load = load_kw.tolist()
    model.execute(0)
    return list(model.Outputs.utility_bill_w_sys_ym[1])


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), rule=st.sampled_from(Metering))
def test_bills_are_pysams_to_the_last_cent_of_a_cent(seed: int, rule: Metering) -> None:
    rng = np.random.default_rng(seed)
    record, per_hour = drawn(rng), int(rng.choice([1, 1, 2, 4]))
    load, solar = drawn_readings(rng, 1, per_hour)
    by_hour = rng.random() < 0.4 and not rule.nets_by_month
    sell = rng.uniform(-0.02, 0.5, load.shape[1]) if by_hour else None
    expires = bool(rng.random() < 0.3) and rule is Metering.NET_BILLING_CARRYOVER
    month, year_end = int(rng.choice([12, 12, 3, 9])), float(rng.choice([0.0, 0.03]))
    expected = by_pysam(
        record,
        load[0] * per_hour,
        solar[0] * per_hour,
        ur_metering_option=OPTION[rule],
        ur_nm_credit_month=month - 1,
        ur_nm_yearend_sell_rate=year_end,
        ur_nb_credit_expire=int(expires),
        ur_en_ts_sell_rate=int(by_hour),
        ur_ts_sell_rate=[0] if sell is None else sell.tolist(),
    )
    table, _ = table_of_record(record)
    book = RatebookTable.model_validate({**table, "true_up_month": month, "year_end_usd_per_kwh": year_end}).ratebook(
        "drawn"
    )
    compiled = compile_ratebook(book, reference_year(per_hour))
    terms = {"metering": rule, "export_usd_per_kwh": sell, "credit_expires": expires}
    found = bill_customers(compiled, load, solar, Terms(**terms, convention=SAM))
    assert found.monthly_usd[0] == pytest.approx(expected, abs=1e-8)
    if (
        "mincharge" not in record
        and min(tier["rate"] for period in record["energyratestructure"] for tier in period) >= 0
    ):
        ours = bill_customers(compiled, load, solar, Terms(**terms, convention=TARIFF_BOOK))
        if rule is not Metering.NET_METERING and sell is None:
            assert ours.annual_usd[0] == pytest.approx(sum(expected), abs=1e-8)
