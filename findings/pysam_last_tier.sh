#!/usr/bin/env bash
# nrel-pysam 7.1.1.post1, Utilityrate5: a last tier with a finite maximum, as many published rate records have, does not
# bill what lies above it. No message is given.
#
# A house that uses 1 kW all year, .20 USD/kWh, one tier, no solar. January by metering option:
#   maximum 1e38 kWh:  148.80 USD under every option (744 kWh at .20)
#   maximum 500 kWh:   100.00 USD under net metering (0 and 1): 244 kWh are free
#                      −5,829.20 USD under net billing (2 and 4), though nothing is ever exported
#                      0.00 USD under net billing with carry-over (3)
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


def january_usd(most_kwh: float, metering: int) -> float:
    model = utility_rate.new()
    for name, value in {
        "en_electricity_rates": 1,
        "analysis_period": 1,
        "system_use_lifetime_output": 0,
        "load": [1.0] * HOURS,
        "gen": [0.0] * HOURS,
        "inflation_rate": 0,
        "degradation": [0],
        "rate_escalation": [0],
        "ur_metering_option": metering,
        "ur_ec_sched_weekday": [[1] * 24] * 12,
        "ur_ec_sched_weekend": [[1] * 24] * 12,
        "ur_ec_tou_mat": [[1, 1, most_kwh, 0, 0.20, 0.0]],  # period, tier, maximum, unit kWh, buy, sell
        "ur_monthly_fixed_charge": 0,
        "ur_dc_enable": 0,
    }.items():
        model.value(name, value)
    model.execute()
    return model.Outputs.utility_bill_w_sys_ym[1][0]


seen = {most: [round(january_usd(most, metering), 1) for metering in range(5)] for most in (1e38, 500)}
for most, bills in seen.items():
    print(f"maximum {most:g} kWh: January by metering option 0 to 4: {bills} USD")
sys.exit(0 if seen == {1e38: [148.8] * 5, 500: [100.0, 100.0, -5829.2, 0.0, -5829.2]} else 1)
PY
