"""The page, for Solara's own tools. The program's door is ``meanwatt app``, which also checks who asks."""

from meanwatt.analysis.dashboard.market.page import Layout, Page

__all__ = ["Layout", "Page"]
