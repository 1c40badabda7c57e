"""Job types that several operators register at the same time, in one Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hysds.bootstrap import System
from hysds.core.errors import Refused
from hysds.core.job_types.additions import Adding, job_type
from hysds.core.job_types.catalog import JobType
from hysds.core.job_types.interfaces import Interface, JobFile
from hysds.sdk.client import Client
from hysds.settings import load
from hysds.wiring.real import RealAdapters
from services.redis import RedisOptions, RedisServer

_OPERATORS, _EACH = 8, 5


def _type(name: str, command: str = "true") -> JobType:
    return job_type(Interface(f"hysds-io-{name}:v1", JobFile(command)), ())


def _client(server: RedisServer) -> Client:
    loaded = load.load(environ={"HYSDS_LEDGER_URL": server.url, "HYSDS_CONFIG": ""})
    return Client(System(loaded.settings, RealAdapters(loaded.handed_on())))


def _at_once(works: list[Callable[[], None]]) -> None:
    """Each in a thread of its own, all from one moment on."""
    start = threading.Barrier(len(works))

    def begin(work: Callable[[], None]) -> None:
        start.wait()
        work()

    threads = [threading.Thread(target=begin, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nothing_that_was_registered_is_lost(start_valkey: Callable[[RedisOptions], RedisServer]) -> None:
    """Each operator adds types one by one, while others do: at the end all of them are there."""
    server = start_valkey(RedisOptions())
    clients = [_client(server) for _ in range(_OPERATORS)]

    def add(operator: int) -> None:
        for number in range(_EACH):
            clients[operator].add_types([_type(f"{operator}-{number}")])

    _at_once([lambda operator=operator: add(operator) for operator in range(_OPERATORS)])  # type: ignore[misc]
    found = [set(client.types()) for client in clients]
    for client in clients:
        client.close()

    assert [
        {f"job-{one}-{number}:v1" for one in range(_OPERATORS) for number in range(_EACH)}
    ] * _OPERATORS == found


def test_of_several_contents_of_one_version_one_is_registered(
    start_valkey: Callable[[RedisOptions], RedisServer],
) -> None:
    """The first one stands; every other operator is refused and told so."""
    server = start_valkey(RedisOptions())
    clients = [_client(server) for _ in range(_OPERATORS)]
    ends: list[Adding | Refused] = []

    def add(operator: int) -> None:
        try:
            ends.append(clients[operator].add_types([_type("x", f"echo {operator}")])["job-x:v1"])
        except Refused as refusal:
            ends.append(refusal)

    _at_once([lambda operator=operator: add(operator) for operator in range(_OPERATORS)])  # type: ignore[misc]
    types = clients[0].types()
    for client in clients:
        client.close()

    assert len(types) == 1
    assert ends.count(Adding.ADDED) == 1
    assert sum("registered with other content" in str(end) for end in ends) == _OPERATORS - 1
