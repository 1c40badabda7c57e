"""Documents as hits, and paths into them as HySDS's interfaces write them."""

from __future__ import annotations

from typing import Any

import pytest

from hysds.core.job_types import hits

_HIT = hits.hit_of(
    {
        "id": "1",
        "_id": "1",
        "status": "job-failed",
        "job": {"params": {"urls": ["a", "b"], "x.y": 1}, "l": [{"n": 1}, {"n": 2}]},
    }
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("_id", "1"),
        ("_index", "job_status-current"),
        ("_source.status", "job-failed"),
        ("_source.job.params.urls", ["a", "b"]),
        ("_source.job.params.urls.1", "b"),
        ("_source.job.l.n", [1, 2]),
        ("", _HIT),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: Any) -> None:
    """Through objects by key, through lists by position or to each element."""
    assert value == hits.at(_HIT, path)


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("_source.job.nothing.more", "_source.job.nothing"),
        ("_source.status.more", "_source.status.more"),
        ("_source.job.params.urls.2", "_source.job.params.urls.2"),
        ("_source._id", "_source._id"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path: str, missing: str) -> None:
    """The first part that is not there is named with those before it."""
    with pytest.raises(hits.Absent, match=f"^{missing}$"):
        hits.at(_HIT, path)
