"""What became of submissions, on stdout and stderr."""

from __future__ import annotations

import contextlib
import os

import pytest

from hysds.cli import submissions
from hysds.cli.exits import Exit
from hysds.core.errors import CreatorFailed
from hysds.core.ids import JobId
from hysds.orchestrator.submit import Submission

_IDS = ("01930f5e-7b1c-7000-8000-0123456789ab", "01930f5e-7b1c-7000-8000-0123456789ac")


def test_a_job_that_was_accepted_never_looks_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stdout takes no id, stderr has them all, and the command ends as at a broken pipe."""
    taken = [(f"{at}.json", Submission(JobId(id_), "job-queued")) for at, id_ in enumerate(_IDS)]
    reader, writer = os.pipe()
    os.close(reader)
    with (
        pytest.raises(BrokenPipeError),
        open(writer, "w", buffering=1) as nobody,
        contextlib.redirect_stdout(nobody),
    ):
        submissions.show(taken, (), as_json=False)
    said = capsys.readouterr().err

    assert said.splitlines() == [
        f"{at}.json: accepted as job {id_}, which stdout can't be told" for at, id_ in enumerate(_IDS)
    ]


def test_a_creators_traceback_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """What it printed can't steer a terminal."""
    refused = CreatorFailed(
        "creator m.f raised ValueError: no", ('  File "m.py", line 3', "ValueError: \x1b[2J")
    )
    code = submissions.show(
        [("job.json", Submission(JobId(_IDS[0]), "", refused=refused))], (), as_json=False
    )

    assert code is Exit.REFUSED
    assert capsys.readouterr().err.splitlines() == [
        "hysds: job.json: creator m.f raised ValueError: no",
        '    File "m.py", line 3',
        "  ValueError: \\x1b[2J",
    ]


def test_what_names_its_type_is_not_told_twice_of_which(capsys: pytest.CaptureFixture[str]) -> None:
    """As a creator's failure does, of a submission by that type."""
    refused = CreatorFailed("job type job:grid: its creators returned no job at all", ())
    for name in ("job:grid", "grid.json"):
        submissions.show([(name, Submission(JobId(_IDS[0]), "", refused=refused))], (), as_json=False)

    assert capsys.readouterr().err.splitlines() == [
        "hysds: job type job:grid: its creators returned no job at all",
        "hysds: grid.json: job type job:grid: its creators returned no job at all",
    ]


def test_a_group_says_how_many_jobs_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """One id on stdout stands for all of them, as the JSON says too."""
    group = Submission(JobId(_IDS[0]), "job-waiting", members=3)
    for as_json in (False, True):
        submissions.show([("job-again:v1", group)], (), as_json)
    told = capsys.readouterr()

    assert told.out.splitlines() == [_IDS[0], f'{{"id":"{_IDS[0]}","status":"job-waiting","members":3}}']
    assert told.err.splitlines() == [f"job-again:v1: {_IDS[0]} is a group of 3 jobs"] * 2
