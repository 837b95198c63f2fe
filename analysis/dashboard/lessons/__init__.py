"""The page of lessons: predict, then see what the program computes."""
