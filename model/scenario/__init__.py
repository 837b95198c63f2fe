"""Scenarios and tariffs as files, checked and turned into arrays."""
