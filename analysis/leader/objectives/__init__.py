"""The objectives of a leader, a module each: its file's name is the leader's, its ``OBJECTIVE`` says what it wants."""
