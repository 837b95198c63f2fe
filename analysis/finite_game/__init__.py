"""Exact exploitability among N households."""
