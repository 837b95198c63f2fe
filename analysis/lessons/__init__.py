"""Lessons: one phenomenon each, differing from its base in one factor, predicted first and then computed."""
