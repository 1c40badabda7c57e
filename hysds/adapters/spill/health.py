"""What may be wrong with the spill of this host: documents that nobody drains, files that can't be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hysds.adapters.spill import segments, survey
from hysds.adapters.spill.survey import Seen, Survey
from hysds.lib import clocks, units
from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding

_DRAIN = "keep an indexer running on this host until they are in the store: hysds indexer"


def check(folder: Path, of: str) -> Iterator[Finding]:
    """All that was found in the directory of a spill; `of`: whose documents ours are.

    Raises: Unreachable
    """
    where = str(folder)
    with segments.errors(folder):
        look = Survey(folder)
        seen, damaged = look.look(), look.damaged()
    ours = [one for one in seen if one.of in (of, None)]
    yield _waiting(ours, of, where)
    for other in sorted({one.of for one in seen if one.of not in (of, None)}, key=str):
        held = survey.total(seen, str(other))
        yield findings.warning(
            "spill.foreign",
            f"{counted(held.documents, 'document')} of another ledger: {other}",
            where,
            "start an indexer with the settings of that ledger; remove its files if it is gone for good",
        )
    for path in damaged:
        yield findings.error(
            "spill.damaged",
            f"a part of it can't be read: last documents of jobs may be missing in the store ({path.name})",
            str(path),
            "look at the disk; compare store and ledger: hysds index verify; then remove the file",
        )


def _waiting(ours: Sequence[Seen], of: str, where: str) -> Finding:
    held = survey.total(ours, of)
    if not held.documents:
        return findings.ok("spill.empty", "no documents wait on this host's disk")
    lasts = units.format_duration(max(round((clocks.wall_ms() - held.since_ms) / 1000), 0))
    size = units.format_size(held.size_bytes)
    text = f"{counted(held.documents, 'document')} ({size}), the oldest there for {lasts}, to be written to the store"
    if any(one.is_attended for one in ours):
        return findings.note("spill.waits", text, where, _DRAIN)
    return findings.warning(
        "spill.left", f"{text}, and no indexer is at them; they may be nowhere else", where, _DRAIN
    )
