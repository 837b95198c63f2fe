"""Runs of the finite market, whole or over several workers, and what the mean field expects of them."""
