"""A server that dies, hangs and comes back under a writer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hysds.core.errors import Unreachable
from hysds.core.query import JobQuery
from hysds.ports.store import Writing
from services.elasticsearch import ElasticOptions, ElasticServer
from worlds import searching
from worlds.searching import document

_BATCH = 100
_BATCHES = 60


def test_a_server_killed_in_the_middle_keeps_what_it_answered(
    start_elastic: Callable[[ElasticOptions], ElasticServer], tmp_path: Path
) -> None:
    """What was answered as written is there after kill -9 and a start, in no older revision; what was not is an outage
    for as long as it lasts, and goes through again with the same store. A server that hangs is one that is away.
    """
    server = start_elastic(ElasticOptions())
    system = searching.system(tmp_path, server.node, "", timeout_s=20)
    searching.make_indices(system)
    answered: dict[str, int] = {}
    is_dying = threading.Event()

    def write_on() -> None:
        for batch in range(_BATCHES):
            documents = [document(number, revision=batch + 1) for number in range(batch % 7 * _BATCH)]
            for one, wrote in zip(documents, system.store.write(documents), strict=True):
                assert wrote.how is Writing.WRITTEN
                answered[one["id"]] = one["revision"]
            if batch == 20:
                is_dying.set()

    def kill() -> None:
        is_dying.wait()
        server.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with contextlib.suppress(Unreachable):  # unless all was written before the server was dead
        write_on()
    killer.join()
    with pytest.raises(Unreachable):
        system.store.write([document(1, 10**6)])
    assert answered

    server.start()
    held = system.store.get(list(answered))
    assert all(one is not None and one["revision"] >= answered[one["id"]] for one in held)
    late = system.store.write([document(int(id_[-12:]), revision) for id_, revision in answered.items()])
    assert {one.how for one in late} == {Writing.OLDER}

    server.hang()
    impatient = searching.system(tmp_path, server.node, "", timeout_s=0.3)
    with pytest.raises(Unreachable, match="did not answer"):
        impatient.store.search(JobQuery())
    server.go_on()
    system.store.refresh()
    assert system.store.find(JobQuery(limit=1)).total >= len(answered)
    for one in (system, impatient):
        one.close()
