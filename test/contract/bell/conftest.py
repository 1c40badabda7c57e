"""Every bell beside whatever hears it: in memory, on Valkey, on RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from kombu import Connection, Queue
from kombu.message import Message

from hysds.adapters.bell.celery import CeleryBell
from hysds.adapters.bell.memory import MemoryBell
from hysds.ports.bell import Bell
from hysds.settings.model import Settings
from hysds.settings.servers import Broker


class Ear(Protocol):
    """Takes from a queue what was rung."""

    def take(self, queue: str) -> list[str]:
        """The queues that the waiting bells name, and no bell waits any more."""


@dataclass(frozen=True)
class Hall:
    """A bell and its ear."""

    bell: Bell
    ear: Ear


class MemoryEar:
    def __init__(self, bell: MemoryBell) -> None:
        self._bell = bell

    def take(self, queue: str) -> list[str]:
        return [queue] * self._bell.take(queue)


class BrokerEar:
    """Hears with a bare client, so that nothing of Celery's worker stands between."""

    def __init__(self, url: str) -> None:
        self._url = url

    def messages(self, queue: str) -> list[Message]:
        """The waiting messages, taken and acknowledged."""
        found = []
        with Connection(self._url) as connection, connection.channel() as channel:
            while (message := _next(channel, queue)) is not None:
                message.ack()
                found.append(message)
        return found

    def take(self, queue: str) -> list[str]:
        return [message.payload[0][0] for message in self.messages(queue)]


def _next(channel, queue: str) -> Message | None:
    try:
        return Queue(queue, channel=channel).get(accept={"application/json"})
    except channel.connection.client.channel_errors:  # RabbitMQ: nobody has declared the queue
        return None


@pytest.fixture(params=["memory", "valkey", "rabbitmq"])
def hall(request: pytest.FixtureRequest) -> Iterator[Hall]:
    """Each bell in turn."""
    if request.param == "memory":
        memory = MemoryBell()
        yield Hall(memory, MemoryEar(memory))
        return
    url = request.getfixturevalue(f"{request.param}_server").url
    bell = CeleryBell(Settings(home=Path("/nonexistent"), broker=Broker(url=url)))
    yield Hall(bell, BrokerEar(url))
    bell.close()


@pytest.fixture
def listen() -> Callable[[str], BrokerEar]:
    """Put an ear to a broker."""
    return BrokerEar


@pytest.fixture
def hang() -> Iterator[Callable[..., CeleryBell]]:
    """Hang a bell at a broker's URL, with settings of `broker` as wanted; it is closed with the test."""
    made: list[CeleryBell] = []

    def make(url: str, **broker: float) -> CeleryBell:
        made.append(CeleryBell(Settings(home=Path("/nonexistent"), broker=Broker(url=url, **broker))))
        return made[-1]

    yield make
    for bell in made:
        bell.close()
