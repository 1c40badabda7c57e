"""The table of transitions, and every pure function held to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core import kin_transitions, transitions
from hysds.core.errors import Internal
from hysds.core.record import FOREVER, Record
from hysds.core.requests import Commit, Held
from hysds.core.status import LIVE, TERMINAL, Status
from unit.core.book_values import NOW_US, ONE, TWO, bid, item

_TIMES = st.sampled_from([0, 1, 2_000_000_000_000])
_LIVE = st.builds(
    Record,
    id=st.just(ONE),
    status=st.sampled_from(sorted(LIVE)),
    revision=st.integers(0, 2 * NOW_US),
    digest=st.just("d"),
    queue=st.just("q"),
    shape=st.just("1s"),
    priority=st.integers(0, 10),
    lost_left=st.integers(0, 2),
    preempt_left=st.sampled_from([FOREVER, 0, 1]),
    fence=st.integers(0, 2 * NOW_US),
    committed=st.integers(0, 3),
    claims=st.integers(0, 9),
    cancel=st.booleans(),
    suspect=st.booleans(),
    phase=st.sampled_from(["", "execute"]),
    ready_ms=_TIMES,
    wake_ms=_TIMES,
    ttl_ms=_TIMES,
    deadline_ms=_TIMES,
)
_COMMITS = st.builds(
    Commit,
    id=st.just(ONE),
    fence=st.just(1),
    status=st.sampled_from([Status.COMPLETED, Status.FAILED, Status.REVOKED, Status.QUEUED, Status.WAITING]),
    reason=st.sampled_from(["", "user"]),
    wake_ms=_TIMES,
)


def _results(record: Record, commit: Commit) -> dict[str, Record]:
    """What each function makes of a record that it is meant for, by the name of its step and its own."""
    started = {
        "renew": transitions.renewed(record, Held(ONE, record.fence, "new"), 5, 7, NOW_US),
        "commit": transitions.committed(record, commit, NOW_US),
        "release": transitions.released(record, 0, NOW_US),
        "release later": transitions.released(record, 9, NOW_US),
        "release unused": transitions.returned(record, NOW_US),
        "expire lease": transitions.lost(record, NOW_US),
        "cancel": transitions.cancelled(record, NOW_US),
        "suspect": transitions.suspected(record, NOW_US),
    } if record.status is Status.STARTED else {
        "expire": transitions.outlived(record, NOW_US),
        "cancel": transitions.cancelled(record, NOW_US),
        "amend": transitions.amended(record, "r", 3, NOW_US),
    }  # fmt: skip
    if record.status is Status.QUEUED:
        started["claim"] = transitions.claimed(record, bid("A", "n"), 5, NOW_US)
    if record.status is Status.WAITING:
        started["wake"] = transitions.woken(record, NOW_US)
    started["touch"] = transitions.touched(record, 7, NOW_US)
    return started


@given(_LIVE, _COMMITS)
def test_every_function_obeys_the_table_and_raises_the_revision(record: Record, commit: Commit) -> None:
    """Whatever the record: the status after is one that the table names, and others can see the change."""
    for name, after in _results(record, commit).items():
        assert after.status in transitions.TABLE[name.split()[0]][record.status], name
        assert after.revision > record.revision, name


@given(_LIVE, _COMMITS)
def test_a_cancel_that_was_asked_survives_every_step_but_the_end(record: Record, commit: Commit) -> None:
    """Every way out of started is completed or revoked then."""
    asked = replace(record, status=Status.STARTED, cancel=True)

    for name, after in _results(asked, commit).items():
        assert after.cancel, name
        assert after.status in (Status.STARTED, Status.COMPLETED, Status.REVOKED), name


@given(_LIVE, _COMMITS)
def test_only_a_claim_gives_a_fence_and_what_leaves_started_has_no_owner(
    record: Record, commit: Commit
) -> None:
    """A fence above the last, even when the wall clock is behind it."""
    owned = replace(record, owner="A", nonce="n", lease_ms=5)

    for name, after in _results(owned, commit).items():
        assert (after.fence > owned.fence) if name == "claim" else (after.fence == owned.fence), name
        if owned.status is Status.STARTED and after.status is not Status.STARTED:
            assert (after.owner, after.nonce, after.lease_ms, after.suspect) == ("", "", 0, False), name


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_no_step_leads_out_of_a_terminal_status(status: Status) -> None:
    """Touch and the link to a retry alone may take one, and leave the status as it is."""
    leads = {name: set(table[status]) for name, table in transitions.TABLE.items() if status in table}

    assert leads == {"touch": {status}, "retry": {status}}


@pytest.mark.parametrize("status", sorted(LIVE))
def test_every_live_status_has_a_way_on(status: Status) -> None:
    """No job is stuck by the table itself."""
    reached = {status}
    for _ in Status:
        for table in transitions.TABLE.values():
            reached |= {after for known in reached for after in table.get(known, ())}

    assert {Status.COMPLETED, Status.FAILED, Status.REVOKED} <= reached


def test_a_step_that_the_table_does_not_allow_is_a_bug_of_ours() -> None:
    """It raises Internal before anything is stored."""
    record = transitions.accepted(item(), 0, NOW_US)

    with pytest.raises(Internal, match=r"wake may not lead from job-queued to job-queued"):
        transitions.woken(record, NOW_US)


def test_births_are_on_the_table_too() -> None:
    """Accepted at once or later, deduped, forsaken, rejected."""
    later = item(wake_ms=NOW_US // 1000 + 1)
    born = [
        transitions.accepted(item(), 4, NOW_US),
        transitions.accepted(later, 4, NOW_US),
        transitions.deduped(item(), (TWO, "job-queued"), 4, NOW_US),
        kin_transitions.forsaken_at_birth(item(), TWO, 4, NOW_US),
    ]

    assert {record.status for record in born} == transitions.TABLE["accept"][None]
    assert {record.generation for record in born} == {4}
    assert transitions.rejected(item(), 4, NOW_US).status is Status.FAILED


@given(st.integers(0, 2**60), st.integers(0, 2**60))
def test_a_hybrid_clock_grows_and_is_never_behind_the_wall(last: int, now_us: int) -> None:
    """max(last + 1, now)."""
    assert transitions.hybrid(last, now_us) > last
    assert transitions.hybrid(last, now_us) >= now_us
