"""Calls over the broker, for whoever reaches no ledger: a task's name, its one argument, and an answer later."""

from __future__ import annotations

from typing import Any, Protocol


class Sent(Protocol):
    """A call that the broker took."""

    @property
    def id(self) -> str:
        """The message's id, which is that of the job."""

    def result(self, timeout_s: float | None = None) -> Any:
        """The answer, once it has come.

        Raises: the callee's error; TimeoutError when none came within the timeout (None: wait for ever).
        """


class Calls(Protocol):
    """Sends calls. Any thread may send."""

    def send(self, task: str, argument: object, queue: str, priority: int | None = None) -> Sent:
        """Have a task called with one argument. `priority` of None: what the argument says.

        Raises: Unreachable when the broker does not take it.
        """

    def close(self) -> None:
        """Let go of connections."""
