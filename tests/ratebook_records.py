"""Records of two tariffs that the plain biller and the rate database's reader both take."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

PERIODS = [[0] * 16 + [1] * 5 + [0] * 3] * 12
FLAT: dict[str, Any] = {
    "energyratestructure": [[{"rate": 0.2, "sell": 0.05}]],
    "energyweekdayschedule": [[0] * 24] * 12,
    "energyweekendschedule": [[0] * 24] * 12,
    "fixed": (10.0, "month"),
}
TIERED: dict[str, Any] = {
    "energyratestructure": [
        [{"rate": 0.1, "sell": 0.03, "max": 300}, {"rate": 0.25, "sell": 0.03}],
        [{"rate": 0.3, "sell": 0.12, "max": 300}, {"rate": 0.5, "sell": 0.12}],
    ],
    "energyweekdayschedule": PERIODS,
    "energyweekendschedule": [[0] * 24] * 12,
    "fixed": (0.4, "day"),
}


def write_record(path: Path, record: dict[str, Any]) -> str:
    """Write a record in the words of the rate database."""
    usd, per = record["fixed"]
    words = {key: deepcopy(value) for key, value in record.items() if key != "fixed"}
    for tiers in words["energyratestructure"]:
        for tier in tiers:
            tier["unit"] = "kWh"
    words |= {"name": path.stem, "fixedchargefirstmeter": usd, "fixedchargeunits": f"$/{per}"}
    path.write_text(json.dumps(words))
    return str(path)
