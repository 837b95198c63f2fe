"""The challenge: a tariff drawn by hand, and what it is worth beside the tariff in force and a computed one."""
