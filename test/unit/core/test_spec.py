"""Which fields of a spec make two jobs the same."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core.budgets import Budget, Retry
from hysds.core.spec import After, JobSpec, Resources, dedup_digest, identity, split, stored

SPEC = JobSpec("job:x", {"_command": "true", "a": 1})


def test_each_field_declares_whether_it_changes_the_work() -> None:
    """A new field can't be forgotten: it must say which it is, and stand in this list."""
    work = {item.name for item in fields(JobSpec) if item.metadata["work"]}

    assert work == {"job_type", "payload", "context", "env", "tick", "array", "array_index"}


@pytest.mark.parametrize(
    "change",
    [
        {"job_name": "n"},
        {"job_queue": "q"},
        {"priority": 3},
        {"tag": "t"},
        {"username": "u"},
        {"concurrency_key": "k"},
        {"soft_time_limit": 1.0},
        {"time_limit": 1.0},
        {"resources": Resources(slots=2)},
        {"retry": Retry(gpu=Budget(2))},
        {"not_before": 1.0},
        {"ttl": 1.0},
        {"after": After(("x",))},
        {"payload": {"_command": "true", "a": 1, "_sciflo_wuid": "w", "_disk_usage": "1GB"}},
        {"payload": {"a": 1, "_command": "true"}},
    ],
)
def test_how_a_job_is_run_does_not_make_it_another(change: dict[str, Any]) -> None:
    """Names, places, limits and the order of keys leave the digest as it is, but not the spec's identity."""
    other = replace(SPEC, **change)

    assert dedup_digest(other) == dedup_digest(SPEC)
    assert (identity(stored(other)) == identity(stored(SPEC))) == (other == SPEC)


@pytest.mark.parametrize(
    "change",
    [
        {"job_type": "job:y"},
        {"payload": {"_command": "true", "a": 2}},
        {"context": {"c": 1}},
        {"env": {"A": "b"}},
        {"array_index": 0},
    ],
)
def test_what_a_job_does_makes_it_another(change: dict[str, Any]) -> None:
    """The original's hash left out the type: the same payload under two types was a duplicate (W-19)."""
    assert dedup_digest(replace(SPEC, **change)) != dedup_digest(SPEC)


def test_the_callers_own_hash_takes_the_digests_place() -> None:
    """Whoever gives a payload_hash decides what is the same."""
    assert dedup_digest(replace(SPEC, payload_hash="mine")) == "mine"


@given(st.text(alphabet="ab#$*;|&!\u00a0\x0b\x1c \t\r\n'\"\\", max_size=12))
def test_a_command_is_split_as_a_shell_would(command: str) -> None:
    """Also the short way, for commands without quotes."""
    try:
        expected: list[str] | None = shlex.split(command)
    except ValueError:
        expected = None

    if expected is None:
        with pytest.raises(ValueError, match="No"):
            split(command)
    else:
        assert split(command) == expected
