"""Efficiency, equity and stability in numbers."""
