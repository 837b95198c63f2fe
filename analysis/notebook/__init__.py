"""What a notebook asks for in a line: solve, simulate, validate, design, with results that show themselves."""
