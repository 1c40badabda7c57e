"""Reading the stream, alone or in a group: every entry is done once, whoever stops half-way."""

from __future__ import annotations

import threading

from contract.ledger.sample import end, job, started
from hysds.core.requests import Event
from hysds.ports.events import Entry, Events
from hysds.ports.ledger import Ledger


def _accept(ledger: Ledger, count: int) -> list[str]:
    batch = [job() for _ in range(count)]
    ledger.accept(batch)
    return [item.id for item in batch]


def _ids(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.event.id for entry in entries]


def test_each_transition_is_told_with_what_it_did(ledger: Ledger, events: Events) -> None:
    """Id, revision, fence, status and step, in order."""
    lease = started(ledger)
    ledger.commit(end(lease))
    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None

    entries = events.follow("", 10, 0)

    record = kept.record
    assert [(entry.event.step, entry.event.status, entry.event.fence) for entry in entries] == [
        ("accept", "job-queued", 0),
        ("claim", "job-started", record.fence),
        ("commit", "job-completed", record.fence),
    ]
    assert entries[-1].event == Event(record.id, record.revision, record.fence, "job-completed", "commit")


def test_members_of_a_group_share_the_stream_from_its_start(ledger: Ledger, events: Events) -> None:
    """Nothing is given twice, and another group gets all of it."""
    ids = _accept(ledger, 5)

    first, second = events.read("index", "a", 3, 0), events.read("index", "b", 10, 0)

    assert _ids(first) + _ids(second) == ids
    assert _ids(events.read("rules", "a", 10, 0)) == ids
    assert events.backlog("index") == 5


def test_a_member_reads_again_what_it_never_acknowledged(ledger: Ledger, events: Events) -> None:
    """First that, then new ones; acknowledged ones never again."""
    ids = _accept(ledger, 3)
    given = events.read("index", "a", 10, 0)
    events.done("index", [given[1].position])
    more = _accept(ledger, 1)

    assert _ids(events.read("index", "a", 10, 0)) == [ids[0], ids[2], *more]
    assert _ids(events.read("index", "a", 1, 0)) == [ids[0]]


def test_what_a_dead_member_left_is_adopted(ledger: Ledger, events: Events) -> None:
    """Not what is its own, not what is fresh, not more than asked for."""
    ids = _accept(ledger, 4)
    events.read("index", "dead", 3, 0)
    events.read("index", "a", 1, 0)

    assert events.adopt("index", "a", 3_600, 10) == ()
    assert _ids(events.adopt("index", "a", 0, 2)) == ids[:2]
    assert _ids(events.adopt("index", "a", 0, 10)) == ids[2:3]
    assert _ids(events.read("index", "dead", 10, 0)) == []
    assert events.adopt("nobody", "a", 0, 10) == ()


def test_trim_drops_what_every_group_has_done_with_and_nothing_else(ledger: Ledger, events: Events) -> None:
    """The lowest pending entry of the slowest group stays, and all behind it."""
    _accept(ledger, 6)
    assert events.trim() == 0
    fast, slow = events.read("fast", "a", 10, 0), events.read("slow", "a", 4, 0)
    events.done("fast", [entry.position for entry in fast])
    assert events.trim() == 0
    events.done("slow", [entry.position for entry in (slow[0], slow[1], slow[3])])

    assert events.trim() == 2
    assert _ids(events.follow("", 10, 0)) == _ids(fast[2:])
    assert _ids(events.read("slow", "a", 10, 0)) == _ids((slow[2], *fast[4:]))


def test_the_depth_counts_all_entries_until_they_are_trimmed(ledger: Ledger, events: Events) -> None:
    """Also those that every group has done with."""
    assert events.depth() == 0
    _accept(ledger, 3)
    given = events.read("index", "a", 2, 0)
    events.done("index", [entry.position for entry in given])
    assert (events.depth(), events.backlog("index")) == (3, 1)

    events.trim()

    assert events.depth() == 1


def test_a_group_that_comes_after_a_trim_starts_with_what_is_left(ledger: Ledger, events: Events) -> None:
    """And counts it."""
    _accept(ledger, 2)
    events.done("index", [entry.position for entry in events.read("index", "a", 10, 0)])
    assert events.trim() == 2
    ids = _accept(ledger, 1)

    assert events.backlog("late") == 1
    assert _ids(events.read("late", "a", 10, 0)) == ids
    assert events.backlog("late") == 1
    assert events.backlog("index") == 1


def test_a_follower_reads_behind_a_position(ledger: Ledger, events: Events) -> None:
    """From the end on it sees only what comes."""
    at_birth = events.end()
    ids = _accept(ledger, 3)
    first = events.follow(at_birth, 2, 0)

    assert _ids(first) == ids[:2]
    assert _ids(events.follow(first[-1].position, 10, 0)) == ids[2:]
    assert events.follow(events.end(), 10, 0) == ()


def test_the_end_stays_when_all_is_trimmed(ledger: Ledger, events: Events) -> None:
    """Positions only grow."""
    _accept(ledger, 2)
    end_ = events.end()
    events.done("index", [entry.position for entry in events.read("index", "a", 10, 0)])
    events.trim()

    assert events.end() == end_
    ids = _accept(ledger, 1)
    assert _ids(events.follow(end_, 10, 0)) == ids


def test_readers_and_followers_wait_for_the_first_entry(ledger: Ledger, events: Events) -> None:
    """Another thread's step ends the wait."""
    answers: list[list[str]] = []
    waits = [
        threading.Thread(target=lambda: answers.append(_ids(events.read("index", "a", 10, 30)))),
        threading.Thread(target=lambda: answers.append(_ids(events.follow("", 10, 30)))),
    ]
    for wait in waits:
        wait.start()

    ids = _accept(ledger, 1)
    for wait in waits:
        wait.join(30)

    assert answers == [ids, ids]


def test_closing_the_ledger_ends_the_waits_of_its_readers(ledger: Ledger, events: Events) -> None:
    """A role that shuts down does not wait for the next event."""
    answers: list[tuple[Entry, ...]] = []
    waits = [
        threading.Thread(target=lambda: answers.append(events.read("index", "a", 10, 60))),
        threading.Thread(target=lambda: answers.append(events.follow("", 10, 60))),
    ]
    for wait in waits:
        wait.start()

    ledger.close()
    for wait in waits:
        wait.join(30)

    assert answers == [(), ()]
