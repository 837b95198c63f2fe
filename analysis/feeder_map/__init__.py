"""A feeder on a map: how loaded its edges are, and GeoJSON."""
