"""What long work tells and asks while it runs, and what a machine has room for."""
