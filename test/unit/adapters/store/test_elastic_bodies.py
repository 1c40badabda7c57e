"""How documents are sent to Elasticsearch and come back, without one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.adapters.store.elasticsearch import bodies, mapping
from hysds.adapters.store.elasticsearch.names import key, resource_of
from hysds.core import document as documents
from hysds.core.happenings import Happening
from hysds.core.happenings import document as happening_document
from hysds.core.searched import seal
from hysds.ports.indices import Resource

_ID = "01930f5e-7b1c-7000-8000-0123456789ab"
_JOB: dict[str, Any] = {
    "id": _ID, "_id": _ID, "uuid": _ID, "resource": "job", "revision": 7, "generation": 1, "status": "job-queued",
    "job": {"name": "x", "params": {"a": [1, {"b": "ß"}]}, "job_info": {"job_queue": "gpu", "facts": {"os": "l"}}},
}  # fmt: skip

_KEYS = st.text(max_size=4) | st.sampled_from([*sorted(mapping.KNOWN[Resource.JOB]), "_id", "_source", "a.b"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def _held(sent: bytes) -> dict[str, Any]:
    """What an index would give back."""
    held: dict[str, Any] = json.loads(sent)
    return held


def test_a_job_is_sent_as_its_json_was_made() -> None:
    """The sealed text goes out as it is, but for `_id`, which no index takes, behind the values that we ask by."""
    sealed = seal(_JOB)

    sent = bodies.source(_JOB, sealed, Resource.JOB)

    assert sent.endswith(sealed.body.partition(f'"_id":"{_ID}",')[2].encode())
    held = _held(sent)
    assert "_id" not in held
    assert held["searched"]["queue"] == "gpu"
    assert held["searched"]["leaves"] == ["8:params.a1", "10:params.a.bß"]
    assert "rest" not in held["searched"]


@given(extra=st.dictionaries(_KEYS.filter(lambda name: name not in ("id", "revision")), _JSON, max_size=5))
@pytest.mark.parametrize("source", [bodies.source, bodies.plain_source])
def test_every_document_comes_back_as_it_was(source: Any, extra: dict[str, Any]) -> None:
    """With all of its fields in their order, whatever they are called; and none that an index would refuse by its
    name is sent at the top."""
    document = {"id": _ID, **extra, "revision": 3}

    sent = source(document, seal(document), Resource.JOB)

    held = _held(sent)
    assert held.keys() - {"searched"} <= mapping.KNOWN[Resource.JOB]
    assert json.dumps(bodies.restored(held)) == json.dumps(document)


def test_open_parts_are_kept_unindexed_where_they_are_odd() -> None:
    """What users fill stands aside; what is known of the job is sent, so its other fields are found."""
    document = {**_JOB, "attempts": [{"": 1}], "job": {**_JOB["job"], "params": {"a\0": 1}, "": 2}}

    held = _held(bodies.plain_source(document, seal(document), Resource.JOB))

    assert held["job"] == {"name": "x", "job_info": {"job_queue": "gpu"}}
    assert "attempts" not in held
    assert bodies.restored(held) == document


def test_every_field_of_a_job_is_mapped() -> None:
    """The strict mapping knows all names that the document's own page lists, so none is only kept by accident."""
    listed = re.search(r"plus ours: `([^`]+)`", documents.__doc__ or "")
    assert listed is not None

    assert set(listed[1].split()) <= mapping.KNOWN[Resource.JOB] & mapping.KNOWN[Resource.TASK]


def test_every_field_of_a_happening_is_mapped() -> None:
    """Of workers and of events."""
    for resource in (Resource.WORKER, Resource.EVENT):
        document = happening_document(Happening("a", resource.value, "t", "s", 5, "h", ("x",), {"k": 1}))

        assert document.keys() <= mapping.KNOWN[resource]


def test_a_path_and_a_value_are_never_taken_for_another_pair() -> None:
    """Whatever stands in them."""
    assert bodies.leaf("params.a", "b=c") != bodies.leaf("params.ab", "=c")
    assert bodies.leaf("params.1", "2:x") != bodies.leaf("params.12", ":x")


def test_a_long_id_has_a_digest_as_its_key() -> None:
    """An index takes 512 bytes; ids of jobs are their own keys."""
    assert key(_ID) == _ID
    assert key("ß" * 256) == "ß" * 256
    assert key("ß" * 257) == key("ß" * 257) != key("ß" * 258)
    assert len(key("ß" * 257)) < 100


def test_only_tasks_lie_beside_jobs() -> None:
    """A document that does not say so is a job's."""
    assert [resource_of({"resource": name}) for name in ("job", "task", None)] == ["job", "task", "job"]
