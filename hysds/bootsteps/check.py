"""How a job worker may be started: what Celery's options or variables would quietly change is refused.

Celery ignores `-P prefork` where a pool is configured, but obeys any other `-P`, `-b`, CELERY_BROKER_URL and
`worker.… =` behind the command; each of them could split a worker from those who ring for it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from celery.concurrency.thread import TaskPool

from hysds.celery import JobApp
from hysds.core import queue_names

# What an operator may choose on the command line.
_CHOSEN = frozenset({"worker_concurrency", "task_queues", "task_default_queue"})


def complaints(worker: Any, expected: Mapping[str, object]) -> list[str]:
    """All that is wrong with how this worker was started; `expected` is the configuration that the settings make."""
    return [*_pool(worker), *_options(worker), *_queues(worker), *_configuration(worker.app.conf, expected)]


def right_command(worker: Any) -> str:
    """The command that starts this worker as it should be."""
    named = [name for name in worker.app.amqp.queues.consume_from if not any(queue_names.check(name))]
    others = [name for name in named if _is_other(worker, name)]
    door = worker.app.door_of(others[0]) if others else worker.app.door
    queues, name = ",".join(others or named), worker.hostname
    words = [
        "celery",
        "-A",
        door,
        "worker",
        "-Q",
        queues or "QUEUE",
        "-c",
        str(worker.concurrency),
        "-n",
        name,
    ]
    return shlex.join(words)


def _is_other(worker: Any, queue: str) -> bool:
    """Whether a queue is one of the other kind of worker."""
    return worker.app.door_of(queue) not in (None, worker.app.door)


def _pool(worker: Any) -> Iterator[str]:
    if not (isinstance(worker.pool_cls, type) and issubclass(worker.pool_cls, TaskPool)):
        kind = getattr(worker.pool_cls, "__module__", worker.pool_cls)
        yield f"a worker supervises on threads, not on {kind}: leave -P out, or say -P threads"


def _options(worker: Any) -> Iterator[str]:
    if worker.autoscale:
        yield "--autoscale: a worker's slots are fixed; say -c"
    if worker.time_limit or worker.soft_time_limit:
        yield "--time-limit and --soft-time-limit don't hold on threads; a job's limits stand in its spec"
    if worker.options.get("beat"):
        yield "-B: a worker starts no beat"


def _queues(worker: Any) -> Iterator[str]:
    for name in worker.app.amqp.queues.consume_from:
        if _is_other(worker, name):
            what = "jobs" if worker.app.door_of(name) == JobApp.door else "tasks"
            yield f"-Q: {name} is a queue of {what}, which this worker can't run"
        for complaint in queue_names.check(name, "-Q"):
            yield f"no queue of jobs: {complaint}"


def _configuration(conf: Any, expected: Mapping[str, object]) -> Iterator[str]:
    for key, value in expected.items():
        # `get` passes by the attributes that let Celery's variables win, so both are asked.
        if key not in _CHOSEN and (conf.get(key) != value or getattr(conf, key) != value):
            yield f"{key} is not what the settings say: leave it to them (no -b, no CELERY_… variable, no `-- {key}=`)"
