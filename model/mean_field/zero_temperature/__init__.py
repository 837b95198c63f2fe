"""Equilibria at temperature 0: Frank-Wolfe over plans, market clearing, mixtures."""
