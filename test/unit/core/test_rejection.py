"""What is on record of a submission that was refused."""

from __future__ import annotations

import json

import pytest

from hysds.core.acceptance import rejection
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.ids import JobId

_ID = JobId("01930f5e-7b1c-7000-8000-0123456789ab")
_REFUSAL = InvalidSpec((Complaint("$.foo", "unknown field"),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"job_type": "job:x", "tag": "t", "username": "u", "foo": 1}',
            {"job_type": "job:x", "tag": "t", "username": "u"},
        ),
        ('{"function": "m.f", "type": "adder", "foo": 1}', {"job_type": "adder"}),
        ('{"job_type": ["x"], "tag": 3, "username": ""}', {}),
        (json.dumps({"job_type": "x" * 256, "job_name": "a\nb"}), {}),
        ("[1]", {}),
        ("{", {}),
        ("[" * 100_000, {}),
    ],
)
def test_a_refused_submission_is_found_by_what_it_called_itself(text: str, said: dict[str, str]) -> None:
    """As far as these are short texts; a payload is not kept, nor anything that no document could hold."""
    item, complaints = rejection(_ID, text, _REFUSAL)

    assert json.loads(item.spec) == said
    assert json.loads(complaints)["complaints"] == [{"path": "$.foo", "message": "unknown field"}]
