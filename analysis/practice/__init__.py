"""Usual rate-design practice, which freezes what households do, against their equilibrium."""
