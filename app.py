"""The browser app's door: ``meanwatt app``, or ``solara run app.py --production``."""

from analysis.dashboard.page import Layout, Page

__all__ = ["Layout", "Page"]
