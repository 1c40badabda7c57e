"""What tasks of shipped creators do, by the settings that the process finds."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hysds.bootstrap import System
from hysds.core.cause import Cause
from hysds.core.errors import Conflict, Refused
from hysds.core.ids import JobId
from hysds.core.parse import parse_task
from hysds.sdk import errands
from hysds.sdk.client import Client
from services.mail import MailServer
from services.redis import RedisOptions, RedisServer
from services.web import WebServer, answer

SPEC = {"job_type": "job:x", "job_queue": "q", "payload": {"_command": "true"}}


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYSDS_HOME", str(tmp_path))
    monkeypatch.setenv("HYSDS_CONFIG", "")


def test_a_mail_is_sent_by_the_server_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task's arguments say to whom and what."""
    with MailServer() as server:
        monkeypatch.setenv("HYSDS_NOTIFIER_MAIL_URL", f"smtp://127.0.0.1:{server.port}")
        monkeypatch.setenv("HYSDS_NOTIFIER_MAIL_SENDER", "hysds@example.org")
        found = errands.send_mail(["ops@example.org"], "Hello", "There")

    assert found == {"sent_to": ["ops@example.org"]}
    assert [(one.sender, one.recipients) for one in server.taken] == [
        ("hysds@example.org", ["ops@example.org"])
    ]


def test_without_a_mail_server_the_task_says_which_setting_is_missing() -> None:
    """Nothing is sent silently nowhere."""
    with pytest.raises(Refused, match=r"set notifier\.mail_url and notifier\.mail_sender"):
        errands.send_mail(["ops@example.org"], "Hello", "There")


def test_a_webhook_is_called_with_the_key_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And only where the settings allow its address."""
    (tmp_path / "key").write_text("0123456789abcdef")
    monkeypatch.setenv("HYSDS_NOTIFIER_WEBHOOK_KEY_FILE", str(tmp_path / "key"))
    with WebServer(lambda request: answer()) as server:
        url = f"http://127.0.0.1:{server.port}/hook"
        with pytest.raises(Refused, match=r"egress\.allow"):
            errands.call_webhook(url, {"a": 1})
        monkeypatch.setenv("HYSDS_EGRESS_ALLOW", "127.0.0.1")
        assert errands.call_webhook(url, {"a": 1}) == {"called": True}

    [request] = server.requests
    assert b"X-HySDS-Signature: sha256=" in request
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"a": 1}


@pytest.fixture
def client(
    monkeypatch: pytest.MonkeyPatch, start_valkey: Callable[[RedisOptions], RedisServer]
) -> Iterator[Client]:
    """A client of a ledger that the settings name."""
    monkeypatch.setenv("HYSDS_LEDGER_URL", start_valkey(RedisOptions()).url)
    with Client(System.read()) as found:
        yield found


def test_a_retry_is_one_job_however_often_it_is_asked_for(client: Client) -> None:
    """The task may run again after its worker was lost."""
    old = client.submit(SPEC).id
    with pytest.raises(Conflict, match="has not ended"):
        errands.retry_job(old)
    client.cancel([old])
    first, again = errands.retry_job(old), errands.retry_job(old)

    assert first["id"] == again["id"]
    assert client.job(first["id"])["retry_of"] == old


@pytest.mark.parametrize("is_asked_before", [False, True])
def test_a_retry_that_a_rule_asks_for_is_caused_by_the_rule(
    client: Client, monkeypatch: pytest.MonkeyPatch, is_asked_before: bool
) -> None:
    """The rule finds itself in the lineage of the retry, and stops; where somebody asked for it before, that one is
    the retry."""
    old = client.submit(SPEC).id
    client.cancel([old])
    before = errands.retry_job(old)["id"] if is_asked_before else ""
    task = JobId("00000000-0000-4000-8000-00000000000a")
    cause = Cause("again", old, 1, ("again",))
    spec = parse_task({"function": "hysds.sdk.errands.retry_job", "kwargs": {"job_id": old}}, "q")
    with contextlib.closing(System.read()) as system:
        system.orchestrator.submit([replace(spec, cause=cause)], [task])
    monkeypatch.setenv("HYSDS_TASK_ID", task)
    new = errands.retry_job(old)["id"]

    told = client.job(new)
    assert told["retry_of"] == old
    if is_asked_before:
        assert (new, told.get("rule")) == (before, None)
    else:
        assert (told["rule"], told["rule_lineage"], told["caused_by"]) == ("again", ["again"], old)
