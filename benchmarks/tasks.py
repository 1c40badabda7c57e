"""Light tasks, one at a time and many at once, beside a raw Celery worker of processes with results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from benchmarks import raw_celery, sampling, system
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import server
from hysds.sdk.client import Client
from services.rabbitmq import RabbitServer, rabbitmq_program

_MODULE = "benchmarks.raw_celery"
_FUNCTION = f"{_MODULE}.nothing"
"""Both call the same function."""
_ROUNDS = 200
_TASKS = 500
_BATCHES = 4
_WITHIN_S = 120.0


def round_trip(on_rabbit: bool) -> Samples:
    """Seconds of a task that does nothing, from its submission to its result; the peer's, in a pool of processes."""
    with _sides(on_rabbit) as (client, sender):
        ours = partial(sampling.duration, partial(_call, client))
        peer = partial(sampling.duration, partial(raw_celery.run, sender))
        return sampling.alternate(ours, peer, _ROUNDS, warm_ups=10)


def throughput(on_rabbit: bool) -> Samples:
    """Tasks a second that do nothing, from the first's submission to the last's result; the peer's likewise."""
    with _sides(on_rabbit) as (client, sender):
        ours = partial(sampling.rate, partial(_call_all, client), _TASKS)
        peer = partial(sampling.rate, partial(_send_all, sender), _TASKS)
        return sampling.alternate(ours, peer, _BATCHES, warm_ups=1)


def _call(client: Client) -> None:
    client.run_task(_FUNCTION).result(_WITHIN_S)


def _call_all(client: Client) -> None:
    for handle in client.submit_tasks([{"function": _FUNCTION}] * _TASKS):
        handle.result(_WITHIN_S)


def _send_all(sender: Any) -> None:
    sent = [sender.tasks["bench.nothing"].apply_async() for _ in range(_TASKS)]
    for result in sent:
        result.get(timeout=_WITHIN_S)


@contextmanager
def _sides(on_rabbit: bool) -> Iterator[tuple[Client, Any]]:
    """A client and a sender, each with a worker of two processes, on one broker."""
    with ExitStack() as started:
        home = started.enter_context(directory())
        # As durable as the peer: a power loss may undo the last moment. With `always` the disk would decide.
        valkey = started.enter_context(server(home, "everysec"))
        variables: dict[str, str] = {}
        urls = valkey.kombu_url(raw_celery.BROKER_DATABASE), valkey.kombu_url(raw_celery.RESULTS_DATABASE)
        if on_rabbit:
            broker = RabbitServer(rabbitmq_program())
            broker.start()
            started.callback(broker.remove)
            variables["HYSDS_BROKER_URL"] = broker.url
            urls = broker.url, "rpc://"
        started.enter_context(system.task_roles(home, _MODULE, raw_celery.SLOTS, **variables))
        _, sender = started.enter_context(raw_celery.process(home, *urls, pool="prefork"))
        yield started.enter_context(system.client(home)), sender


def on(broker: bool, measure: Callable[[bool], Samples]) -> Callable[[], Samples]:
    """The measure on a broker (RabbitMQ, or else Redis); it keeps the sentence of what it measures."""

    def bound() -> Samples:
        return measure(broker)

    bound.__doc__ = measure.__doc__
    return bound
