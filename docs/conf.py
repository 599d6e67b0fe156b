"""How Sphinx builds the pages: Markdown in, furo out."""

from importlib.metadata import version as installed_version

project = "meteor_net"
author = "The meteor_net developers"
copyright = f"2026, {author}"
version = release = installed_version("meteor-net")

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"meteor_net {version}"
