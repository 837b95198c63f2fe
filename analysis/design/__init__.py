"""What a leader wants of a tariff, and the search for it."""
