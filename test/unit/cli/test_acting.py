"""Commands that act on many jobs: which, whether that is meant, and what is told."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import click
import pytest

from hysds.cli import acting
from hysds.cli.acting import CONFIRMED_ABOVE, Asked
from hysds.cli.cancel import command as cancel
from hysds.cli.exits import Exit
from hysds.cli.progress import Progress
from hysds.core.control import Verb
from hysds.core.errors import Refused
from hysds.core.repetition import Changes
from hysds.testing import SimulatedSystem

_ID = "01930f5e-7b1c-7000-8000-0123456789ab"


def _asked(*arguments: str) -> Asked:
    options = dict(cancel.make_context("cancel", list(arguments)).params)
    job_id = options.pop("job_id")
    options.pop("wait")
    return acting.asked(job_id, options)


def _spec(**fields: Any) -> dict[str, Any]:
    spec = {"job_type": "job:x", "job_queue": "nobody", "payload": {"_command": "x"}, "enable_dedup": False}
    return spec | fields


@pytest.mark.parametrize("arguments", [(), ("--yes",), (_ID, "--tag", "t"), (_ID, "--all")])
def test_jobs_are_named_or_searched_for(arguments: tuple[str, ...]) -> None:
    """Neither is a question; both is one too."""
    with pytest.raises(click.UsageError):
        _asked(*arguments)


def test_more_jobs_than_a_few_need_somebody_who_means_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal nobody can be asked: nothing is changed, and stderr says how to go on."""
    with SimulatedSystem(tmp_path) as system:
        system.client.submit_many([_spec()] * (CONFIRMED_ABOVE + 1))
        system.index()

        with pytest.raises(Refused, match=f"{CONFIRMED_ABOVE + 1} jobs match.*--dry-run.*--yes"):
            acting.carried_out(system.client, Verb.CANCEL, _asked("--status", "queued"))
        assert system.client.queues()[-1].ready == CONFIRMED_ABOVE + 1
        code = acting.carried_out(system.client, Verb.CANCEL, _asked("--all", "--yes"))

    out, err = capsys.readouterr()
    assert code == Exit.COMPLETED
    assert out.splitlines()[0] == f"cancel: {CONFIRMED_ABOVE + 1} of {CONFIRMED_ABOVE + 1} jobs"
    assert f"this matches every job that it could: all {CONFIRMED_ABOVE + 1}" in err


def test_a_dry_run_lists_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each job with what would become of it, and the sum on stderr."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_spec(tag="t"))
        system.index()
        code = acting.carried_out(system.client, Verb.CANCEL, _asked("--tag", "t", "--dry-run"))
        status = system.client.job(job.id)["status"]

    out, err = capsys.readouterr()
    assert (code, status) == (Exit.COMPLETED, "job-queued")
    assert out == f"{job.id}  revoked\n"
    assert err.splitlines()[-1] == "cancel would change 1 of 1 jobs; nothing was changed"


def test_named_jobs_that_are_left_are_told_by_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that nobody knows and one that has ended; one that stands so already is as it was asked to be."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_spec())
        changes = Changes(priority=9)
        done = acting.carried_out(system.client, Verb.PRIORITY, _asked(job.id), changes)
        again = acting.carried_out(system.client, Verb.PRIORITY, _asked(job.id, "--json"), changes)
        left = acting.carried_out(system.client, Verb.PRIORITY, _asked(_ID), changes)
        live = acting.carried_out(system.client, Verb.PURGE, _asked(job.id))

    out, err = capsys.readouterr()
    assert (done, again, left, live) == (Exit.COMPLETED, Exit.COMPLETED, Exit.REFUSED, Exit.REFUSED)
    lines = out.splitlines()
    assert lines[0] == f"{job.id}  changed"
    assert json.loads(lines[1]) == {"id": job.id, "answer": "same"}
    assert lines[2:] == [f"{_ID}  no such job", f"{job.id}  has not ended, so it was left"]
    assert json.loads(err.splitlines()[0])["answers"] == {"same": 1}


def test_a_query_that_finds_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no error."""
    with SimulatedSystem(tmp_path) as system:
        assert acting.carried_out(system.client, Verb.PURGE, _asked("--tag", "none")) == Exit.COMPLETED
    assert capsys.readouterr().err == "no job matches\n"


def test_progress_is_shown_of_what_takes_long_alone() -> None:
    """Nothing within a second, then a line now and then, and none when all is done."""
    stream, now = io.StringIO(), [0.0]
    progress = Progress("cancel", 4_000, stream, lambda: now[0])
    for at_s in (0.5, 1.5, 2.0, 7.0, 7.1, 20.0):
        now[0] = at_s
        progress.add(500)
    progress.add(1_000)
    progress.over()

    assert stream.getvalue() == (
        "cancel: 1000 of 4000 jobs\ncancel: 2000 of 4000 jobs\ncancel: 3000 of 4000 jobs\n"
    )
