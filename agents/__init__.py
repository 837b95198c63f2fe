"""Who acts: households, their batteries and demand, the tariff they answer, and the utility that posts it."""
