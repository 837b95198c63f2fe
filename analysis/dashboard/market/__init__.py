"""The market page: one scenario, one tariff, and the homes that answer it day by day."""
