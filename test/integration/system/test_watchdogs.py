"""Watchdogs over real processes: a worker on which everything fails is drained, and people hear of it once."""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.core.alarms import Alarm
from hysds.core.happenings import Happening
from hysds.core.query import JobQuery
from hysds.core.worker_watchdogs import DRAINED_FOR
from hysds.reconciler import watchdogs
from services import web
from services.mail import MailServer
from services.redis import RedisServer
from services.web import WebServer
from worlds.system import RunningSystem


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """Takes what it is handed."""
    with MailServer() as server:
        yield server


@pytest.fixture
def room() -> Iterator[WebServer]:
    """A chat room, as far as webhooks go."""
    with WebServer(lambda request: web.answer()) as server:
        yield server


def test_a_worker_on_which_everything_fails_is_drained_and_told_of_once(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    mail: MailServer,
    room: WebServer,
    tmp_path: Path,
) -> None:
    """Two reconcilers see it; each mail server and chat room hears of it once; resumed, it works on, and is not drained
    for what it failed at before.
    """
    hooks = tmp_path / "hooks"
    hooks.write_text(f"http://127.0.0.1:{room.port}/secret\n")
    system = systems(
        f"{valkey_server.url[:-1]}1",
        HYSDS_WATCHDOGS_INTERVAL="100ms",
        HYSDS_WATCHDOGS_FAILURES="3",
        HYSDS_WATCHDOGS_GATHER="0s",
        HYSDS_WATCHDOGS_MAIL_TO="ops@example.org",
        HYSDS_WATCHDOGS_WEBHOOKS_FILE=str(hooks),
        HYSDS_NOTIFIER_MAIL_URL=f"smtp://127.0.0.1:{mail.port}",
        HYSDS_NOTIFIER_MAIL_SENDER="hysds@example.org",
        HYSDS_EGRESS_ALLOW="127.0.0.0/8",
    )
    client = system.client
    for name in ("r1", "r2"):
        system.start(name, "-m", "hysds", "reconciler")
    system.worker("w1", "default", slots=1)
    for job_type in ("job:a", "job:b", "job:c"):
        system.submit("default", "false", job_type=job_type)

    system.until(lambda: bool(client.drains()), lambda: system.log("r1") + system.log("w1"))
    system.until(
        lambda: len(mail.taken) + len(room.requests) > 1, lambda: system.log("r1") + system.log("r2")
    )
    kept = system.submit("default", "true")
    [order] = client.drains()
    assert order.reason.startswith(f"{DRAINED_FOR}: 3 failures in a row that may be its own (user 3)")
    assert client.resume("w1") == ("w1@here", True)
    assert client.wait(kept, 60)["status"] == "job-completed"

    assert client.drains() == ()
    [message] = mail.taken
    parsed = email.message_from_string(message.text, policy=email.policy.default)
    assert "worker w1@here 3 failures in a row" in parsed["Subject"]
    assert "hysds worker resume w1@here" in parsed.get_content()
    [call] = room.requests
    document = json.loads(call.partition(b"\r\n\r\n")[2])
    assert [(one["kind"], one["status"]) for one in document["alarms"]] == [("worker-failing", "begun")]
    told = [(one.type, one.status, one.hostname) for one in _events(system)]
    assert sorted(set(told)) == [
        ("watchdog", "alarm-raised", "w1@here"),
        ("worker_anomaly", "job_drain", "w1@here"),
    ]
    assert "secret" not in system.log("r1") + system.log("r2")


def _events(system: RunningSystem) -> list[Happening]:
    found = [note.happening for note in system.system.journal.follow("", 10_000, 0)]
    return [one for one in found if one.type in (watchdogs.TYPE, watchdogs.DRAIN_TYPE)]


def test_operators_see_alarms_and_try_whether_they_would_be_told(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    mail: MailServer,
    room: WebServer,
    tmp_path: Path,
) -> None:
    """By the command line: what stands, in `doctor` too; a message to everybody; whether a type completed of late."""
    hooks = tmp_path / "hooks"
    hooks.write_text(f"http://127.0.0.1:{room.port}/secret\nhttp://127.0.0.1:1/secret\n")
    system = systems(
        f"{valkey_server.url[:-1]}1",
        HYSDS_WATCHDOGS_MAIL_TO="ops@example.org",
        HYSDS_WATCHDOGS_WEBHOOKS_FILE=str(hooks),
        HYSDS_NOTIFIER_MAIL_URL=f"smtp://127.0.0.1:{mail.port}",
        HYSDS_NOTIFIER_MAIL_SENDER="hysds@example.org",
        HYSDS_EGRESS_ALLOW="127.0.0.0/8",
    )
    alarm = Alarm("k", "queue-stuck", "queue gpu", "is stuck", 1_000, 1_000, "add workers")
    assert system.system.alarms.put(alarm)

    shown = hysds(system, "alarms")
    [document] = map(json.loads, hysds(system, "alarms", "--json").stdout.splitlines())
    found = [json.loads(line) for line in hysds(system, "doctor", "--json").stdout.splitlines()]
    tried = hysds(system, "alarms", "test")
    expected = hysds(system, "alarms", "expect", "job:nightly", "--within", "25h")

    assert (shown.returncode, "queue gpu" in shown.stdout, shown.stderr) == (0, True, "note: add workers\n")
    assert (document["kind"], document["since"]) == ("queue-stuck", "1970-01-01T00:00:01.000Z")
    assert "alarms.queue-stuck" in {one["code"] for one in found if one["severity"] == "warning"}
    assert tried.returncode == 4
    assert [line.rpartition(": ")[2] for line in tried.stdout.splitlines()[:2]] == ["taken", "taken"]
    assert "line 2 of watchdogs.webhooks_file: " in tried.stdout
    assert (len(mail.taken), len(room.requests), "secret" in tried.stdout + tried.stderr) == (1, 1, False)
    assert (expected.returncode, expected.stdout.partition(" completed")[0]) == (
        1,
        "0 jobs of type job:nightly",
    )
    assert "none ever did" in expected.stdout


def hysds(system: RunningSystem, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command with the system's settings, once it has ended."""
    return subprocess.run(
        [sys.executable, "-m", "hysds", *arguments],
        env=os.environ | system.variables,
        cwd=system.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_stuck_queue_a_late_job_and_a_silent_worker_are_seen(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer
) -> None:
    """A queue that nobody hears, a job that runs on where others of its type took a moment, a worker that stands still;
    each is gone from the list once it is mended.
    """
    system = systems(
        f"{valkey_server.url[:-1]}1",
        HYSDS_WATCHDOGS_INTERVAL="100ms",
        HYSDS_WATCHDOGS_QUEUE_AGE="1s",
        HYSDS_WATCHDOGS_OVERDUE_LEAST="1s",
        HYSDS_WATCHDOGS_SILENCE="1s",
        HYSDS_LEDGER_LEASE="6s",
        HYSDS_LEDGER_RENEW_INTERVAL="200ms",
        HYSDS_LEDGER_TIMEOUT="500ms",
    )
    client = system.client

    def alarms() -> list[str]:
        return sorted(f"{alarm.kind} {alarm.subject}" for alarm in client.alarms())

    def logs() -> str:
        return f"{alarms()}\n{system.log('reconciler')}{system.log('w1')}"

    worker = system.worker("w1", "default", slots=1)
    system.start("indexer", "-m", "hysds", "indexer")
    for _ in range(5):
        client.wait(system.submit("default", "true", enable_dedup=False), 60)
    system.until(lambda: client.jobs(JobQuery(status=frozenset({"job-completed"}))).total == 5, logs)
    late = system.submit("default", "sleep 1000")
    system.submit("nobody", "true", enable_dedup=False)
    system.start("reconciler", "-m", "hysds", "reconciler")
    system.until(lambda: alarms() == [f"job-overdue job {late}", "queue-stuck queue nobody"], logs)

    worker.send_signal(signal.SIGSTOP)
    try:
        system.until(lambda: "worker-silent worker w1@here" in alarms(), logs)
    finally:
        worker.send_signal(signal.SIGCONT)
    client.cancel([late])
    system.worker("w2", "nobody", slots=1)

    system.until(lambda: alarms() == [], logs)
