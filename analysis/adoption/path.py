"""The path of adoption: a stock of solar and storage that follows its worth, year by year."""

from collections.abc import Iterator, Sequence

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.adoption.choice import deciding_rate, next_stock
from meanwatt.analysis.adoption.homes import Homes
from meanwatt.analysis.adoption.market import AdoptionMarket, Constants, Standing, aimed_shares
from meanwatt.model.mean_field.equilibrium import Outcome


def path(market: AdoptionMarket, constants: Constants, years: int, done: Sequence[Standing] = ()) -> Iterator[Standing]:
    """The market of every year from today on, until one has no tariff that covers the cost, or is not solved.

    In year y the tariff is in force at the shares of that year, capital costs are (1 + change)^y times today's, and
    what those who decide then choose stands in year y + 1.

    Parameters
    ----------
    years
        The last one; today is year 0.
    done
        The first years where they are known, from 0 on, all solved; they are not given again.
    """
    homes = market.homes
    share = after(homes, constants, done[-1]) if done else homes.today
    for year in range(len(done), years + 1):
        market.watch.report(f"year {year} of {years}", year / (years + 1))
        found = market.at(share, cost_factor(homes, year))
        yield found
        if found.outcome is not Outcome.CONVERGED:
            return
        share = after(homes, constants, found)


def after(homes: Homes, constants: Constants, found: Standing) -> Floats:
    """Shares of the year after one whose market is solved. (group, technology)"""
    assert found.worth is not None
    rate = deciding_rate(homes.life_years, homes.economy.scenario.adoption.deciding_share_per_year)
    return next_stock(found.share, aimed_shares(homes, constants, found.worth.npv_usd), rate, homes.pools)


def cost_factor(homes: Homes, year: int) -> float:
    """Capital costs of a year over today's."""
    return float((1 + homes.economy.scenario.adoption.cost_change_per_year) ** year)
