"""A tariff that one page hands to another: as the scenario names it, or whole where anything in it is changed."""

from dataclasses import replace

from meanwatt.analysis.dashboard.shared.own_tariff import toml_of
from meanwatt.analysis.dashboard.shared.settings import Settings


def carried(settings: Settings, title: str) -> Settings:
    """The same tariff in the scenario as it comes, with the same sample of homes.

    Parameters
    ----------
    settings
        What a page has in force; changes of the town stay behind, for not every page knows them.
    title
        What the tariff is called from there on, if anything in it is changed.

    Raises
    ------
    ValueError
        In one line, of rate classes and components: the other pages take one tariff of rates alone.
    """
    settings.single()
    if not any(key.startswith("tariff.") for key, _ in settings.changes):
        return replace(settings, changes=())
    scenario = settings.load()
    table = scenario.tariffs[scenario.selected_tariff]
    return replace(settings, changes=(), own=toml_of(table.model_copy(update={"title": title})))
