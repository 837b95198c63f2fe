"""The first page: the market, and below it things to try."""
