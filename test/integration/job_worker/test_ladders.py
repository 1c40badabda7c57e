"""What a failure leads to, with real commands: more memory, an exit code's own budget; and what is told of it."""

from __future__ import annotations

import sys

import pytest

from worlds.job_worker import Bench


def test_each_attempt_after_an_oom_gets_more_memory_until_it_is_enough(bench: Bench) -> None:
    """The limit that the engine keeps grows, and so does what the job asks of a host."""
    code = "held = b'x' * 300_000_000; import time; time.sleep(3)"
    job_id = bench.submit(
        f'{sys.executable} -c "{code}"',
        resources={"memory": "100MB"},
        retry={"oom": {"attempts": 4, "factor": 3, "cap": "1GB"}},
    )
    for _ in range(3):
        assert bench.worker.perform("q", lambda shown: None) == job_id

    found = bench.job(job_id)
    assert found["status"] == "job-completed"
    assert [attempt["how"] for attempt in found["attempts"]] == ["oom", "oom", "job-completed"]
    record = bench.ledger.book.records[job_id]
    assert (record.memory_bytes, record.shape) == (900_000_000, "1s1024m")


@pytest.mark.parametrize(("code", "attempts"), [(75, 3), (76, 1)])
def test_an_exit_code_may_have_a_budget_of_its_own(bench: Bench, code: int, attempts: int) -> None:
    """75 means: try again; any other failure of the command is final."""
    retry = {"on_exit_codes": {"75": {"attempts": 3, "delay": 0}}}
    job_id = bench.submit(f"sh -c 'exit {code}'", retry=retry)
    for _ in range(attempts):
        assert bench.worker.perform("q", lambda shown: None) == job_id

    found = bench.job(job_id)
    assert (found["status"], found["failure_class"]) == ("job-failed", "user")
    assert [attempt["exit_code"] for attempt in found["attempts"]] == [code] * attempts


def test_a_failed_attempt_tells_the_end_of_its_output(bench: Bench) -> None:
    """By stream, whole lines, no more than the document bears."""
    found = bench.run("sh -c 'seq 100000; echo it broke >&2; exit 1'")

    [attempt] = found["attempts"]
    lines = attempt["output_tail"]["stdout"].splitlines()
    assert (lines[-1], len(lines[0]), attempt["output_tail"]["stderr"]) == ("100000", 5, "it broke")
    assert len(attempt["output_tail"]["stdout"]) <= 2000


def test_a_completed_attempt_tells_none_of_its_output(bench: Bench) -> None:
    """Its files have it."""
    found = bench.run("echo done")

    assert "output_tail" not in found["attempts"][0]
