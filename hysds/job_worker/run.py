"""One attempt, read aloud: prepare, execute, finish, and the one commit that ends it.

Whatever step raises, `run` answers what to tell the ledger, exactly once, and raises nothing: an end that nobody told
would have the job run again and again. The ledger call itself is the caller's.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hysds.core import limits, outcome
from hysds.core.document import document
from hysds.core.errors import Internal
from hysds.core.outcome import Outcome
from hysds.job_worker import environment, files, findings, report
from hysds.job_worker.findings import Findings
from hysds.job_worker.live import LiveLog
from hysds.leasing import workdir
from hysds.leasing.attempt import Attempt
from hysds.leasing.conclusion import Verdict, broken, conclude
from hysds.leasing.marks import MARKS
from hysds.leasing.workdir import WorkDir
from hysds.lib.process.ending import Ending, Reason
from hysds.lib.process.tail import Tail
from hysds.ports.engines import Engine, Running, Workload
from hysds.ports.logs import Logs

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What an attempt works with."""

    engine: Engine
    logs: Logs
    root: Path
    """Of all work directories."""
    host: str
    default_time_limit_s: float
    time_limit_gap_s: float
    chance: Callable[[], float]
    """A number in [0, 1) for the jitter of retry delays."""
    begin: Callable[[WorkDir], None]
    """Called before an attempt makes its directory: whose it is must be known if this worker dies."""
    ledger_ms: Callable[[], int]
    """The ledger's wall-clock time, in ms. Raises: Unreachable"""


def run(attempt: Attempt, tools: Tools) -> Verdict:
    """Carry out a claimed job; answers how to end its lease, None where it is not ours any more."""
    try:
        return _carried_out(attempt, tools)
    except Exception as error:  # noqa: BLE001  the outer shell: see above
        _log.exception("job %s: the attempt with fence %s broke", attempt.id, attempt.fence)
        return broken(attempt, error)


def _carried_out(attempt: Attempt, tools: Tools) -> Verdict:
    place = workdir.locate(tools.root, attempt.id, attempt.fence, attempt.record.accepted_ms)
    ended, found, log = Outcome(), Findings(), LiveLog(attempt, tools.logs)
    ending: Ending | None = None
    try:
        with attempt.entering("prepare"):
            workload = prepare(attempt, place, tools)
        attempt.await_sure()
        if attempt.stopped is None and workload.hard_limit_s <= 0:
            ended = outcome.at_deadline(ended, None)
        elif attempt.stopped is None:
            with attempt.entering("execute"):
                ending = execute(attempt, workload, place, tools, log)
            ended = _judged(attempt, ending, workload)
        with attempt.entering("finish"):
            found = finish(attempt, place, ended)
    except OSError as error:
        ended = outcome.of_os_error(error, attempt.phase)
        _mark_broken(place)
    except Exception as error:  # noqa: BLE001  the outer shell: whatever broke, the job ends with a class and a reason
        ended = outcome.of_exception(error, attempt.phase, traceback.format_exc())
        _mark_broken(place)
    log.finish(found.notes)
    tails = findings.tails(place) if ended.failure is not None else {}
    detail = report.detail(report.Report(attempt, place.path, tools.host, ended, ending, found, tails))
    return conclude(attempt, ended, detail, tools)


def prepare(attempt: Attempt, place: WorkDir, tools: Tools) -> Workload:
    """The work directory with its files, and the workload.

    Raises: OSError when the place can't be made or written; Internal for a spec that this worker can't read.
    """
    if attempt.defect:
        raise Internal(
            f"this worker can't read the job's spec ({attempt.defect}); is it older than who submitted?"
        )
    tools.begin(place)
    workdir.create(place)
    spec = attempt.spec
    env = environment.compose(attempt, place)
    times = limits.time_limits(
        spec, tools.default_time_limit_s, tools.time_limit_gap_s, attempt.deadline_in_s()
    )
    workload = Workload(
        id=f"{attempt.id}.f{attempt.fence}",
        argv=spec.argv,
        cwd=place.path,
        env=env,
        marks={name: env[name] for name in MARKS},
        stdout=place.stdout,
        stderr=place.stderr,
        soft_limit_s=times.soft_s,
        hard_limit_s=times.hard_s,
        memory_bytes=attempt.record.memory_bytes or spec.resources.memory,
    )
    job = document(attempt.record, attempt.stored_spec)["job"]
    files.write_before(place, report.context(attempt), job, workload)
    return workload


def execute(attempt: Attempt, workload: Workload, place: WorkDir, tools: Tools, log: LiveLog) -> Ending:
    """Start the workload, and watch it until nothing of it lives.

    Raises: OSError when its files can't be opened.
    """
    # The output is opened before the command can delete it.
    with Tail({"stdout": place.stdout, "stderr": place.stderr}) as tail:
        running = tools.engine.start(
            replace(workload, start_by_s=attempt.sure_until_s, reached_s=attempt.reached_s)
        )
        try:
            attempt.attach(running)
            _write_pid(place, running)
            return log.watch(running, tail, place)
        finally:
            attempt.detach()
            running.close()


def _judged(attempt: Attempt, ending: Ending, workload: Workload) -> Outcome:
    """What the end means. A hard limit that came with the deadline is the deadline's."""
    ended = outcome.of_ending(ending, workload.argv)
    left_s = attempt.deadline_in_s(ending.ended.boot_s)
    if ending.reason is not Reason.HARD_LIMIT or ending.started is None or left_s is None or left_s > 0:
        return ended
    return outcome.at_deadline(ended, ending.ended.boot_s - ending.started.boot_s)


def _write_pid(place: WorkDir, running: Running) -> None:
    """For people. A command that deletes its directory, or fills the disk, at once keeps none."""
    if running.pid is not None:
        with contextlib.suppress(OSError):
            files.put(place.pid, f"{running.pid}\n".encode())


def finish(attempt: Attempt, place: WorkDir, ended: Outcome) -> Findings:
    """Read back what the command left, and mark the end. A disk too full for the mark does not undo the work."""
    found = findings.collect(place)
    try:
        files.write_after(place, ended.exit_code)
    except OSError as error:
        return replace(found, notes=(*found.notes, f"the end could not be marked: {error.strerror}"))
    return found


def _mark_broken(place: WorkDir) -> None:
    """An attempt that broke on its way is over too: its directory must not say for ever that it runs."""
    with contextlib.suppress(OSError):
        files.write_after(place, None)
