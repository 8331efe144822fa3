"""Isolation: a test session from which nothing leaves this machine (``fleece_isolate = true``).

- `guard` stands in every Python process of the session: an audit hook that refuses, and writes down who tried.
- `environment` is what the session's variables become: dummies, dead proxies, and the guard for children.
- `session` starts and ends it, and `reporter` is the pytest plugin that says what was tried, and where.
"""
