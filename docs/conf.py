"""How Sphinx makes the documentation: ``sphinx-build -W docs site``."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import make_commands

from evofool import __version__

project, author, release = "evofool", "the evofool developers", __version__
copyright = "the evofool developers, MIT licence"  # noqa: A001

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["site", "*.py"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
master_doc = "index"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
myst_links_external_new_tab = False
nb_execution_mode = "off"  # the notebooks hold what their cells showed: docs/make_tutorials.py
suppress_warnings = ["myst.xref_missing"]  # of files in benchmarks/, which are for readers of the repository

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring, napoleon_use_rtype = True, False

html_theme = "furo"
html_title = "evofool"
html_static_path, html_css_files = ["_static"], ["notebooks.css"]
html_show_sphinx = False
html_copy_source = False
highlight_language = "none"
pygments_style, pygments_dark_style = "default", "github-dark"


def setup(app: Sphinx) -> None:
    """Write the page of commands before anything is read."""
    app.connect("builder-inited", lambda _: make_commands.write())
