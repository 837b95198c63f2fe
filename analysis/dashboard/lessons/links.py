"""Links from a lesson to the other pages, with the lesson's settings in them."""

from meanwatt.analysis.dashboard.compare import choice as compare
from meanwatt.analysis.dashboard.finite import choice as finite
from meanwatt.analysis.dashboard.market import address as market
from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.lesson import Try

PAGES = {"market": "Market", "compare": "Compare", "finite": "Finite market"}
"""Titles of the pages that are linked to."""


def link(of: Try) -> str:
    """Address of what a lesson sends its visitor to."""
    first = of.cases[0]
    if of.page == "compare":
        pair = compare.Choice(scenario=first.scenario, a=first.tariff, b=of.cases[1].tariff)
        return _at("/compare", compare.query(pair))
    if of.page == "finite":
        return _at("/finite", finite.query(finite.Choice(scenario=first.scenario, tariff=first.tariff)))
    return _at("/", market.query(settings_of(first)))


def settings_of(case: Case) -> Settings:
    """The settings of a case that the page Market has controls for."""
    settings = Settings(scenario=case.scenario, tariff=case.tariff)
    defaults = {knob.key: knob.default for knob in knobs(settings.preset())}
    for key, value in case.changes:
        settings = settings.with_change(key, value, defaults[key])
    return settings


def _at(route: str, query: str) -> str:
    return f"{route}?{query}" if query else route
