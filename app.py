"""The pages, for Solara's own tools. The program's door is ``meanwatt app``, which also checks who asks."""

from meanwatt.analysis.dashboard.pages import routes

__all__ = ["routes"]
