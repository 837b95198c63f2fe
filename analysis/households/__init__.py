"""Household data: what an import tells of them."""
