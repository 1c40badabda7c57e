"""A record that something else wrote over leaves nobody waiting: neither its group, nor who comes after it.

The ledger in memory can't be written over, so these run over the servers.
"""

from __future__ import annotations

from typing import Any

import pytest

from contract.ledger.sample import START_US, end, job, keyed, status, take
from contract.ledger.side_by_side import audited
from contract.ledger.test_damaged import DAMAGES, Damage, client, damages, ledger, running
from contract.ledger.test_groups import accepted, counted, sealed
from hysds.core.record import GROUP
from hysds.core.requests import Accepting
from hysds.core.status import Status
from hysds.ports.ledger import Ledger

__all__ = ["client", "ledger", "running"]


def _kin_of(ledger_client: Any) -> list[str]:
    """The keys that tie jobs together."""
    kinds = ("kids", "members", "staged", "after", "chores")
    return sorted(key for key in ledger_client.keys("*") if key.removeprefix("{t}:").split(":")[0] in kinds)


@damages
def test_a_group_does_not_wait_for_a_ready_member_that_was_set_aside(
    ledger: Ledger, client: Any, damage: Damage
) -> None:
    """It counts that member as failed, and ends with the others."""
    parent, members = accepted(ledger, 2)
    damage(client, members[1].id)
    audited(ledger)
    audited(ledger)

    ledger.commit(end(take(ledger)))

    assert status(ledger, parent.id) is Status.FAILED
    assert counted(ledger, parent.id) == {"total": 2, "done": 1, "failed": 1}
    assert _kin_of(client) == []


@damages
def test_a_group_does_not_wait_for_a_started_member_that_was_set_aside(
    ledger: Ledger, client: Any, damage: Damage
) -> None:
    """Its last member has gone, so it ends in the step that found out."""
    parent, members = accepted(ledger, 1)
    take(ledger)
    damage(client, members[0].id)

    audited(ledger)
    audited(ledger)

    assert status(ledger, parent.id) is Status.FAILED
    assert counted(ledger, parent.id) == {"total": 1, "failed": 1}
    assert _kin_of(client) == []


@damages
def test_who_comes_after_a_job_that_was_set_aside_learns_of_it(
    ledger: Ledger, client: Any, damage: Damage
) -> None:
    """It completed nothing; who needs only its end goes on."""
    first = job()
    ledger.accept([first])
    strict, lenient = job(after=(first.id,)), job(after=(first.id,), after_on="finished")
    ledger.accept([strict, lenient])
    damage(client, first.id)

    audited(ledger)

    assert status(ledger, strict.id) is Status.REVOKED
    assert status(ledger, lenient.id) is Status.QUEUED
    assert _kin_of(client) == []


@damages
def test_the_members_of_a_group_that_was_set_aside_stand_alone(
    ledger: Ledger, client: Any, damage: Damage
) -> None:
    """They run to their ends, those that have not entered never do, and nothing of the group is left."""
    whole, members = accepted(ledger, 1)
    later, _ = sealed(ledger, 2)
    damage(client, whole.id)
    damage(client, later.id)

    audited(ledger)
    ledger.commit(end(take(ledger)))
    ledger.settle(10)

    assert status(ledger, members[0].id) is Status.COMPLETED
    assert ledger.pulse().started == 0
    assert _kin_of(client) == []


@damages
def test_a_group_of_groups_does_not_wait_for_one_that_was_set_aside(
    ledger: Ledger, client: Any, damage: Damage
) -> None:
    """It is a member like any other."""
    outer = job(kind=GROUP, members=1)
    inner = job(kind=GROUP, members=1, parent=outer.id)
    leaf = job(parent=inner.id)
    ledger.accept([outer, inner, leaf])
    damage(client, inner.id)

    audited(ledger)
    audited(ledger)

    assert status(ledger, outer.id) is Status.FAILED
    ledger.commit(end(take(ledger)))
    assert _kin_of(client) == []


@pytest.mark.parametrize("damage", [one for one in DAMAGES if one.__name__ != "_no_hash"])
@pytest.mark.parametrize("stood", ["ready", "started", "waiting"])
def test_a_queue_does_not_count_what_was_set_aside(
    ledger: Ledger, client: Any, damage: Damage, stood: str
) -> None:
    """As far as the record's other fields and the sets tell where it stood."""
    item = job(wake_ms=START_US // 1_000 + 60_000 if stood == "waiting" else 0)
    ledger.accept([item])
    if stood == "started":
        take(ledger)
    damage(client, item.id)

    audited(ledger)

    [tally] = ledger.tallies()
    assert (tally.ready, tally.running, tally.waiting) == (0, 0, ())


@damages
def test_a_duplicate_of_a_job_that_can_t_be_read_is_none(ledger: Ledger, client: Any, damage: Damage) -> None:
    """The job is as good as set aside: nobody stands for the other, and its whole batch is taken."""
    ill, twin = keyed(), keyed()
    ledger.accept([ill])
    damage(client, ill.id)

    answers = ledger.accept([twin, job()]).answers

    assert [answer.how for answer in answers] == [Accepting.ACCEPTED] * 2
    audited(ledger)
    assert ledger.accept([keyed()]).answers[0].twin == twin.id


def test_a_staged_member_whose_dedup_key_can_t_be_read_keeps_no_other_from_entering(
    ledger: Ledger, client: Any
) -> None:
    """It counts as failed; the other group is let in."""
    ill, well = (job(kind=GROUP, members=1, staged=1) for _ in range(2))
    ledger.accept([ill, well])
    for parent, member in ((ill, keyed(parent=ill.id)), (well, job(parent=well.id))):
        ledger.stage(parent.id, 0, [member])
        ledger.seal(parent.id)
    client.set("{t}:dedup:same", "oops")

    ledger.settle(10)

    assert status(ledger, ill.id) is Status.FAILED
    assert take(ledger).record.parent == well.id
