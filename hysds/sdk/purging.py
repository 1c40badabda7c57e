"""Takes ended jobs out for good: record and key, then what is left of it on hosts, and its document as the last.

The document tells where a job's directories lie, so a purge that was killed is found by it, and done again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hysds.bootstrap import System
from hysds.core import differences, moments
from hysds.core.control import Handled
from hysds.core.document import document
from hysds.core.errors import Internal
from hysds.core.requests import Purge, Purged, Purging
from hysds.core.status import ENDED
from hysds.leasing import workdir
from hysds.ports.ledger import Kept
from hysds.ports.litter import Ground

_DEPTH = 7
"""Parts of a directory's path below its root: `jobs`, the five of a minute, its own name."""


@dataclass(slots=True)
class Left:
    """What of purged jobs lies on hosts until workers there have removed it."""

    grounds: dict[Ground, int] = field(default_factory=dict)
    """Of how many jobs, by where."""
    elsewhere: list[str] = field(default_factory=list)
    """`host:directory` of what nobody removes, as it is no directory of a job."""


def purged(system: System, ids: Sequence[str], left: Left) -> list[Handled]:
    """Purge at most MAX_BATCH jobs; what lies on hosts is noted in `left`."""
    kept, stored = held(system, ids), dict(zip(ids, system.store.get(ids), strict=True))
    asked = [Purge(id_, _text(stored[id_], "payload_hash")) for id_ in ids]
    answers = dict(zip(ids, system.ledger.purge(asked), strict=True))
    told = {id_: _word(answers[id_], stored[id_]) for id_ in ids}
    gone = {id_: _whole(kept.get(id_), stored[id_]) for id_ in ids if told[id_] in ("purged", "cleared")}
    _leave(system, gone, left)
    last = [(id_, max(answers[id_].revision, whole.get("revision", 0))) for id_, whole in gone.items()]
    if system.archive is not None:
        # A store that is made again from the archive must not bring them back.
        system.archive.append([differences.purge(id_, revision) for id_, revision in last])
    system.store.delete(last)
    return [Handled(id_, told[id_]) for id_ in ids]


def held(system: System, ids: Sequence[str]) -> Mapping[str, Kept]:
    """What the ledger holds of each; one that it can't read is left out."""
    try:
        return {one.record.id: one for one in system.ledger.kept(ids) if one is not None}
    except Internal:
        if len(ids) == 1:
            return {}
        return {name: one for id_ in ids for name, one in held(system, [id_]).items()}


def _word(answer: Purged, stored: Mapping[str, Any] | None) -> str:
    if answer.how is not Purging.MISSING or stored is None:
        return answer.how.value
    return "cleared" if stored.get("status") in ENDED else "ghost"


def _whole(kept: Kept | None, stored: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The job's document: as the ledger tells it, else as the store has it."""
    if kept is None:
        return stored or {}
    return document(kept.record, kept.spec, kept.attempts, kept.error)


def _leave(system: System, gone: Mapping[str, Mapping[str, Any]], left: Left) -> None:
    jobs: dict[Ground, dict[str, int]] = {}
    for id_, whole in gone.items():
        accepted_ms = moments.ms_of(_info(whole).get("time_queued"))
        for host, directory in set(_directories(whole)):
            ground = _ground(host, directory)
            if ground is None or not accepted_ms:
                left.elsewhere.append(f"{host}:{directory}")
            else:
                jobs.setdefault(ground, {})[id_] = accepted_ms
    for ground, part in jobs.items():
        system.litter.leave(ground, part)
        left.grounds[ground] = left.grounds.get(ground, 0) + len(part)


def _directories(whole: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(host, directory) of each attempt that told of one, and of the job itself: old attempts may have been cut."""
    listed = whole.get("attempts")
    for one in (_info(whole), *(listed if isinstance(listed, list) else ())):
        host, directory = one.get("execute_node"), one.get("job_dir")
        if isinstance(host, str) and isinstance(directory, str) and directory:
            yield host, directory


def _info(whole: Mapping[str, Any]) -> Mapping[str, Any]:
    info = whole.get("job", {}).get("job_info")
    return info if isinstance(info, Mapping) else {}


def _ground(host: str, directory: str) -> Ground | None:
    """Below which root it lies; None where it is no directory of an attempt."""
    path = Path(directory)
    parts = path.parts[-_DEPTH:]
    if len(parts) < _DEPTH or parts[0] != workdir.JOBS or not all(part.isdecimal() for part in parts[1:-1]):
        return None
    return Ground(host, str(path.parents[_DEPTH - 1]))


def _text(stored: Mapping[str, Any] | None, key: str) -> str:
    value = (stored or {}).get(key)
    return value if isinstance(value, str) else ""
