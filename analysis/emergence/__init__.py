"""Whether learners reach the equilibrium."""
