"""The population's response to prices: policies, laws, net load."""
