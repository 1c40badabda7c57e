"""Whether a store says what the ledger and the archive say, job by job, while all of them go on.

First every side is walked and noted on a sheet. Then each job that seems to differ is looked at once more, in ledger
and store as they are by then: most only changed meanwhile. What differs still is *late* where the stream holds an event
of it that may have to be indexed, or the job changed just now; and wrong otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hysds.core.differences import Kind, Seen, Views, difference, seen
from hysds.core.generations import Generations
from hysds.core.query import JobQuery, Span
from hysds.core.searched import searched
from hysds.indexer import pages
from hysds.indexer.sheets import Sheet, Side
from hysds.ports.archive import Archive
from hysds.ports.events import Events
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.store import DeadLetter, Store

GROUP = "indexer"
_EVENTS = 1_000
_MOST_LETTERS = 10_000


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared. `archive`: None, there is none. `spilled`: documents that wait on this host's disk."""

    ledger: Ledger
    events: Events
    store: Store
    archive: Archive | None = None
    spilled: Callable[[], int] = lambda: 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One job that differs. `late`: it may be put right by what is still to be indexed."""

    id: str
    kind: Kind
    views: Views
    late: bool = False
    reason: str = ""


@dataclass(slots=True)
class Counts:
    """What was seen, and (by whoever asks) found. `in_archive`: documents, not jobs."""

    in_store: int = 0
    in_ledger: int = 0
    in_archive: int = 0
    jobs: int = 0
    late: int = 0
    wrong: int = 0
    kinds: dict[Kind, int] = field(default_factory=dict)
    """Of what is wrong."""
    unread: list[str] = field(default_factory=list)
    """Places of the archive that can't be read."""
    spilled: int = 0

    def add(self, one: Difference) -> None:
        """Count one more."""
        if one.late:
            self.late += 1
            return
        self.wrong += 1
        self.kinds[one.kind] = self.kinds.get(one.kind, 0) + 1


def verify(sides: Sides, counts: Counts, step: Callable[[str, int], None]) -> Iterator[Difference]:
    """Each job that differs; what was seen is counted in `counts` meanwhile. `step` is told what is walked and how far.

    Raises: Unreachable
    """
    with Sheet() as sheet:
        generations, walked_ms = sides.ledger.generations(), sides.ledger.now_ms()
        _walk_store(sides.store, sheet, counts, step)
        _walk_ledger(sides.ledger, sheet, counts, step)
        looked_us = sides.ledger.now_ms() * 1000
        _walk_stream(sides.events, sheet)
        # Last: a document stands in the archive before the ledger knows that it is written.
        _walk_archive(sides.archive, sheet, counts, step)
        counts.spilled = sides.spilled()
        second = _Second(sides, generations, looked_us, counts.spilled > 0)
        hidden = _Hidden(sides.store, walked_ms)
        for part in sheet.parts():
            counts.jobs += len(part)
            yield from second.look(part)
            yield from hidden.look([id_ for id_, views in part.items() if second.lacks(views)])


def _walk_store(store: Store, sheet: Sheet, counts: Counts, step: Callable[[str, int], None]) -> None:
    store.refresh()
    for page in pages.documents(store):
        for document in page:
            sheet.note(Side.STORE, document["id"], seen(document))
        counts.in_store += len(page)
        step("store", counts.in_store)


def _walk_ledger(ledger: Ledger, sheet: Sheet, counts: Counts, step: Callable[[str, int], None]) -> None:
    for ids in pages.ids(ledger):
        for id_, kept in pages.held(ledger, ids):
            sheet.note(Side.LEDGER, id_, of_ledger(kept))
            counts.in_ledger += 1
        step("ledger", counts.in_ledger)


def of_ledger(kept: Kept | None) -> Seen:
    """A record from the ledger's side; None can't be read."""
    document = pages.built(kept) if kept is not None else None
    if kept is None or document is None:
        return Seen(kept.record.revision if kept is not None else 0, "")
    return replace(seen(document), ended=kept.record.status.is_terminal and kept.record.confirmed)


def _walk_stream(events: Events, sheet: Sheet) -> None:
    """What may still have to be indexed: the stream also holds, for some seconds, what is done with."""
    if not events.backlog(GROUP):
        return
    end, position = events.end(), ""
    while entries := events.follow(position, _EVENTS, 0):
        for entry in entries:
            sheet.note(Side.STREAM, entry.event.id, Seen(entry.event.revision, ""))
        position = entries[-1].position
        if any(entry.position == end for entry in entries):
            return


def _walk_archive(
    archive: Archive | None, sheet: Sheet, counts: Counts, step: Callable[[str, int], None]
) -> None:
    if archive is None:
        return
    for document in archive.read(counts.unread.append):
        sheet.note(Side.ARCHIVE, document["id"], seen(document))
        counts.in_archive += 1
        if counts.in_archive % pages.PAGE == 0:
            step("archive", counts.in_archive)


class _Second:
    """The second look. `looked_us`: when the first one was over, on the ledger's clock."""

    def __init__(self, sides: Sides, generations: Generations, looked_us: int, may_be_spilled: bool) -> None:
        self._sides = sides
        self._generations = generations
        self._looked_us = looked_us
        self._may_be_spilled = may_be_spilled
        self._letters: dict[str, DeadLetter] | None = None

    def look(self, part: Mapping[str, Views]) -> Iterator[Difference]:
        """What still differs of a part of all jobs."""
        odd = {id_: (views, kind) for id_, views in part.items() if (kind := self._judge(views)) is not None}
        ids = list(odd)
        for start in range(0, len(ids), pages.PAGE):
            page = ids[start : start + pages.PAGE]
            for id_, now in self._now({name: odd[name][0] for name in page}):
                kind = self._judge(now)
                # What ended after the first look may be in the archive since that was read.
                if kind is None or (kind is Kind.UNARCHIVED and odd[id_][1] is not Kind.UNARCHIVED):
                    continue
                yield self._aside(Difference(id_, kind, now, self._is_late(kind, now)))

    def lacks(self, views: Views) -> bool:
        """Whether the store had nothing of a job of which it should."""
        return views.store is None and self._judge(views) is not None

    def _aside(self, found: Difference) -> Difference:
        """The same; where its document was refused, with the reason in place of what follows from that."""
        if not found.kind.may_be_late:
            return found
        if self._letters is None:
            self._letters = {one.id: one for one in self._sides.store.dead_letters(_MOST_LETTERS)}
        letter, views = self._letters.get(found.id), found.views
        wanted = max(one.revision if one is not None else 0 for one in (views.ledger, views.archive))
        if letter is None or letter.revision < wanted:
            return found
        return replace(found, kind=Kind.SET_ASIDE, late=False, reason=letter.reason)

    def _judge(self, views: Views) -> Kind | None:
        return difference(views, self._generations, self._sides.archive is not None)

    def _now(self, before: Mapping[str, Views]) -> Iterator[tuple[str, Views]]:
        """The same jobs as ledger and store have them now: first the store, which is never ahead of the ledger."""
        ids = list(before)
        documents = dict(zip(ids, self._sides.store.get(ids), strict=True))
        records = {id_: of_ledger(kept) for id_, kept in pages.held(self._sides.ledger, ids)}
        for id_ in ids:
            document = documents[id_]
            store = seen(document) if document is not None else None
            yield id_, replace(before[id_], store=store, ledger=records.get(id_))

    def _is_late(self, kind: Kind, views: Views) -> bool:
        if not kind.may_be_late:
            return False
        held = views.store.revision if views.store is not None else 0
        changed = views.ledger.revision if views.ledger is not None else 0
        return (
            views.pending > held
            or changed >= self._looked_us
            or (self._may_be_spilled and kind is not Kind.OTHER)
        )


class _Hidden:
    """Looks for documents that a store holds, and that no question finds: their index lacks the alias of readers.
    `walked_ms`: when all that is found was asked for, on the ledger's clock."""

    def __init__(self, store: Store, walked_ms: int) -> None:
        self._store = store
        self._walked_ms = walked_ms

    def look(self, unseen: Sequence[str]) -> Iterator[Difference]:
        """Those of these jobs, none of which was found when all were asked for."""
        for start in range(0, len(unseen), pages.PAGE):
            there = [one for one in self._store.get(unseen[start : start + pages.PAGE]) if one is not None]
            if there:
                self._store.refresh()  # what `get` found just now must be found by questions too
            times: dict[int, list[Mapping[str, Any]]] = {}
            for one in there:
                times.setdefault(searched(one).accepted, []).append(one)
            for accepted_ms, documents in times.items():
                # What is younger than the walk was not there to be found.
                if 0 < accepted_ms < self._walked_ms:
                    yield from self._hidden(accepted_ms, documents)

    def _hidden(self, accepted_ms: int, documents: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
        found, cursor = set(), None
        while cursor != "":
            span = Span(accepted_ms, accepted_ms + 1)
            page = self._store.find(JobQuery(accepted=span, limit=pages.PAGE, cursor=cursor or ""))
            found |= {id_ for id_, _ in page.jobs}
            cursor = page.cursor
        for one in documents:
            if one["id"] not in found:
                yield Difference(one["id"], Kind.HIDDEN, Views(store=seen(one)))


def again(sides: Sides, late: Sequence[Difference]) -> list[Difference]:
    """Those that differ still, and what is wrong with them, now that some time has passed."""
    is_done = not sides.events.backlog(GROUP)
    second = _Second(sides, sides.ledger.generations(), sides.ledger.now_ms() * 1000, sides.spilled() > 0)
    before = {one.id: replace(one.views, pending=0) if is_done else one.views for one in late}
    return list(second.look(before))
