"""The finite market: N households, one day per step."""

from meanwatt.model.market.market import ProsumerMarket

__all__ = ["ProsumerMarket"]
