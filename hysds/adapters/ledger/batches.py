"""Long requests in atomic parts of MAX_BATCH: a longer script would keep the server from everybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from hysds.core.requests import MAX_BATCH, Accepted, Moved, Ready, Staging

Item = TypeVar("Item")


def parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items in order, at most MAX_BATCH at once."""
    for first in range(0, len(items), MAX_BATCH):
        yield items[first : first + MAX_BATCH]


def accepted(items: Sequence[Item], step: Callable[[Sequence[Item]], Accepted]) -> Accepted:
    """One answer over all parts."""
    answers = [step(part) for part in parts(items)]
    return Accepted(
        tuple(answer for part in answers for answer in part.answers),
        merged(ready for part in answers for ready in part.ready),
    )


def staged(items: Sequence[Item], step: Callable[[int, Sequence[Item]], Staging]) -> Staging:
    """The answer to the last part, or to the first that was refused. `step` is told where its part begins."""
    answer, at = Staging.STAGED, 0
    for part in parts(items):
        answer = step(at, part)
        if answer is not Staging.STAGED:
            return answer
        at += len(part)
    return answer


def moved(items: Sequence[Item], step: Callable[[Sequence[Item]], Moved]) -> Moved:
    """One answer over all parts."""
    answers = [step(part) for part in parts(items)]
    return Moved(
        tuple(answer for part in answers for answer in part.answers),
        merged(ready for part in answers for ready in part.ready),
    )


def merged(told: Iterable[Ready]) -> tuple[Ready, ...]:
    """One row a queue, by name: jobs add up, and the last count of hearers stands."""
    rows: dict[str, Ready] = {}
    for row in told:
        known = rows.get(row.queue, Ready(row.queue, 0, 0, 0))
        rows[row.queue] = Ready(row.queue, known.jobs + row.jobs, known.unheard + row.unheard, row.hearers)
    return tuple(rows[queue] for queue in sorted(rows))
