"""The design of a leader who is unsure which variant of a scenario it is in."""
