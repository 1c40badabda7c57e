"""Many jobs at once, deep queues, durability, and what a worker costs that has nothing to do."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from glob import glob
from pathlib import Path
from typing import Any

from benchmarks import ledger, raw_celery, sampling, system
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import server
from hysds.lib.process.guard import tree
from hysds.sdk.client import Client
from services.rabbitmq import RabbitServer, rabbitmq_program

_JOBS = 500
_ROUNDS = 3
_SHALLOW, _DEEP = 1_000, 1_000_000
_BATCH = 500
_IDLE_S = 10.0
_IDLE_SPANS = 4
_WITHIN_S = 600.0


def sustained(slots: int, on_rabbit: bool) -> Samples:
    """Jobs a second that do nothing, from the first's submission to the last's end; the peer's tasks, with results."""
    with ExitStack() as started:
        home = started.enter_context(directory())
        valkey = started.enter_context(server(home))
        broker = {"HYSDS_BROKER_URL": started.enter_context(_rabbit())} if on_rabbit else {}
        started.enter_context(system.roles(home, slots=slots, **broker))
        broker_url = broker.get("HYSDS_BROKER_URL") or valkey.kombu_url(raw_celery.BROKER_DATABASE)
        results_url = valkey.kombu_url(raw_celery.RESULTS_DATABASE)
        _, sender = started.enter_context(raw_celery.process(home, broker_url, results_url, slots))
        client = started.enter_context(system.client(home))
        ours = partial(sampling.rate, partial(_run_all, client), _JOBS)
        peer = partial(sampling.rate, partial(_send_all, sender), _JOBS)
        return sampling.alternate(ours, peer, _ROUNDS, warm_ups=1)


def durable() -> Samples:
    """Jobs a second through the ledger with an fsync a step (`always`); the peer's: the same with `everysec`."""
    with ledger.opened("always") as (always, _), ledger.opened("everysec") as (everysec, _):
        sides = [ledger.turning(side, 10 * ledger.TURNS) for side in (always, everysec)]
        return sampling.alternate(sides[0], sides[1], 8, warm_ups=1)


def deep_queue() -> Samples:
    """Jobs a second that the ledger accepts with 10^6 jobs queued; the peer's: with 10^3.

    Neither server rewrites its log meanwhile; each does so by itself whenever that has doubled, and is slower then.
    """
    with ledger.opened() as (deep, large), ledger.opened() as (shallow, small):
        submissions = ledger.submissions()
        for book, count in ((deep, _DEEP), (shallow, _SHALLOW)):
            for _ in range(count // _BATCH):
                book.accept(list(itertools.islice(submissions, _BATCH)))
        for started in (large, small):
            started.await_rewritten()

        def rate(book: Any) -> float:
            batch = list(itertools.islice(submissions, _BATCH))
            return sampling.rate(partial(book.accept, batch), _BATCH)

        return sampling.alternate(partial(rate, deep), partial(rate, shallow), 20, warm_ups=2)


def idle_memory() -> Samples:
    """Resident bytes of an idle worker, its guardian included; the peer's: a bare Celery worker's."""
    with _idle_workers() as (ours, peer):
        return Samples((_resident_bytes(ours),), (_resident_bytes(peer),))


def idle_cpu() -> Samples:
    """Processor seconds a second of an idle worker, its guardian included; the peer's: a bare Celery worker's.

    Both in the same spans of time, by the scheduler's count of nanoseconds: ticks of 10 ms would be some five a span.
    """
    with _idle_workers() as (ours, peer):
        spans = [_idle_span(ours, peer) for _ in range(_IDLE_SPANS + 1)]
        return Samples(*zip(*spans[1:], strict=True))  # in the first what began with a job comes to its end


def named(measure: Callable[..., Samples], *arguments: Any) -> Callable[[], Samples]:
    """The measure with these arguments; it keeps the sentence of what it measures."""

    def bound() -> Samples:
        return measure(*arguments)

    bound.__doc__ = measure.__doc__
    return bound


def _run_all(client: Client) -> None:
    specs = [system.spec("/bin/true") for _ in range(_JOBS)]
    ids = [submission.id for submission in client.submit_many(specs)]
    for job_id in ids:
        client.wait(job_id, _WITHIN_S)


def _send_all(sender: Any) -> None:
    sent = [sender.tasks["bench.nothing"].apply_async() for _ in range(_JOBS)]
    for result in sent:
        result.get(timeout=_WITHIN_S)


@contextmanager
def _rabbit() -> Iterator[str]:
    """The URL of a broker of our own."""
    broker = RabbitServer(rabbitmq_program())
    try:
        broker.start()
        yield broker.url
    finally:
        broker.remove()


@contextmanager
def _idle_workers() -> Iterator[tuple[int, int]]:
    """The pids of a job worker and of a bare Celery worker, as Celery starts it, after one job each."""
    with directory() as home, server(home) as valkey, system.roles(home) as ours:
        urls = valkey.kombu_url(raw_celery.BROKER_DATABASE), valkey.kombu_url(raw_celery.RESULTS_DATABASE)
        with raw_celery.process(home, *urls, bare=True) as (peer, _):
            yield ours.pid, peer.pid


def _resident_bytes(pid: int) -> float:
    """Of a process and all below it, shared pages shared out among those that share them."""
    return float(sum(_proportional_bytes(each) for each in tree.below([pid])))


def _proportional_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _idle_span(*pids: int) -> tuple[float, ...]:
    """Processor seconds a second of each, in one span of time."""
    before_ns = [_cpu_ns(pid) for pid in pids]
    began_ns = time.monotonic_ns()
    time.sleep(_IDLE_S)
    passed_ns = time.monotonic_ns() - began_ns
    return tuple((_cpu_ns(pid) - was_ns) / passed_ns for pid, was_ns in zip(pids, before_ns, strict=True))


def _cpu_ns(pid: int) -> int:
    """Processor time of all threads of a process and of all below it."""
    return sum(
        int(count)
        for each in tree.below([pid])
        for task in glob(f"/proc/{each}/task/*")
        for count in tree.read(f"{task}/schedstat").split()[:1]
    )
