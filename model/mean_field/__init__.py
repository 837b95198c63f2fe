"""The continuum of households: flow, equilibrium, leader and first best."""
