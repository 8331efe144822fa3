"""Serve HTTP applications from Lambda events: API Gateway, function URLs, load balancers.

- `fleece.handlers.wsgi`: any WSGI application (Flask, Django, Bottle);
- `fleece.handlers.asgi`: any ASGI application (FastAPI, Starlette, Django, Quart);
- `fleece.handlers.connexion`: an OpenAPI specification and functions, by connexion 3.

All are thin edges over one pure translation, which imports no framework: an event becomes a `Request`, the answer is
a `Response`, and that becomes what the sender of the event wants back.
"""
