"""Equilibria under tariffs with components: tiers, demand charges, minimum bills, subscriptions, funded discounts."""
