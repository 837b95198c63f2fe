"""A leader that does not know what households want learns from its meters which tariff to post."""
