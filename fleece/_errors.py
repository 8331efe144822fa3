"""The root of fleece's exceptions.

FleeceError
├── fleece.httperror.HTTPError              an HTTP status to answer with
├── fleece.handlers.asgi.StartupError       an ASGI application said that it cannot start
├── fleece.xray.XRayDaemonNotFoundError     no daemon address (never raised through a traced call)
└── fleece.cli.errors.CommandError          what a command says before it exits, with its code
"""


class FleeceError(Exception):
    """Base of every exception that fleece raises on purpose.

    Its message is one line that says what is wrong, where, and what to do. Mistakes in arguments are Python's own
    ``TypeError`` and ``ValueError``.
    """
