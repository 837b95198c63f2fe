"""A leader that learns from meters."""
