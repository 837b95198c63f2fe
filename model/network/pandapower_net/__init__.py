"""Networks that pandapower has saved as JSON, read as data: pandapower itself is not needed."""
