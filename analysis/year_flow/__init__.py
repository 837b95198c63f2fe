"""A feeder under a long series of loads, such as a year of hours: read, solved and summed block by block."""
