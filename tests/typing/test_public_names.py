"""Checked by mypy, never run: what a user's editor sees."""

import fleece

version: str = fleece.__version__
