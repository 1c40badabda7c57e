"""How many jobs were ended of late because the ledger did not know them."""

from __future__ import annotations

from collections.abc import Iterator

from hysds.core import ghosts
from hysds.core.query import JobQuery, Span
from hysds.core.status import FailureClass, Status
from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.store import Store

_LATELY_MS = 86_400_000
_MOST = 1_000


def check(store: Store, now_ms: int) -> Iterator[Finding]:
    """What the store tells of the last day; `now_ms` is wall time.

    Raises: Unreachable
    """
    query = JobQuery(
        status=frozenset({Status.FAILED.value}),
        failure_class=frozenset({FailureClass.INTERNAL.value}),
        ended=Span(from_ms=now_ms - _LATELY_MS),
        limit=_MOST,
    )
    page = store.search(query)
    if count := sum(map(ghosts.was, page.documents)):
        least = "at least " if page.cursor else ""
        yield findings.note(
            "store.ghosts",
            f"{least}{counted(count, 'job')} of a ledger that was lost: ended within the last day, the newest: "
            f"{next(one['id'] for one in page.documents if ghosts.was(one))}",
            store.describe(),
            "look at them, and do them again: hysds jobs --failure-class internal --ended-since 1d; hysds retry ID",
        )
