"""Where it happens: scenarios, weather, supply, feeder, and the market twice: finite and as a mean field."""
