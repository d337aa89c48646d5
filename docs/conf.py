"""Sphinx: the pages beside this file, and a reference that is generated from the code at each build."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import reference

project = "natya"
release = metadata.version("natya")
copyright = "natya's authors, Apache-2.0"  # noqa: A001  Sphinx calls it so
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"natya {release}"
html_show_sphinx = False
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
nitpicky = True

reference.write(Path(__file__).parent / "reference")
