"""What `fleece.requests` is made of: sessions, over retries, over warm connections.

Each module reads only what is to its right: `sessions` | `connections` | `retries`; `types` is for type checkers alone.
"""
