"""HySDS: job orchestration on Celery for GPU machines.

The names below are loaded when first used (PEP 562), so `import hysds` costs and reads next to nothing.
What else is public lives where the room signs say.
"""

from importlib import import_module

# As `typing` has it, whose import takes longer than all else here; type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from hysds.sdk.client import Client
    from hysds.sdk.tasks import do_submit_job, do_submit_task

__version__ = "0.1.0"

# Public name -> the module that defines it.
_HOME = {
    "Client": "hysds.sdk.client",
    "do_submit_job": "hysds.sdk.tasks",
    "do_submit_task": "hysds.sdk.tasks",
}

__all__ = ["Client", "__version__", "do_submit_job", "do_submit_task"]


def __getattr__(name: str) -> object:
    """Load a public name from its home; the answer is kept, so this runs once a name."""
    if name not in _HOME:
        raise AttributeError(f"module 'hysds' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
