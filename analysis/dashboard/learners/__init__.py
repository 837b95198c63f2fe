"""The page of learners: households that are told nothing, beside those who play the equilibrium, day by day."""
