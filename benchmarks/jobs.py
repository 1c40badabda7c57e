"""Jobs through the whole system: one that does nothing, many at once, and one that prints a million lines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import raw_celery, sampling, system
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import server
from hysds.core.spec import JobSpec

_NOOP_ROUNDS = 100
_BATCH = 500
_FAN_OUT = 1_000
_PUBLISH_ROUNDS = 10
_OUTPUT_ROUNDS = 5
_MILLION_LINES = "seq 1000000"


def noop() -> Samples:
    """Seconds of `/bin/true` from submit to the document of its end; the peer's from apply_async to its result."""
    with (
        directory() as home,
        server(home) as started,
        system.roles(home),
        raw_celery.worker(started) as sender,
        system.client(home) as client,
    ):
        ours = partial(sampling.duration, partial(system.run, client, "/bin/true"))
        peer = partial(sampling.duration, partial(raw_celery.run, sender))
        return sampling.alternate(ours, peer, _NOOP_ROUNDS, warm_ups=10)


def submit() -> Samples:
    """Jobs a second by `submit_many`, validated, deduplicated and durable; the peer's by apply_async, same payload."""
    # With an fsync a publish the disk would decide the ratio, and in our favour: we need one for 500 jobs.
    with directory() as home, server(home, "everysec") as started, system.client(home) as client:
        sender = raw_celery.app_on(started)
        numbers = iter(range(10**9))

        def payloads() -> list[dict[str, object]]:
            return [{"_command": "/bin/true", "number": next(numbers)} for _ in range(_BATCH)]

        def ours() -> float:
            specs = [{"job_type": "job:bench", "payload": payload} for payload in payloads()]
            return sampling.rate(partial(client.submit_many, specs), _BATCH)

        def peer() -> float:
            batch = payloads()
            return sampling.rate(partial(_publish, sender.tasks["bench.nothing"].apply_async, batch), _BATCH)

        try:
            return sampling.alternate(ours, peer, _PUBLISH_ROUNDS, warm_ups=1)
        finally:
            sender.close()


def fan_out() -> Samples:
    """Seconds until a request for 1,000 members is taken, each a job of its own; the peer's, `submit_many` of them."""
    with directory() as home, server(home), system.client(home) as client:
        numbers = iter(range(10**9))

        def members() -> list[JobSpec]:
            return [client.parse(_numbered(next(numbers))) for _ in range(_FAN_OUT)]

        def ours() -> float:
            parent = client.parse({"job_type": "job:bench", "payload": {}})
            return sampling.duration(lambda: client.submit_group(parent, members()))

        def peer() -> float:
            return sampling.duration(lambda: client.submit_many(members()))

        return sampling.alternate(ours, peer, _PUBLISH_ROUNDS, warm_ups=1)


def _numbered(number: int) -> dict[str, object]:
    return {"job_type": "job:bench", "payload": {"_command": "/bin/true", "number": number}}


def output() -> Samples:
    """Seconds of a job that prints 10^6 lines, all of them followed live; the floor's, straight to a file."""
    with directory() as home, server(home), system.roles(home), system.client(home) as client:
        ours = partial(sampling.duration, partial(system.run, client, _MILLION_LINES))
        peer = partial(sampling.duration, partial(_to_file, home / "straight.txt"))
        return sampling.alternate(ours, peer, _OUTPUT_ROUNDS, warm_ups=1)


def spec_file(home: Path) -> Path:
    """A file with the spec of a job that does nothing."""
    path = home / "job.json"
    path.write_text(json.dumps(system.spec("/bin/true")))
    return path


def _publish(apply_async: Callable[..., object], payloads: list[dict[str, object]]) -> None:
    for payload in payloads:
        apply_async((payload,))


def _to_file(path: Path) -> None:
    with path.open("wb") as file:
        subprocess.run(_MILLION_LINES.split(), stdout=file, check=True)
