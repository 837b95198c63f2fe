"""Who posts the tariff: a leader's objective, its weights, and what of a tariff it may look at."""
