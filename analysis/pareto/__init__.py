"""Efficiency, equity and stability together: the tariffs of which none is better in all three."""
