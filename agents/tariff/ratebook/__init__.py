"""Tariffs as utilities file them, and the bills that they make of meter data."""
