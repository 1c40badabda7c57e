"""What may be wrong with the broker: whether it answers, and bells that lie there and nobody hears."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.bell import MANY, Bell
from hysds.ports.findings import Finding


def check(bell: Bell, queues: Iterable[str], where: str) -> Iterator[Finding]:
    """All that was found in these queues.

    Raises: Unreachable
    """
    waiting = {queue: bell.waiting(queue) for queue in queues}
    yield findings.ok(
        "broker.reachable",
        f"answers; {counted(sum(waiting.values()), 'bell')} in {counted(len(waiting), 'queue')}",
        where,
    )
    for queue, count in waiting.items():
        if count > MANY:
            yield findings.warning(
                "broker.bells",
                f"{count} bells lie in queue {queue} and nobody hears them",
                f"queue {queue}",
                "start a worker for the queue, or drop them: hysds doctor --repair (no job is lost with a bell)",
            )
