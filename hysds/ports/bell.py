"""The doorbell: a message that says *queue Q has work*, and no more. It may be lost, doubled or late."""

from __future__ import annotations

from typing import Protocol

MANY = 100
"""More bells than that in one queue say that nobody takes them."""


class Bell(Protocol):
    """Rings."""

    def ring(self, queue: str, times: int) -> None:
        """Ring a queue's bell so many times.

        Raises: Unreachable when the broker does not take it.
        """

    def waiting(self, queue: str) -> int:
        """How many bells lie in a queue that nobody has heard yet, expired ones included where the broker keeps them.

        Raises: Unreachable when the broker does not say.
        """

    def drop(self, queue: str) -> int:
        """Take away the bells that lie in a queue; answers how many. What they spoke of is found without them.

        Raises: Unreachable when the broker does not say.
        """

    def close(self) -> None:
        """Let go of connections."""
