"""Checked by mypy and pyright, never run: what a user's editor sees."""

import fleece

version: str = fleece.__version__
