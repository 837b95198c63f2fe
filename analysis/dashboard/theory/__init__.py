"""The page Theory lab: Stackelberg games that fit on a page, solved and drawn at a temperature of one's choice."""
