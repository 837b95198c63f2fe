"""Games on a page solved, reported and drawn."""
