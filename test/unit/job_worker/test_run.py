"""One attempt comes to its one end, whatever a step meets."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.engines.simulated import SimulatedEngine
from hysds.core.errors import Full, HysdsError, Internal, Unreachable
from hysds.core.record import Record
from hysds.core.requests import Commit, Lease
from hysds.core.status import Status
from hysds.job_worker import live, run
from hysds.leasing.attempt import Attempt
from hysds.ports.engines import Workload
from hysds.ports.logs import Chunk, Heard
from hysds.testing import Play, SimulatedSystem

SPEC = {"job_type": "job:default", "payload": {"_command": "true"}}
STORED = '{"job_type":"job:x","payload":{"_command":"true"}}'


def ended(home: Path, script: Callable[[Workload], Play]) -> dict[str, Any]:
    """The document of a job that this script plays."""
    with SimulatedSystem(home, script) as system:
        job_id = system.client.submit(SPEC).id
        system.settle()
        return system.client.job(job_id)


def leaving(name: bytes, content: bytes) -> Callable[[Workload], Play]:
    """A workload that succeeds and leaves this file."""

    def play(workload: Workload) -> Play:
        with open(os.path.join(os.fsencode(workload.cwd), name), "wb") as file:
            file.write(content)
        return Play(stdout=b"done\n")

    return play


def test_a_file_whose_name_is_no_utf_8_is_noted_and_costs_nothing(tmp_path: Path) -> None:
    """The note could not be written into the live log: the end was never committed, and the job ran again for ever."""
    found = ended(tmp_path, leaving(b"\xff_pge_metrics.json", b"{"))

    assert found["status"] == "job-completed"
    [note] = found["attempts"][-1]["notes"]
    assert note.endswith("_pge_metrics.json is no JSON (JSONDecodeError): left out")


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), RuntimeError("the guardian is dead")])
def test_the_directory_of_an_attempt_that_broke_does_not_say_for_ever_that_it_runs(
    tmp_path: Path, error: Exception
) -> None:
    """A guardian that was killed as it started the command left `.running` behind."""

    def play(workload: Workload) -> Play:
        raise error

    found = ended(tmp_path, play)

    last = found["attempts"][-1]
    assert last["phase"] == "execute"
    assert Path(last["job_dir"], ".done").exists()
    assert not Path(last["job_dir"], ".running").exists()


@pytest.mark.parametrize("depth", [300, 900, 950, 980, 1_000, 50_000])
def test_metrics_nested_to_any_depth_do_not_cost_the_job_its_end(tmp_path: Path, depth: int) -> None:
    """What can be read may yet be too deep to be written."""
    nested = b'{"download": ' + b"[" * depth + b"]" * depth + b"}"

    found = ended(tmp_path, leaving(b"pge_metrics.json", nested))

    assert (found["status"], len(found["attempts"])) == ("job-completed", 1)


def test_a_number_beyond_json_does_not_reach_the_document(tmp_path: Path) -> None:
    """1e999 reads as infinity, which no JSON document can hold."""
    found = ended(tmp_path, leaving(b"pge_metrics.json", b'{"download": [{"size": 1e999}]}'))

    assert found["status"] == "job-completed"
    json.dumps(found, allow_nan=False)


class BrokenLogs:
    """Takes no output."""

    def __init__(self, error: HysdsError) -> None:
        self.error = error
        self.asked = 0

    def append(self, id: str, fence: int, chunks: Sequence[Chunk]) -> int:
        self.asked += 1
        raise self.error

    def finish(self, id: str, fence: int) -> None:
        self.asked += 1
        raise self.error

    def read(self, id: str, fence: int, after: str, limit: int, timeout_s: float) -> Heard:
        raise self.error

    def held_bytes(self) -> int:
        return 0


def tools(home: Path, logs: BrokenLogs, chance: Callable[[], float] = random.random) -> run.Tools:
    engine = SimulatedEngine(lambda workload: Play(exit_code=int(workload.argv[0] == "false"), stdout=b"x\n"))
    return run.Tools(engine, logs, home, "test", 60.0, 60.0, chance, lambda place: None, lambda: 0)


def attempt(spec: str = STORED, fails: str = "") -> Attempt:
    record = Record("job", Status.STARTED, 7, "d", "q", "1s", 0, fence=7, started_ms=1_000_000, fails=fails)
    return Attempt(Lease(record, spec))


@pytest.mark.parametrize(
    "error", [Unreachable("ledger", "away"), Full("no memory"), Internal("a wrong type")]
)
def test_a_live_log_that_fails_in_any_way_costs_the_live_view_alone(
    tmp_path: Path, error: HysdsError
) -> None:
    """The files hold the output; the job completes."""
    logs = BrokenLogs(error)

    verdict = run.run(attempt(), tools(tmp_path, logs))

    assert isinstance(verdict, Commit)
    assert (verdict.status, logs.asked) == (Status.COMPLETED, 2)


def test_a_spec_that_this_worker_can_t_read_fails_its_attempt_with_that_reason(tmp_path: Path) -> None:
    """One of a later version: another worker may read it, so the attempt counts as the system's own failure."""
    newer = '{"job_type":"job:x","payload":{"_command":"true"},"warp":9}'
    verdict = run.run(attempt(newer), tools(tmp_path, BrokenLogs(Internal("unused")), lambda: 0.5))

    assert isinstance(verdict, Commit)
    assert (verdict.status, verdict.reason, verdict.fails) == (Status.WAITING, "internal", "x1")
    assert "can't read the job's spec (TypeError" in json.loads(verdict.detail)["error"]


def test_whatever_breaks_beside_the_steps_ends_the_job_all_the_same(tmp_path: Path) -> None:
    """Here: failures counted in a way that this version does not know."""
    false = STORED.replace("true", "false")
    verdict = run.run(attempt(false, fails="z1"), tools(tmp_path, BrokenLogs(Internal("unused"))))

    assert isinstance(verdict, Commit)
    assert (verdict.status, verdict.reason, verdict.fails) == (Status.FAILED, "internal", "z1")
    assert "KeyError" in json.loads(verdict.detail)["error"]


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_phases_and_commands_are_told_in_the_ledgers_time(tmp_path: Path, hours: int) -> None:
    """A host whose clock is hours off would show a job that ran before it was queued."""
    with SimulatedSystem(tmp_path) as system:
        system.clock.advance(hours * 3600)
        now_ms = system.clock() // 1000
        job_id = system.client.submit(SPEC).id
        system.settle()
        detail = json.loads(system.system.ledger.kept([job_id])[0].attempts[-1].detail)  # type: ignore[union-attr]

    told = [time for phase in detail["phases"] for time in (phase["start"], phase["end"])]
    told += [detail["cmd_start"], detail["cmd_end"]]
    assert told[:6] == sorted(told[:6])
    assert all(abs(time - now_ms / 1000) < 60 for time in told)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_retry_waits_by_the_ledgers_clock(tmp_path: Path, hours: int) -> None:
    """The worker's clock is hours ahead of or behind it: the delay is the policy's, neither skipped nor hours long."""
    document = SPEC | {"retry": {"user": {"attempts": 2, "delay": 100, "cap": 100}}}
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        system.clock.advance(hours * 3600)
        job_id = system.client.submit(document).id
        system.work()
        [kept] = system.system.ledger.kept([job_id])
        assert kept is not None
        delay_ms = kept.record.wake_ms - system.clock() // 1000
        assert (kept.record.status, 0 <= delay_ms <= 101_000) == (Status.WAITING, True)

        system.later(102)

        assert system.client.job(job_id)["status"] == "job-failed"


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_retry_waits_as_long_when_the_ledgers_clock_is_set_meanwhile(tmp_path: Path, hours: int) -> None:
    """Between claim and failure the ledger's own clock jumps: the delay counts from what it says then."""
    document = SPEC | {"retry": {"user": {"attempts": 2, "delay": 100, "cap": 100}}}

    def set_clock(workload: Workload) -> Play:
        system.clock.advance(hours * 3600)
        return Play(exit_code=1)

    with SimulatedSystem(tmp_path, set_clock) as system:
        job_id = system.client.submit(document).id
        system.work()
        [kept] = system.system.ledger.kept([job_id])
        assert kept is not None

        assert 0 <= kept.record.wake_ms - system.clock() // 1000 <= 101_000


def test_a_progress_line_that_comes_between_two_looks_is_told_once(tmp_path: Path) -> None:
    """What is read is what was seen: the line behind it is the next look's."""
    path = tmp_path / "_progress"
    path.write_text("0.1 first\n0.2 second\n")

    assert live._last_line(path, 0) is None
    assert live._last_line(path, len("0.1 first\n")) == "0.1 first"
    assert live._last_line(path, path.stat().st_size) == "0.2 second"
