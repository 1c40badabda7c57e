"""One batch of jobs from the ledger to the store, and what the ledger is told of it.

The steps may be repeated at any point, by this indexer or another: documents are built whole from the record, the store
compares revisions, and the ledger is told only of what the store holds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from hysds.core import clip
from hysds.core.document import document
from hysds.core.errors import Internal, NotInitialised, Unreachable
from hysds.core.generations import FIRST, Generations
from hysds.core.happenings import WORKER
from hysds.core.requests import MAX_BATCH
from hysds.ports.chronicle import Chronicle
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.store import DeadLetter, Document, Store, Writing, Written

_LOG = logging.getLogger("hysds.indexer")
_MAX_REASON = 2_000


@dataclass(frozen=True, slots=True)
class Projected:
    """What became of a batch of jobs; a job whose record is forgotten is in none of the numbers."""

    written: int = 0
    held: int = 0
    """The store had this revision or a higher one."""
    set_aside: int = 0
    touched: int = 0
    """The store held a revision from a lost future; their next one is above it."""
    confirmed: int = 0
    """Ended jobs whose last document the store holds, or the spill."""
    spilled: int = 0
    """Documents, and letters, that are in this host's spill now."""

    def __add__(self, other: Projected) -> Projected:
        return Projected(
            self.written + other.written,
            self.held + other.held,
            self.set_aside + other.set_aside,
            self.touched + other.touched,
            self.confirmed + other.confirmed,
            self.spilled + other.spilled,
        )


Built = Sequence[tuple[Kept, Document]]
"""Documents, each with what the ledger holds of its job."""


def _unseen(built: Built) -> None:
    """Nobody keeps these for good."""


@dataclass(frozen=True, slots=True)
class Made:
    """The documents of some jobs, with what the ledger holds of each; letters of those that could not be built."""

    kept: tuple[Kept, ...]
    built: tuple[tuple[Kept, Document], ...]
    letters: tuple[DeadLetter, ...]


def made(ids: Sequence[str], ledger: Ledger) -> Made:
    """What is to be written of these jobs; one whose record is forgotten is left out.

    Raises: Unreachable when the ledger does not answer.
    """
    kept = _kept(ids, ledger)
    built, letters = _built(kept, ledger)
    return Made(tuple(kept), tuple(built), tuple(letters))


def made_ahead(ids: Sequence[str], ledger: Ledger) -> Iterator[Made]:
    """What is to be written of these jobs, in parts: while one is written the next is made, as a store takes its time.

    Raises: Unreachable when the ledger does not answer.
    """
    parts = [ids[start : start + MAX_BATCH] for start in range(0, len(ids), MAX_BATCH)]
    if len(parts) < 2:
        yield from (made(part, ledger) for part in parts)
        return
    with ThreadPoolExecutor(1, "ahead") as ahead:
        coming = ahead.submit(made, parts[0], ledger)
        for part in parts[1:]:
            what = coming.result()
            coming = ahead.submit(made, part, ledger)
            yield what
        yield coming.result()


def project(ids: Sequence[str], ledger: Ledger, store: Store) -> Projected:
    """Bring the documents of these jobs to where the ledger is.

    Raises: Unreachable when ledger or store does not answer; then nothing may be acknowledged.
    """
    return settle(made(ids, ledger), ledger, store)


def settle(
    what: Made, ledger: Ledger, store: Store, archived: Callable[[Built], None] = _unseen
) -> Projected:
    """Write what was made, and confirm ended jobs; `archived` is told of the documents before that.

    Raises: Unreachable when ledger or store does not answer; then nothing may be acknowledged.
    """
    done, ahead = keep([document for _, document in what.built], what.letters, ledger, store)
    archived(what.built)
    return done + Projected(
        confirmed=confirmed([one for one in what.kept if one.record.id not in ahead], ledger)
    )


def keep(
    documents: Sequence[Document], letters: Sequence[DeadLetter], ledger: Ledger, store: Store
) -> tuple[Projected, Mapping[str, int]]:
    """Write documents, and set aside what no store takes; also which revisions the store holds above these.

    Raises: Unreachable when ledger or store does not answer.
    """
    answers = list(zip(documents, _answered(documents, ledger, store), strict=True))
    refused = [
        letter(str(one["id"]), one["revision"], answer.reason, ledger)
        for one, answer in answers
        if answer.how is Writing.REFUSED
    ]
    aside = [*letters, *refused]
    if aside:
        store.set_aside(aside)
    ahead = _held_above(aside, store) | {
        str(one["id"]): answer.held for one, answer in answers if answer.held > one["revision"]
    }
    how = [answer.how for _, answer in answers]
    done = Projected(
        how.count(Writing.WRITTEN), how.count(Writing.OLDER), len(aside), _overtake(ahead, ledger)
    )
    return done, ahead


def _answered(documents: Sequence[Document], ledger: Ledger, store: Store) -> tuple[Written, ...]:
    try:
        return written(documents, store)
    except NotInitialised as lack:
        return timely(documents, store, ledger.generations(), lack)


def timely(
    documents: Sequence[Document], store: Store | Chronicle, known: Generations, lack: NotInitialised
) -> tuple[Written, ...]:
    """The answers of a store that lacks an index: what belongs to one that was dropped is refused here, as no index is
    made anew for a late document, and the rest is written.

    Raises: the lack where no document is late; Unreachable, and so the lack of another index.
    """
    late = [
        known.is_dropped(one.get("generation", FIRST)) and one.get("resource") != WORKER for one in documents
    ]
    if not any(late):
        raise lack
    reason = f"its index was dropped, its time is over: generations below {known.oldest} are given up"
    rest = [one for one, is_late in zip(documents, late, strict=True) if not is_late]
    answers = iter(written(rest, store))
    return tuple(Written(Writing.REFUSED, reason=reason) if is_late else next(answers) for is_late in late)


def _kept(ids: Sequence[str], ledger: Ledger) -> list[Kept]:
    """What the ledger holds of these; one whose record it can't read, which its audit sets aside, is left out."""
    try:
        return [one for one in ledger.kept(ids) if one is not None]
    except Internal as error:
        if len(ids) == 1:
            _LOG.error(
                "job %s has no document: %s", ids[0], error, extra={"action": "set_aside", "job_id": ids[0]}
            )
            return []
        return [one for id in ids for one in _kept([id], ledger)]


def _built(
    kept: Sequence[Kept], ledger: Ledger
) -> tuple[list[tuple[Kept, dict[str, Any]]], list[DeadLetter]]:
    """The documents, and letters of those that could not be built."""
    built, letters = [], []
    for one in kept:
        try:
            built.append((one, document(one.record, one.spec, one.attempts, one.error)))
        except Exception as error:  # noqa: BLE001 - one job that breaks the rules must not hold up all others
            reason = f"{type(error).__name__}: {error}"
            letters.append(letter(one.record.id, one.record.revision, reason, ledger))
    return built, letters


def written(documents: Sequence[Mapping[str, Any]], store: Store | Chronicle) -> tuple[Written, ...]:
    """The store's answers; a batch that it fails on is written document by document, to find the one at fault."""
    if not documents:
        return ()
    try:
        return store.write(documents)
    except (Unreachable, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - see above; what a store can't reach it says as Unreachable
        if len(documents) == 1:
            return (Written(Writing.REFUSED, reason=f"{type(error).__name__}: {error}"),)
        return tuple(answer for one in documents for answer in written([one], store))


def letter(id: str, revision: int, reason: str, ledger: Ledger) -> DeadLetter:
    reason = clip.encodable(clip.clipped(reason, _MAX_REASON))
    _LOG.error(
        "job %s has no document of revision %d: %s", id, revision, reason,
        extra={"action": "set_aside", "job_id": id},
    )  # fmt: skip
    return DeadLetter(id, revision, reason, ledger.now_ms())


def _held_above(letters: Sequence[DeadLetter], store: Store) -> dict[str, int]:
    """Revisions that the store holds above those that could not be written."""
    if not letters:
        return {}
    held = zip(letters, store.get([letter.id for letter in letters]), strict=True)
    return {letter.id: one["revision"] for letter, one in held if one and one["revision"] > letter.revision}


def _overtake(ahead: Mapping[str, int], ledger: Ledger) -> int:
    """Raise revisions above those that the store holds from a future that a failover undid.

    Usually another indexer was only faster: then the ledger is there by now too, and its own event brings the rest.
    """
    if not ahead:
        return 0
    reached = ledger.kept(tuple(ahead))
    behind = [
        (one.record.id, ahead[one.record.id])
        for one in reached
        if one is not None and one.record.revision < ahead[one.record.id]
    ]
    for id_, held in behind:
        ledger.touch(id_, held)
    confirmed(
        [one for one in reached if one is not None and one.record.revision == ahead[one.record.id]], ledger
    )
    return len(behind)


def confirmed(kept: Sequence[Kept], ledger: Ledger) -> int:
    """Tell the ledger which ended jobs it may forget: written, held already or set aside."""
    ended = [(one.record.id, one.record.revision) for one in kept if one.record.status.is_terminal]
    return sum(ledger.confirm(ended)) if ended else 0
