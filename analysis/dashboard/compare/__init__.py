"""The page that shows two tariffs of one scenario side by side, on every number."""
