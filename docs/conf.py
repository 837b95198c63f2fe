"""How the documents become a site: ``uv run --group docs sphinx-build -W docs site``.

Everything that a page needs is in the site: it is read from disk and without a network like from a server.
"""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Meanwatt"
author = "The Meanwatt developers"
copyright = "The Meanwatt developers"
version = release = installed_version("meanwatt")
language = "en"

extensions = [
    "myst_parser",
    "builder.api",
    "builder.contents",
    "builder.generated",
    "builder.links",
    "builder.quick",
]
exclude_patterns = ["builder", "examples"]

myst_heading_anchors = 3  # as a git host makes them
highlight_language = "none"
smartquotes = False  # "--json" stays as it is written
nitpicky = True  # a name of ours that leads nowhere is a broken link
toc_object_entries = False

html_theme = "furo"
html_title = "Meanwatt"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # it is fetched, which a browser refuses to pages on disk
