"""An explanation for people: the sentence, then one fact a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hysds.cli import explain
from hysds.core.explanation.explain import as_document
from hysds.core.explanation.values import Reason
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.requests import Renewal
from hysds.ports.engines import Workload
from hysds.testing import Play, SimulatedSystem

_SPEC: dict[str, Any] = {"job_type": "job:x", "job_queue": "default", "payload": {"_command": "x"}}


def _told(system: SimulatedSystem, job_id: str) -> dict[str, list[str]]:
    """The facts by name; the first line under ""."""
    first, *others = explain.lines(system.client.explain(job_id))
    facts: dict[str, list[str]] = {"": [first]}
    for line in others:
        name, value = re.split(r"  +", line, maxsplit=1)
        facts.setdefault(name, []).append(value)
    return facts


def _announce(system: SimulatedSystem, name: str, *queues: str) -> None:
    said = Announcement("host", name, queues, 1, Fit())
    system.system.ledger.renew(Renewal(f"{name}/1", said, (), (), 30_000, 60_000))


def test_a_queued_job_shows_its_place_and_the_workers(tmp_path: Path) -> None:
    """Those that hear its queue one by one; of the others how many there are."""
    with SimulatedSystem(tmp_path) as system:
        system.client.submit(_SPEC)
        job = system.client.submit({**_SPEC, "payload": {"_command": "y"}, "ttl": 60})
        for name, queue in (("w1", "default"), ("w2", "other"), ("w3", "other")):
            _announce(system, f"celery@{name}", queue)
        told = _told(system, job.id)

    assert told[""][0].startswith(f"job {job.id} is job-queued: 1 ready job stands before it")
    assert told["reason"] == ["behind-others"]
    assert told["queue"] == ["default: 1 before it, 2 ready"]
    assert told["worker"] == ["celery@w1 has room for it", "2 others hear other queues alone"]
    assert re.fullmatch(r"20\S+Z  it fails as timeout unless it was started: its ttl", told["next"][0])


def test_a_failed_job_shows_class_error_and_attempts(tmp_path: Path) -> None:
    """And what to do."""
    retried = {**_SPEC, "retry": {"user": {"attempts": 2, "delay": 0}}}
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
        job = system.client.submit(retried)
        system.settle()
        told = _told(system, job.id)
        lines = explain.lines(system.client.explain(job.id))

    text = "\n".join(lines)
    assert told[""][0].endswith("exit code 3")
    assert "as user in phase execute" in told[""][0]
    assert not {"ended as", "error"} & set(told)
    assert text.count("exit code 3") == 2  # of the whole, and of the attempt before the last
    assert re.fullmatch(r"on simulated@test, ended 20\S+Z: user: exit code 3", told["attempt 1"][0])
    assert "attempt 2" in told
    assert told["to do"][-1] == f"when its cause is mended: hysds retry {job.id}"


def test_a_job_that_was_retried_names_the_other(tmp_path: Path) -> None:
    """Either way."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
        old = system.client.submit(_SPEC)
        system.settle()
        new = system.client.retry(old.id)

        assert _told(system, old.id)["retried by"] == [new.id]
        assert _told(system, new.id)["retry of"] == [old.id]


@pytest.mark.parametrize("text", ["\x1b[31mKeyError: red", "Error: \x07bell"])
def test_what_a_job_wrote_can_not_steer_a_terminal(tmp_path: Path, text: str) -> None:
    """It is shown with escapes."""

    def fail(workload: Workload) -> Play:
        return Play(exit_code=1, stderr=text.encode())

    with SimulatedSystem(tmp_path, fail) as system:
        job = system.client.submit(_SPEC)
        system.settle()
        explanation = system.client.explain(job.id)

    assert explanation.why.reason is Reason.FAILED
    assert explanation.decisive.lines
    assert all(line.isprintable() for line in explain.lines(explanation))
    assert as_document(explanation)["lines"][0]["text"] == text
