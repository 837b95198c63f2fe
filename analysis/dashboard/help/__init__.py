"""The page that says what this is, how its figures are read, and what its words mean."""
