"""Serve an OpenAPI specification with connexion 3, from the events of API Gateway, function URLs, load balancers.

::

    from fleece.connexion import call_proxy_api

    def handler(event, context):
        return call_proxy_api(event, "users", "openapi.yml", logger)

The application is made at the first call and kept, and runs on one event loop that lives as long as the container.
Synchronous handlers, error handlers and Flask are called on that loop directly: no request starts a thread or a loop.
"""

import warnings

with warnings.catch_warnings():
    # Connexion uses deprecated names of its dependencies: its users can do nothing about that.
    warnings.simplefilter("ignore")
    import connexion as connexion

from fleece.handlers.connexion._application import FleeceApp
from fleece.handlers.connexion._cache import call_api, call_proxy_api, get_connexion_app

__all__ = ["FleeceApp", "call_api", "call_proxy_api", "get_connexion_app"]
