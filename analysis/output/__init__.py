"""Results as files: JSON, tables, arrays."""
