"""The page of the leader: its tariff is searched for, and every tariff tried is seen."""
