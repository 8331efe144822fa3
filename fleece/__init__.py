"""fleece: the SDK for Python on AWS Lambda.

Importing this package loads nothing but itself. Submodules are loaded at first use, so ``import fleece`` followed
by ``fleece.log.get_logger()`` works and costs what ``fleece.log`` costs.
"""

__version__ = "2.0.0.dev0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_SUBMODULES = frozenset(
    {
        "authpolicy",
        "boto3",
        "connexion",
        "events",
        "handlers",
        "httperror",
        "log",
        "profiling",
        "raxauth",
        "requests",
        "testing",
        "xray",
    }
)


def __getattr__(name: str) -> "ModuleType":
    if name in _SUBMODULES:
        import importlib  # noqa: PLC0415 (loading late is what this function is for)

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})
