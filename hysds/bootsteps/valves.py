"""How the flow of a queue's messages is stopped and resumed, by broker.

A valve is asked to look whenever the gate may have opened or shut. What had already left the broker when it shut
arrives all the same: the gate puts it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

_POP_S = 5
"""How long one pop waits at a Redis broker, in whole seconds; kombu's own is 1, and costs an idle worker a quarter of
the processor time that Celery needs. Less than the settings give a command (`settings.celery.SOCKET_TIMEOUT_S`).
"""


class Valve(Protocol):
    """Stops and resumes one consumer; used in the hub's thread alone."""

    def look(self) -> None:
        """Let messages flow if the gate is open, and not if it is shut."""

    def close(self) -> None:
        """The consumer ends: wait for no message that may still come."""


class PolledValve:
    """Redis: kombu asks before each pop, so the answer is all there is to change."""

    def __init__(self, consumer: Any, is_open: Callable[[], bool]) -> None:
        self._channel = channel = consumer.channel
        within_prefetch = channel.qos.can_consume

        def can_consume() -> bool:
            # A pop that is on its way may bring a bell that is in no queue any more: its answer is read in any case,
            # so that the gate can put the bell back instead of holding it, unseen by other workers, until a slot frees.
            return bool(channel._in_poll) or (within_prefetch() and is_open())

        channel.qos.can_consume = can_consume
        channel.brpop_timeout = _POP_S

    def look(self) -> None:
        """The hub asks `can_consume` in each round."""

    def close(self) -> None:
        """Drop the pop that is on its way: kombu would wait for its answer. It could bring one bell."""
        if self._channel._in_poll:
            self._channel._in_poll.disconnect()


class PushedValve:
    """RabbitMQ: it sends to whoever consumes, so a full worker cancels and consumes again later."""

    def __init__(self, consumer: Any, is_open: Callable[[], bool]) -> None:
        self._consumer = consumer
        self._is_open = is_open
        self._flows = True  # the event loop starts to consume by itself

    def look(self) -> None:
        """Cancel or consume; messages that arrive while the broker confirms come back to `look` and find it done."""
        wanted = self._is_open()
        if wanted == self._flows:
            return
        self._flows = wanted
        if wanted:
            self._consumer.consume()
        else:
            self._consumer.cancel()

    def close(self) -> None:
        """Celery cancels its consumers by itself."""


def valve_for(driver: str, consumer: Any, is_open: Callable[[], bool]) -> Valve:
    """The valve of a transport, by kombu's `driver_type`. Raises: KeyError for one that settings don't allow."""
    kinds: dict[str, Callable[[Any, Callable[[], bool]], Valve]] = {"redis": PolledValve, "amqp": PushedValve}
    return kinds[driver](consumer, is_open)
