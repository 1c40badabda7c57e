"""`hysds run`: one job from its spec to its end, watched; with a system of its own where none is set up."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from hysds.bootstrap import System
from hysds.cli import (
    exits,
    interrupts,
    offers,
    own_system,
    specs,
    submissions,
    summary,
    tables,
    watching,
    words,
)
from hysds.cli.exits import Exit
from hysds.cli.live import People, Screen
from hysds.cli.own_system import Ready
from hysds.core.errors import Unreachable
from hysds.core.explanation.values import Reason
from hysds.core.ids import JobId
from hysds.core.spec import JobSpec
from hysds.embedded.errors import EmbeddedError
from hysds.lib.uuid7 import Uuid7Source
from hysds.sdk.client import Client
from hysds.sdk.following import Over, Place, Quiet, Seen
from hysds.settings import load


@click.command("run", short_help="Run a job here and show it as it goes.")
@click.argument("spec", shell_complete=offers.files)
@click.option("--force", is_flag=True, help="Also where another job does the same; which one, stderr says.")
@click.option(
    "--json", "as_json", is_flag=True, help="Stdout holds the job's document alone; its output is on stderr."
)
def command(spec: str, force: bool, as_json: bool) -> int:
    """Run the job that the file SPEC describes (- is stdin): check it, submit it, show its output as it comes, then
    what its phases took, how it ended and where its files are. The last line is the job's id and status.

    A spec is a JSON object with job_type ("job:NAME") and payload, whose _command is the command line, which no shell
    reads; sizes have units, as 64GB or 64GiB. docs/job-spec.md has the other fields.

    Where no ledger is set (ledger.url) and no system stands (`hysds up`), one is started for the job under HYSDS_HOME
    and stopped after it: a Valkey server, a worker, an indexer and a reconciler. Its files stay, so `hysds jobs` finds
    the job afterwards, and a job that did the same work before is not run again: of a duplicate, the job that stands
    for it is shown.

    A spec whose command or env names HYSDS_SUBMIT_DIR gets that variable, with the current directory. Ctrl-C cancels
    the job and waits for its end. Exit codes: 0 completed, 1 failed, 2 refused, 3 revoked, 4 a part of the system
    can't be reached, 130 interrupted.

    \b
        hysds run examples/01-word-count/job.json
        echo '{"job_type": "job:hello", "payload": {"_command": "echo hello"}}' | hysds run -
    """
    loaded = load.load()
    for notice in loaded.notices:
        click.echo(f"note: {notice}", err=True)
    with Client(System(loaded.settings)) as checker:
        job = specs.load(spec, checker, force)
    err = sys.stderr.buffer
    screen = Screen(err if as_json else sys.stdout.buffer, err, outlives_readers=True)
    with interrupts.by_signals(), own_system.ready(loaded, job) as system:
        return _run(job, system, screen, as_json)


def _run(job: JobSpec, system: Ready, screen: Screen, as_json: bool) -> int:
    """Submit and watch; an interrupt cancels the job, and its end is waited for all the same."""
    watched = _Watched(JobId(Uuid7Source()()), screen, system)
    interrupted = False
    try:
        here = System(system.settings)
        with Client(here) as client:
            if system.is_own and (count := own_system.older(here)):
                screen.say(f"note: older jobs of {system.settings.home} are ready, and may run too: {count}")
            ended = watched.from_start(client, job)
    except Unreachable:
        if not system.is_own:
            screen.say(f"the job may have been accepted and go on: hysds logs -f {watched.id}")
        raise
    except EmbeddedError as error:
        error.add_note(watched.left_behind())
        raise
    except KeyboardInterrupt:
        if watched.is_twin:
            raise
        interrupted = True
        screen.say(f"interrupted: cancelling job {watched.id}; once more leaves without waiting for its end")
        # A client of its own: what was interrupted may have left half an answer on the other's connection.
        with Client(System(system.settings)) as client:
            ended = watched.cancelled(client)
    _conclude(ended, screen, as_json)
    return Exit.INTERRUPTED if interrupted else exits.of_status(ended["status"])


class _Watched:
    """The job on the screen: our own, or the one that stands for it."""

    def __init__(self, job_id: JobId, screen: Screen, system: Ready) -> None:
        self.id: str = job_id
        self.is_twin = False
        self._is_accepted = False
        self._screen = screen
        self._system = system
        self._people = People(screen, says_all=True)
        self._place = Place()
        self._over: int | None = None
        """The fence of an attempt that is over and was not told of."""

    def from_start(self, client: Client, job: JobSpec) -> dict[str, Any]:
        """Submit it and show it to its end; answers its document."""
        submission = client.submit(job, self.id)
        self._is_accepted = True
        if submission.twin is None or not submission.is_duplicate:
            self._screen.say(f"job {self.id} in queue {submission.queue}")
            if submission.twin is not None:
                self._screen.say(submissions.forced(submission))
            for why in client.obstacles([submission]):
                # The worker of a system of our own announces itself a moment after it is ready.
                if not self._system.is_own or why.reason is Reason.TOO_LARGE:
                    self._screen.say(words.waits(why))
            return self._to_its_end(client)
        self.id, self.is_twin = submission.twin, True
        self._screen.say(
            f"a duplicate of job {self.id}, which is {submission.twin_status}; that one is shown"
        )
        found = client.job(self.id)
        if not watching.has_ended(found):
            return self._to_its_end(client)
        watching.what_is_left(client, found, self._people, self._screen)
        return found

    def left_behind(self) -> str:
        """What becomes of it when the system of our own has broken down."""
        if not self._is_accepted:
            return f"job {self.id} may have been accepted"
        home = self._system.settings.home
        return f"job {self.id} was accepted and stays in {home}; the next run there goes on with it"

    def cancelled(self, client: Client) -> dict[str, Any]:
        """Cancel it and show it to its end; answers its document, {} where it had not come to be."""
        if client.cancel([self.id])[self.id] == "missing":
            return {}
        return self._to_its_end(client)

    def _to_its_end(self, client: Client) -> dict[str, Any]:
        return watching.to_its_end(client, self.id, partial(self._show, client), self._place)

    def _show(self, client: Client, seen: Seen) -> None:
        if isinstance(seen, Over):
            self._over = seen.fence
        if self._over is not None:
            self._say_why(client.job(self.id), self._over)
        if isinstance(seen, Quiet):
            self._system.look()
        else:
            self._people(seen)

    def _say_why(self, document: Mapping[str, Any], fence: int) -> None:
        """Why an attempt ended and when the next one comes; its output ends a moment before the ledger knows."""
        entries = [
            one for one in document.get("attempts", []) if one.get("fence") == fence and "ended" in one
        ]
        if watching.has_ended(document) or entries:
            self._over = None
        if entries and not watching.has_ended(document):
            moment = summary.not_before(document)
            after = f"; the next one comes not before {moment}" if moment else ""
            self._screen.say(f"attempt {entries[0]['attempt']} ended: {summary.attempt(entries[0])}{after}")


def _conclude(document: Mapping[str, Any], screen: Screen, as_json: bool) -> None:
    if not document:
        return
    for name, value in summary.ending(document):
        screen.say(f"{name:<9}  {value}")
    if as_json:
        click.echo(tables.as_json(document))
    else:
        screen.conclude(f"{document['id']} {document['status']}")
