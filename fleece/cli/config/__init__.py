"""``fleece config``."""
