"""fleece_testing: test AWS Lambda functions in Python with no account and no network.

A pytest plugin (``fleece_testing.plugin``, loaded by itself when the package is installed) over plain classes that work
without pytest as well. Importing this package loads nothing; each name below is loaded at first use.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fleece_testing.aws import AWS as AWS
    from fleece_testing.context import LambdaContext as LambdaContext
    from fleece_testing.logs import Logs as Logs
    from fleece_testing.rackspace import Rackspace as Rackspace
    from fleece_testing.runtime import Runtime as Runtime
    from fleece_testing.xray_daemon import XRayDaemon as XRayDaemon

_HOME = {
    "AWS": "aws",
    "LambdaContext": "context",
    "Logs": "logs",
    "Rackspace": "rackspace",
    "Runtime": "runtime",
    "XRayDaemon": "xray_daemon",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (the names are in one place: _HOME)


def __getattr__(name: str) -> object:
    if name in _HOME:
        import importlib  # noqa: PLC0415 (loading late is what this function is for)

        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
