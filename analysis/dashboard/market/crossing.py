"""The link from the market to the page Compare, which takes over the tariff in force.

The address is written here and read there: Compare knows the market's parameters, and the market nothing of Compare.
"""

import functools
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.market.naming import full_name
from meanwatt.analysis.dashboard.shared.carried import carried
from meanwatt.analysis.dashboard.shared.own_tariff import packed
from meanwatt.analysis.dashboard.shared.settings import LANDING_SCENARIO, Settings, landing_tariff

LONGEST_TITLE = 80
"""Letters of the title of a changed tariff."""
LABEL = "Compare it with the tariff on file"
ONE_ONLY = "Compare takes two tariffs of rates alone; choose one above to take it there."
"""What is said in place of the link, of rate classes and components."""
STAYS = "; your changes of the town stay here"
"""Compare knows the scenario as it comes."""


def compare_label(settings: Settings) -> str:
    """Words of that link, which say what is left behind."""
    try:
        settings.single()
    except ValueError:
        return ONE_ONLY
    return LABEL + (STAYS if settings.town.changes else "")


@functools.lru_cache(maxsize=64)
def compare_link(settings: Settings) -> str:
    """Where Compare shows the tariff in force as B beside the one on file; empty if an address cannot hold it.

    Where the tariff on file is in force itself, unchanged, only the scenario is handed over: Compare has its own pair.
    """
    try:
        found = carried(settings, full_name(settings)[:LONGEST_TITLE])
        parts = {} if found.scenario == LANDING_SCENARIO else {"scenario": found.scenario}
        before = landing_tariff(settings.scenario)
        if found.own or found.tariff != before:
            parts |= {"a": before, "b": found.tariff}
        if found.own:
            parts["b.file"] = packed(found.own)
    except ValueError:
        return ""
    return f"/compare?{urlencode(parts)}" if parts else "/compare"
