"""What the watchdogs found: alarms that stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.core.alarms import Alarm
from hysds.lib import units
from hysds.ports import findings
from hysds.ports.findings import Finding

_SHOWN = 20


def check(known: Sequence[Alarm], now_ms: int) -> Iterator[Finding]:
    """The oldest first; of many the first alone. `now_ms` is the ledger's wall clock."""
    standing = sorted((one for one in known if one.stands), key=lambda one: (one.since_ms, one.key))
    if not standing:
        yield findings.ok("alarms.none", "no watchdog has found anything")
    for one in standing[:_SHOWN]:
        lasts = units.format_duration(max(round((now_ms - one.since_ms) / 1000), 0))
        mend = one.hint or "see hysds alarms"
        yield findings.warning(f"alarms.{one.kind}", f"{one.what} (seen for {lasts})", one.subject, mend)
    if len(standing) > _SHOWN:
        more = units.counted(len(standing) - _SHOWN, "more alarm")
        yield findings.note("alarms.more", f"{more}: hysds alarms")
