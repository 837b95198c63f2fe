"""Household data: meter files of many customers, what is wrong with them, and a scenario made of them."""
