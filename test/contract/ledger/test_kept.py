"""What is held of jobs, asked for many at once."""

from __future__ import annotations

from contract.ledger.sample import end, job, started
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.ledger import Ledger


def test_each_of_many_large_jobs_is_answered_in_its_place(ledger: Ledger) -> None:
    """More than one answer of the server holds, with ids between them that nobody knows."""
    new_id = Uuid7Source()
    items = [job(spec=f'{{"number":{number},"ü":"{"x" * 900_000}"}}') for number in range(7)]
    ledger.accept(items)
    asked = [id_ for item in items for id_ in (item.id, new_id())]

    found = ledger.kept(asked)

    assert [one and (one.record.id, one.spec) for one in found] == [
        told for item in items for told in ((item.id, item.spec), None)
    ]


def test_more_jobs_than_one_step_takes_are_answered(ledger: Ledger) -> None:
    """And one that is asked for twice, twice; nothing for nothing."""
    items = [job() for _ in range(600)]
    ledger.accept(items)
    ids = [item.id for item in items]

    assert [one and one.record.id for one in ledger.kept([*ids, ids[0]])] == [*ids, ids[0]]
    assert ledger.kept([]) == ()


def test_attempts_are_told_with_their_details(ledger: Ledger) -> None:
    """As their worker wrote them, whatever letters are in them."""
    lease = started(ledger)
    detail = '{"error":"größe \\u2028 \\"quoted\\" / slash"}'
    ledger.commit(end(lease, detail=detail))
    (kept,) = ledger.kept([lease.record.id])

    assert kept is not None
    assert [attempt.detail for attempt in kept.attempts] == [detail]
