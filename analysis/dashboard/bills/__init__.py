"""The page of bills: one home's statement by month under a tariff as it is filed."""
