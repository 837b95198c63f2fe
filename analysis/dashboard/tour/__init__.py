"""The tour that plays by itself on the real pages: what it says and does, and the caption that shows it."""
