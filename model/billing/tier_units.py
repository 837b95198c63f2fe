"""Units of tiers as people spell them."""

from meanwatt.agents.tariff.ratebook.ratebook import TierUnit
from meanwatt.model.scenario.nearest import unknown


def read_unit(text: str) -> TierUnit:
    """Unit of a tier's limit; ``ValueError`` in one line with the nearest one."""
    plain = " ".join(text.lower().replace("/", " / ").split()).replace(" / ", "/")
    for unit in TierUnit:
        if unit.value.lower() == plain:
            return unit
    raise ValueError(unknown("unit", text, [unit.value for unit in TierUnit]))
