"""Two systems that live through all cells: one whose bells go through the ledger's server, one with RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.rabbitmq import RabbitServer, rabbitmq_program
from services.redis import Appendfsync, RedisOptions, RedisServer, valkey_program
from worlds.faults.system import FaultySystem


@pytest.fixture(scope="session")
def on_valkey() -> Iterator[FaultySystem]:
    """Two workers; all is lost with its Valkey but the append-only file."""
    yield from _system(None, workers=2)


@pytest.fixture(scope="session")
def on_rabbitmq() -> Iterator[FaultySystem]:
    """One worker, and a broker that takes its time to come back."""
    rabbitmq = RabbitServer(rabbitmq_program())
    try:
        rabbitmq.start()
        yield from _system(rabbitmq, workers=1)
    finally:
        rabbitmq.remove()


def _system(rabbitmq: RabbitServer | None, workers: int) -> Iterator[FaultySystem]:
    valkey = RedisServer(valkey_program(), RedisOptions(appendfsync=Appendfsync.ALWAYS))
    try:
        valkey.start()
        system = FaultySystem(valkey, rabbitmq, workers)
        try:
            system.start()
            yield system
        finally:
            system.close()
    finally:
        valkey.remove()
