"""Why a job stands where it stands for other jobs' sake: groups, members, dependencies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hysds.core.document import document
from hysds.core.explanation.explain import explain
from hysds.core.explanation.values import Explanation, Reason, Seen, Terms
from hysds.core.kin import Kids
from hysds.core.record import GROUP, Record
from hysds.core.status import Status

NOW_MS = 1_800_000_000_000
ID, OTHER, THIRD = (f"01930f5e-7b1c-7000-8000-0123456789a{letter}" for letter in "bcd")
TERMS = Terms(NOW_MS, 30_000, 2_000, 10_000, 60_000, 3_600_000, 604_800.0, 300.0)
WAITING = Record(ID, Status.WAITING, NOW_MS * 1000, "d", "gpu", "1s", 0, accepted_ms=NOW_MS - 60_000)
GROUP_RECORD = replace(WAITING, kind=GROUP, reason="members", kids=Kids(9, 3, running=2, done=4).text())


def _explained(record: Record, others: tuple[Mapping[str, Any], ...] = (), **spec: Any) -> Explanation:
    text = json.dumps({"job_type": "job:x", "payload": {"_command": "true"}, **spec})
    return explain(Seen(record.id, document(record, text), record, others=others), TERMS)


@pytest.mark.parametrize(
    ("on", "says"), [("completed", "1 of 2 jobs to complete"), ("finished", "1 of 2 jobs to end")]
)
def test_a_dependency_is_named_with_where_it_stands(on: str, says: str) -> None:
    """Those that have ended are not; what comes then, and what if it does not complete."""
    record = replace(WAITING, reason="after", after_left=1, after_finished=on == "finished")
    others = ({"id": OTHER, "status": "job-started"}, {"id": THIRD, "status": "job-completed"})

    found = _explained(record, others, after={"jobs": [OTHER, THIRD], "on": on})

    assert found.why.reason is Reason.AFTER
    assert says in found.why.sentence
    assert f"{OTHER} (job-started)" in found.why.sentence
    assert THIRD not in found.why.sentence
    assert found.why.advice == (f"hysds explain {OTHER}",)
    assert len(found.why.coming) == (2 if on == "completed" else 1)


def test_a_group_waits_for_its_members_and_says_where_they_stand() -> None:
    """In numbers; who they are a search tells."""
    found = _explained(GROUP_RECORD)

    assert found.why.reason is Reason.MEMBERS
    assert found.why.sentence.endswith("3 queued, 2 running, 4 done of 9")
    assert found.why.advice == (f"see them: hysds jobs --parent {ID}",)


def test_a_group_that_is_being_handed_in_says_so() -> None:
    """And what becomes of it if nobody goes on."""
    found = _explained(replace(GROUP_RECORD, reason="staged"))

    assert found.why.reason is Reason.STAGED
    assert "revoked" in found.why.coming[0].what


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        ({"status": Status.REVOKED, "reason": f"dependency {OTHER}"}, Reason.DEPENDENCY, OTHER),
        (
            {"status": Status.FAILED, "reason": "members", "kids": Kids(3, 0, done=2, failed=1).text()},
            Reason.MEMBERS_FAILED,
            "1 failed of its 3 members",
        ),
        ({"status": Status.REVOKED, "reason": "aborted"}, Reason.ABORTED, "not all of its members"),
        ({"status": Status.REVOKED, "reason": "cancelled"}, Reason.REVOKED, "cancelled"),
    ],
    ids=lambda value: str(value) if isinstance(value, Reason) else "",
)
def test_an_end_for_others_names_them(changes: dict[str, Any], reason: Reason, says: str) -> None:
    """With what to do about it."""
    found = _explained(replace(GROUP_RECORD, ended_ms=NOW_MS, **changes))

    assert found.why.reason is reason
    assert says in found.why.sentence
    assert all(found.why.advice)


def test_a_member_is_linked_to_its_group() -> None:
    """Whatever else it waits for."""
    found = _explained(replace(WAITING, reason="time", wake_ms=NOW_MS + 60_000, parent=OTHER, depth=1))

    assert found.links == {"parent": OTHER}
    assert found.why.reason is Reason.NOT_BEFORE
