"""HySDS: job orchestration on Celery for GPU machines.

The names below are loaded when first used (PEP 562), so `import hysds` costs and reads next to nothing.
What else is public lives where the room signs say.
"""

from importlib import import_module

__version__ = "0.1.0"

# Public name -> the module that defines it.
_HOME: dict[str, str] = {}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> object:
    """Load a public name from its home; the answer is kept, so this runs once a name."""
    if name not in _HOME:
        raise AttributeError(f"module 'hysds' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
