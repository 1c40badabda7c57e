"""What a job of a rule tells of where it comes from."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hysds.core import cause
from hysds.core.acceptance import rejection
from hysds.core.cause import Cause
from hysds.core.document import document
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.ids import JobId
from hysds.core.parse import parse_document
from hysds.core.record import Record
from hysds.core.repetition import Changes, of_document
from hysds.core.spec import JobSpec, dedup_digest, from_stored, stored
from hysds.core.status import Status

_CAUSE = Cause("again", "00000000-0000-4000-8000-000000000001", 3, ("first", "again"))
_ID = JobId("00000000-0000-4000-8000-000000000002")
_SPEC = JobSpec("job:x", {"_command": "true"}, cause=_CAUSE)


def _record(status: Status = Status.QUEUED, **changes: object) -> Record:
    record = Record(_ID, status, 1_000_000, "d", "x", "1s", 0, 1)
    return replace(record, **changes)  # type: ignore[arg-type]


def test_a_cause_goes_with_the_spec_and_stands_in_its_document() -> None:
    """So whoever looks at a job sees why it is there, and no rule forgets what it did."""
    assert from_stored(stored(_SPEC)) == _SPEC

    shown = document(_record(), stored(_SPEC))

    assert shown["caused_by"] == _CAUSE.of
    assert (shown["rule"], shown["rule_depth"], shown["rule_lineage"]) == ("again", 3, ["first", "again"])
    assert cause.of_document(shown) == _CAUSE


def test_a_cause_makes_no_job_another_than_it_is() -> None:
    """What two rules ask for is one piece of work."""
    assert dedup_digest(_SPEC) == dedup_digest(replace(_SPEC, cause=None))


def test_nobody_sets_a_cause_by_hand() -> None:
    """It would switch off rules for the job."""
    with pytest.raises(InvalidSpec, match="rules alone"):
        parse_document(json.loads(stored(_SPEC)))


def test_a_refused_spec_keeps_its_cause() -> None:
    """A rule that causes what is refused may not fire on the refusal again and again."""
    item, _ = rejection(_ID, stored(_SPEC), InvalidSpec((Complaint("$", "no"),)))
    refused = _record(Status.FAILED, reason="invalid")

    assert cause.of_document(document(refused, item.spec)) == _CAUSE


@pytest.mark.parametrize(
    "said",
    [None, 1, {},
     {"rule": "r", "of": "x", "depth": 0, "lineage": ["r"]}, {"rule": "r", "of": "x", "depth": 1, "lineage": []},
     {"rule": "r", "of": "x", "depth": 1, "lineage": ["r"] * 33}, {"rule": 1, "of": "x", "depth": 1, "lineage": ["r"]}],
    ids=str,
)  # fmt: skip
def test_what_a_refused_spec_calls_a_cause_may_be_anything(said: object) -> None:
    """Somebody may send whatever they like over the broker."""
    text = json.dumps({"job_type": "job:x", "cause": said})

    assert "cause" not in rejection(_ID, text, InvalidSpec((Complaint("$", "no"),)))[0].spec


def test_a_retry_from_the_document_keeps_the_cause() -> None:
    """Also once the ledger has forgotten the job."""
    shown = document(_record(Status.COMPLETED, ended_ms=5), stored(_SPEC))

    assert of_document(shown, Changes()).cause == _CAUSE
