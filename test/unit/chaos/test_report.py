"""What a run tells people and programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hysds.chaos import report
from hysds.chaos.checker import GUARANTEES, Violation
from hysds.chaos.faults import Injected
from hysds.chaos.history import Listed
from hysds.chaos.plan import Size, make
from hysds.chaos.report import Report
from unit.chaos.histories import Stream, history, shown

PLAN = make(7, Size(jobs=3, faults=1))
KEPT = Report(
    plan=PLAN,
    versions={"python": "3.11"},
    settings={"HYSDS_LEDGER_LEASE": "8s"},
    injected=(Injected(PLAN.faults[0], 1.25, ("worker-0 17",)),),
    ended_alone=(),
    jobs={"job-completed": 3},
    attempts={"job-completed": 3},
    events=9,
    effects=12,
    violations=(),
    home=None,
    took_s=2.5,
)
BROKEN = replace(
    KEPT, violations=(Violation("ends once", "id 1", "it never ended", ("fact 1",)),), home=Path("/kept")
)


def test_a_run_that_kept_everything_says_so_last_and_how_to_repeat_it_first() -> None:
    """With all faults between, and all that was checked."""
    lines = KEPT.text().splitlines()

    assert lines[0].split() == ["seed", "7"]
    assert lines[-1] == "verdict     kept: every guarantee held for every job"
    assert any("1.2 s" in line and "worker-0 17" in line for line in lines)
    assert all(name in KEPT.text() for name in GUARANTEES)


def test_a_broken_guarantee_is_shown_with_its_history_and_where_the_files_are() -> None:
    """One sentence, the facts under it, and the verdict."""
    text = BROKEN.text()

    assert "ends once: job id 1: it never ended\n    fact 1" in text
    assert text.splitlines()[-1] == "verdict     BROKEN: 1 violations; its files are in /kept"
    assert not BROKEN.is_kept


def test_of_many_violations_a_text_shows_twenty_and_json_all() -> None:
    """One broken rule breaks a guarantee for many jobs."""
    many = replace(BROKEN, violations=BROKEN.violations * 33)

    assert many.text().count("it never ended") == 20
    assert "… and 13 more" in many.text()
    assert len(json.loads(many.as_json())["violations"]) == 33


def test_json_holds_what_the_text_says() -> None:
    """Seed, size, faults, verdict."""
    told = json.loads(BROKEN.as_json())

    assert (told["seed"], told["size"]["jobs"], told["kept"], told["home"]) == (7, 3, False, "/kept")
    assert told["faults"][0]["hit"] == ["worker-0 17"]
    assert told["violations"][0]["shown"] == ["fact 1"]


def test_jobs_are_counted_by_their_last_events_and_attempts_by_the_documents() -> None:
    """Each job once, each listed attempt once."""
    stream = Stream()
    stream.tell("accept", "queued")
    fence = stream.take()
    stream.tell("commit", "completed")
    document = shown(stream, Listed(fence, "job-completed"))

    told = history(stream, documents={document.id: document})

    assert report.ends(told) == {"job-completed": 1}
    assert report.attempts(told) == {"job-completed": 1}
