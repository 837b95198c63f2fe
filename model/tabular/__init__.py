"""Stackelberg Markov games that fit on a page."""
