"""Prices that answer themselves, with the revenue that a tariff has to recover."""
