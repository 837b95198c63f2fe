"""The finite market: N households, one day per step.

The market itself: `market` (Mesa), set up by `setup`, its households and terms in `population` and `posted_terms`.
A day: `day_kernel` (moves and meters), `day_settlement` (prices, feeder, books), `billing` (households' bills),
`metering` and `history` (what is kept), `digest`; `stepwise_day` lives it slot by slot for other players.
In parts: `divided_market` (processes), `market_centre` (what a market has once), `partitioned_market` (many feeders).
"""

from meanwatt.model.market.market import ProsumerMarket

__all__ = ["ProsumerMarket"]
