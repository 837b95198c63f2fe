"""The link from the market to the page Compare, which takes over the tariff in force."""

import functools

from meanwatt.analysis.dashboard.compare.choice import Choice, query
from meanwatt.analysis.dashboard.compare.edits import Edits
from meanwatt.analysis.dashboard.market.naming import full_name
from meanwatt.analysis.dashboard.shared.carried import carried
from meanwatt.analysis.dashboard.shared.settings import Settings, landing_tariff

LONGEST_TITLE = 80
"""Letters of the title of a changed tariff."""
LABEL = "Compare it with the tariff on file"
STAYS = "; your changes of the town stay here"
"""Compare knows the scenario as it comes."""


def compare_label(settings: Settings) -> str:
    """Words of that link, which say what is left behind."""
    return LABEL + (STAYS if settings.town.changes else "")


@functools.lru_cache(maxsize=64)
def compare_link(settings: Settings) -> str:
    """Where Compare shows the tariff in force as B beside the one on file; empty if an address cannot hold it.

    Where the tariff on file is in force itself, unchanged, only the scenario is handed over: Compare has its own pair.
    """
    try:
        found = carried(settings, full_name(settings)[:LONGEST_TITLE])
        before = landing_tariff(settings.scenario)
        if not found.own and found.tariff == before:
            written = query(Choice()) if found.scenario == Choice().scenario else f"scenario={found.scenario}"
        else:
            pair = Choice(scenario=found.scenario, a=before, b=found.tariff, edits_b=Edits(own=found.own))
            written = query(pair)
    except ValueError:
        return ""
    return f"/compare?{written}" if written else "/compare"
