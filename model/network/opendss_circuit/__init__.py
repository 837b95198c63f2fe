"""Circuits of OpenDSS, run by the engine in a bounded child process, as feeders of a positive sequence."""
