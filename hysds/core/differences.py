"""How a store differs from what it is a projection of: the ledger's records, and the archive's ended jobs.

A job is seen from up to three sides, and each sees a revision, a digest of the document, and whether it has ended.
`difference` says what is wrong with the whole; whether it is only late says whoever knows the event stream.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hysds.core.generations import FIRST, Generations
from hysds.core.status import ENDED

_PURGED = "purged"


class Kind(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    """The store has no document of it."""
    OLDER = "older"
    """The store holds an older revision."""
    NEWER = "newer"
    """The store holds a newer revision than the ledger: of a future that a failover undid."""
    OTHER = "other"
    """The same revision, and another document."""
    HIDDEN = "hidden"
    """The store holds it, and no question finds it."""
    GHOST = "ghost"
    """The store shows a live job, which the ledger does not know."""
    PURGED = "purged"
    """It was purged, and the store has it all the same."""
    UNARCHIVED = "unarchived"
    """The archive lacks the document of an ended job: a store that is made again will not have it."""
    ARCHIVED_OTHER = "archived-other"
    """The archive's document of this revision is another."""
    SET_ASIDE = "set-aside"
    """The store refused its document, which is a dead letter."""
    UNREADABLE = "unreadable"
    """The ledger's record can't be read, or made into a document."""

    @property
    def may_be_late(self) -> bool:
        """Whether an event that is still to be indexed would put it right."""
        return self in (Kind.MISSING, Kind.OLDER, Kind.NEWER, Kind.OTHER)


@dataclass(frozen=True, slots=True)
class Seen:
    """A job from one side. `digest`: "" where there is no document, of a purge's mark or an unreadable record.

    `ended`: of the ledger, that the job has ended and its last document is confirmed.
    """

    revision: int
    digest: str
    ended: bool = False
    generation: int = FIRST


@dataclass(frozen=True, slots=True)
class Views:
    """A job from all sides; None: it is not there. `pending`: the revision of its newest event that may still have to
    be indexed, 0 for none."""

    ledger: Seen | None = None
    archive: Seen | None = None
    store: Seen | None = None
    pending: int = 0


def seen(document: Mapping[str, Any]) -> Seen:
    """A document from the side of a store or an archive."""
    generation = document.get("generation", FIRST)
    if is_purge(document):
        return Seen(document["revision"], "", True, generation)
    return Seen(document["revision"], digest(document), document.get("status") in ENDED, generation)


def digest(document: Mapping[str, Any]) -> str:
    """What two documents have in common when they say the same, in 16 hex digits."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def purge(id: str, revision: int) -> dict[str, Any]:
    """What an archive keeps of a purge: up to this revision the job is not to come back."""
    return {"id": id, "revision": revision, _PURGED: True}


def is_purge(document: Mapping[str, Any]) -> bool:
    """Whether it is no document, but the mark of a purge."""
    return document.get(_PURGED) is True


def difference(views: Views, generations: Generations, has_archive: bool) -> Kind | None:
    """What is wrong with a job, the gravest first; None: nothing is."""
    ledger = views.ledger
    if ledger is None:
        found = _against_archive(views, generations)
    elif ledger.ended and generations.is_dropped(ledger.generation):
        return None  # a late step of a job whose index was dropped: its document is a dead letter
    else:
        found = _against_ledger(ledger, views.store)
    if found is not None or not has_archive or views.store is None:
        return found
    needs_archive = ledger.ended if ledger is not None else views.store.ended
    return _in_archive(views.store, views.archive) if needs_archive else None


def is_lacking(views: Views) -> bool:
    """Whether the archive lacks what the store has of an ended job, which was not purged."""
    store, archive = views.store, views.archive
    if store is None or not store.ended:
        return False
    is_purged = archive is not None and not archive.digest and archive.revision >= store.revision
    return not is_purged and _in_archive(store, archive) is not None


def _against_ledger(ledger: Seen, store: Seen | None) -> Kind | None:
    if not ledger.digest:
        return Kind.UNREADABLE
    if store is None:
        return Kind.MISSING
    if store.revision != ledger.revision:
        return Kind.OLDER if store.revision < ledger.revision else Kind.NEWER
    return Kind.OTHER if store.digest != ledger.digest else None


def _against_archive(views: Views, generations: Generations) -> Kind | None:
    """Of a job that the ledger has forgotten, or never knew."""
    store, archive = views.store, views.archive
    if store is None:
        is_gone = archive is None or not archive.digest or generations.is_dropped(archive.generation)
        return None if is_gone else Kind.MISSING
    if archive is not None and archive.revision >= store.revision and not archive.digest:
        return Kind.PURGED
    if archive is not None and archive.revision > store.revision:
        return Kind.OLDER
    return None if store.ended else Kind.GHOST


def _in_archive(store: Seen, archive: Seen | None) -> Kind | None:
    if archive is None or archive.revision < store.revision:
        return Kind.UNARCHIVED
    is_other = archive.revision == store.revision and archive.digest != store.digest
    return Kind.ARCHIVED_OTHER if is_other else None
