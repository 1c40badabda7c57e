"""How often a job waits for the server, from its acceptance to its commit, client and worker together.

Counted at the sockets, by a relay that client and worker talk through. Whoever only watches (the waiting client here,
indexer and reconciler) talks to the server directly, and a renewal belongs to a worker's clock and not to a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks import raw_celery, sampling, system
from benchmarks.processes import directory
from benchmarks.relay import Counts, relay
from benchmarks.row import Samples
from benchmarks.server import server
from hysds.adapters.ledger.scripts import transition
from hysds.sdk.client import Client

_LEDGER, _BELLS = 0, 1
_JOBS = 20
_ROUNDS = 5
_WAIT_S = 30.0


def ledger() -> Samples:
    """Sends a job to the ledger, bells apart; the peer's to broker and results together."""
    renewal = transition("renew").sha

    def of_the_ledger(database: int, send: str) -> bool:
        return database == _LEDGER and renewal not in send

    return _measure(of_the_ledger, lambda database, send: True)


def broker() -> Samples:
    """Sends a job to the broker, polls for bells included; the peer's to the broker alone."""
    return _measure(
        lambda database, send: database == _BELLS,
        lambda database, send: database == raw_celery.BROKER_DATABASE,
    )


Chooser = Callable[[int, str], bool]
"""Whether a send (database, text) counts."""


def _measure(ours: Chooser, peers: Chooser) -> Samples:
    with _both_worlds() as (jobs, tasks, counts):

        def sends(work: Callable[[], None], counted: Chooser) -> float:
            counts.take()
            for _ in range(_JOBS):
                work()
            return sum(times for send, times in counts.take().items() if counted(*send)) / _JOBS

        return sampling.alternate(
            partial(sends, jobs, ours), partial(sends, tasks, peers), _ROUNDS, warm_ups=1
        )


@contextmanager
def _both_worlds() -> Iterator[tuple[Callable[[], None], Callable[[], None], Counts]]:
    """What runs one job, what runs one task of the peer's, and the counts."""
    with directory() as home, server(home) as started:
        path = home / "run" / "relay.sock"
        with (
            relay(path, started.socket) as counts,
            system.roles(home, f"unix://{path}"),
            raw_celery.worker(started, path) as sender,
            system.client(home, f"unix://{path}") as submitting,
            system.client(home) as watching,
        ):
            yield partial(_job, submitting, watching), partial(_task, sender), counts


def _job(submitting: Client, watching: Client) -> None:
    watching.wait(submitting.submit(system.spec("/bin/true")).id, _WAIT_S)


def _task(sender: Any) -> None:
    raw_celery.run(sender)
