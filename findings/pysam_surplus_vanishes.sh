#!/usr/bin/env bash
# nrel-pysam 7.1.1.post1, Utilityrate5, net metering (option 0): a month's surplus of kWh goes to the next month only if its
# period is in force at 0, 5, 11 or 17 o'clock of a weekday. The surplus of any other period is lost, with no message.
#
# A house feeds in 10 kWh at 15 o'clock on every day of January and uses 10 kWh at 15 o'clock on every day of February;
# .30 USD/kWh in both periods. February's bill by the hours of the second period:
#   15 and 16 and 17 h:  0.00 USD (310 kWh are brought forward, 280 are used)
#   15 h:               84.00 USD (nothing is brought forward)
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check nrel-pysam==7.1.1.post1
"$place/env/bin/python" - <<'PY'
import sys

import PySAM.Utilityrate5 as utility_rate

HOURS = 8760
JANUARY, FEBRUARY = range(744), range(744, 744 + 672)


def february_usd(second_period: set[int]) -> float:
    schedule = [[2 if hour in second_period else 1 for hour in range(24)] for _ in range(12)]
    model = utility_rate.new()
    for name, value in {
        "en_electricity_rates": 1,
        "analysis_period": 1,
        "system_use_lifetime_output": 0,
        "load": [10.0 if hour % 24 == 15 and hour in FEBRUARY else 0.0 for hour in range(HOURS)],
        "gen": [10.0 if hour % 24 == 15 and hour in JANUARY else 0.0 for hour in range(HOURS)],
        "inflation_rate": 0,
        "degradation": [0],
        "rate_escalation": [0],
        "ur_metering_option": 0,
        "ur_ec_sched_weekday": schedule,
        "ur_ec_sched_weekend": schedule,
        "ur_ec_tou_mat": [[period, 1, 1e38, 0, 0.30, 0.0] for period in (1, 2)],  # period, tier, end, kWh, buy, sell
        "ur_monthly_fixed_charge": 0,
        "ur_dc_enable": 0,
    }.items():
        model.value(name, value)
    model.execute()
    return model.Outputs.utility_bill_w_sys_ym[1][1]


seen = {hours: round(february_usd(set(hours)), 2) + 0.0 for hours in ((15, 16, 17), (15,))}
for hours, bill in seen.items():
    print(f"second period at {hours} h: February costs {bill:.2f} USD")
sys.exit(0 if seen == {(15, 16, 17): 0.0, (15,): 84.0} else 1)
PY
