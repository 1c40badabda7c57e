"""Job creators: functions of the operator's that turn one request into job descriptions, called where they can do no
harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a creator."""

    function: str
    """Its dotted name, as the job type has it."""
    info: Mapping[str, Any]
    """The payload of the spec."""
    job_type: str
    """The spec's type without its namespace, for a function that asks for it."""


class CallFailed(Exception):
    """A creator gave no job descriptions. `what` says why, in words that follow the creator's name; `tail` are the
    last lines of its traceback or output, none where there are none.
    """

    def __init__(self, what: str, tail: tuple[str, ...] = ()) -> None:
        super().__init__(what, tail)
        self.what = what
        self.tail = tail


class Creators(Protocol):
    """Calls creators. Safe to share between threads."""

    def create(self, call: Call) -> tuple[Mapping[str, Any], ...]:
        """The descriptions that the function returns, in its order; none where it returns an empty list.

        Raises: CallFailed, whatever the function or its process did.
        """
        ...

    def close(self) -> None:
        """Let go of all processes."""
        ...
