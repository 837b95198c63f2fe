"""The page of hosting capacity: how much solar, or how many cars, a feeder holds under each tariff."""
