"""A household's decision problem: battery, demand, slots, and the best response by backward induction."""
