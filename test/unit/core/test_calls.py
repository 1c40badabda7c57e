"""Tasks: what may be asked, and under which names a refusal says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from hysds.core import calls
from hysds.core.acceptance import DedupPolicy, acceptance
from hysds.core.errors import InvalidSpec
from hysds.core.ids import JobId
from hysds.core.parse import parse_document, parse_task
from hysds.core.record import FOREVER
from hysds.core.shapes import Capacity, decode
from hysds.core.spec import JobSpec, from_stored, stored

ID = JobId("01930f5e-7b1c-7000-8000-0123456789ab")


def spec_of(**task: Any) -> JobSpec:
    return parse_task(task, "tasks")


def complaints(**task: Any) -> list[str]:
    with pytest.raises(InvalidSpec) as refusal:
        spec_of(**task)
    return [str(one) for one in refusal.value.complaints]


def test_a_task_is_a_job_of_its_own_kind() -> None:
    """Its call is the payload; the queue is the caller's default, and it is no duplicate of an equal one."""
    spec = spec_of(function="a.b.f", args=[1], kwargs={"k": None}, priority=7)

    assert calls.call_of(spec) == calls.Call("a.b.f", [1], {"k": None})
    assert (spec.kind, spec.job_type, spec.job_queue, spec.priority) == ("task", "task:a.b.f", "tasks", 7)
    assert not spec.enable_dedup
    assert from_stored(stored(spec)) == spec


def test_the_type_and_the_queue_of_the_original_are_kept() -> None:
    """HySDS's tasks name a type; ours may also name a queue, and ask for dedup."""
    spec = spec_of(type="user_rules_job", function="a.f", queue="rules", enable_dedup=True)

    assert (spec.job_type, spec.job_queue, spec.enable_dedup) == ("user_rules_job", "rules", True)


def test_an_accepted_task_fits_no_job_worker() -> None:
    """Its kind stands in the record and its shape says it too, so that claims alone keep the kinds apart."""
    asked = acceptance(ID, spec_of(function="a.f"), DedupPolicy(frozenset(), FOREVER))
    free = {"slots": 4, "cpus": 4.0, "memory_bytes": 1 << 40, "disk_bytes": 1 << 40}

    assert (asked.kind, asked.shape) == ("task", "1st")
    assert decode("1st").fits(Capacity(**free, for_tasks=True))
    assert not decode("1st").fits(Capacity(**free))
    assert not decode("1s").fits(Capacity(**free, for_tasks=True))
    assert decode("1st!") == decode("1st")


@pytest.mark.parametrize(
    ("task", "path", "words"),
    [
        ({"function": "a.f", "sys_path": "/x"}, "$.sys_path", "PYTHONPATH"),
        ({"function": "a.f", "arguments": []}, "$.arguments", "unknown field"),
        ({}, "$.function", "is required"),
        ({"function": "os"}, "$.function", "no dotted name"),
        ({"function": "os.system; rm"}, "$.function", "no dotted name"),
        ({"function": "a." + "f" * 300}, "$.function", "no dotted name"),
        ({"function": 7}, "$.function", "is required"),
        ({"function": "a.f", "args": {"a": 1}}, "$.args", "must be a list"),
        ({"function": "a.f", "kwargs": [1]}, "$.kwargs", "must be an object"),
        ({"function": "a.f", "queue": "no queue"}, "$.queue", ""),
        ({"function": "a.f", "args": [object()]}, "$", "JSON"),
        ({"function": "a.f", "args": [float("nan")]}, "$", "JSON"),
    ],
)
def test_what_is_wrong_is_said_under_the_task_s_own_names(
    task: dict[str, Any], path: str, words: str
) -> None:
    """Whoever wrote `queue` is not told of `job_queue`."""
    [complaint] = complaints(**task)

    assert complaint.partition(": ")[0] == path
    assert words in complaint


@pytest.mark.parametrize("field", ["env", "context", "resources"])
def test_what_no_task_can_have_is_refused(field: str) -> None:
    """A job spec of the kind says what a task worker could not honour."""
    value: Any = {"slots": 2} if field == "resources" else {"A": "1"}
    document = {
        "job_type": "t",
        "kind": "task",
        "job_queue": "q",
        "payload": {"function": "a.f"},
        field: value,
    }
    with pytest.raises(InvalidSpec, match=rf"\$\.{field}: a task has"):
        parse_document(document)


def test_a_task_needs_a_queue_and_nothing_but_its_call() -> None:
    """The type's name is no queue of task workers, and a command beside a call would never run."""
    document = {"job_type": "t", "kind": "task", "payload": {"function": "a.f", "_command": "true"}}
    with pytest.raises(InvalidSpec) as refusal:
        parse_document(document)

    assert [one.path for one in refusal.value.complaints] == ["$.job_queue", "$.payload._command"]


@pytest.mark.parametrize(
    ("function", "is_allowed"),
    [
        ("a.b.f", True),
        ("a.b.c.f", True),
        ("a.bc.f", False),
        ("a.f", False),
        ("a.b", False),
        ("b.a.b.f", False),
    ],
)
def test_an_allowed_prefix_ends_at_a_dot(function: str, is_allowed: bool) -> None:
    """`a.b` allows the functions of `a.b` and below it, and of nothing that only begins alike."""
    assert calls.is_allowed(function, ("a.b",)) == is_allowed


def test_a_submitter_that_knows_what_is_allowed_refuses_the_rest() -> None:
    """One that does not leaves it to the worker; commands are not asked."""
    spec = spec_of(function="os.system")
    calls.refuse_unless_allowed(spec, None)
    calls.refuse_unless_allowed(JobSpec("job:x", {"_command": "true"}), ("a",))

    with pytest.raises(InvalidSpec, match=r"os\.system is in no module that tasks\.allow names \(a\)"):
        calls.refuse_unless_allowed(spec, ("a",))
