"""Reports: a result as one web page that holds all it needs."""
