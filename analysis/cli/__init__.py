"""The command line. Commands import what they need when they run, so that every one of them starts fast."""

from analysis.cli.entry import main

__all__ = ["main"]
