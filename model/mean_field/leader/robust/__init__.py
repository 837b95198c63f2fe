"""Leaders who are unsure which world they are in: one tariff for several variants of a scenario."""
