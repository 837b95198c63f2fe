"""The finite market: N households, one day per step."""

from model.market.market import ProsumerMarket

__all__ = ["ProsumerMarket"]
