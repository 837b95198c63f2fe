"""Studies: one measurement over a grid or a Latin hypercube of scenarios, numbers of households and replications."""
