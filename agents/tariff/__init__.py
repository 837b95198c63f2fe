"""What a tariff posts."""
