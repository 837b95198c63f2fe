"""The class market: students who are households of one market, played in rounds of a day."""
