"""How households decide: the protocol, and those who follow tariffs, beliefs, their own bills, or a rule."""
