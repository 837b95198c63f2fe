"""How much solar, or how many electric vehicles, a feeder holds under a tariff."""
