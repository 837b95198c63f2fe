"""What a visitor takes away from a page: its figures, its tables, and the lines that give its numbers in Python."""
