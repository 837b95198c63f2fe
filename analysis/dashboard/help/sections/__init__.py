"""The sections of the help page, a module each."""
