"""Derivatives of the population's response by prices, exact, forward and backward."""
