"""The page of the challenge: draw a tariff, and see what it is worth."""
