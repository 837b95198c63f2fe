"""Reference of the files that a user writes, read from the schema that checks them."""
