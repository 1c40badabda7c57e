"""Notices and retries from end to end: a submission, its creator, a task worker, the mail or the call outside."""

from __future__ import annotations

import json
from typing import Any

from hysds.core.job_types.catalog import Creator, JobType
from services.mail import MailServer
from services.web import WebServer, answer

TYPES = [
    JobType(f"job:{name}", (Creator(name, function, ("tasks",)),))
    for name, function in (
        ("notify_job_by_email", "utils_job.notify_job_by_email"),
        ("notify_by_webhook", "hysds.creators.notices.notify_by_webhook"),
        ("retry_job", "utils_job.retry_job"),
    )
]
RULE = {
    "rule_name": "failed tiles",
    "username": "ops",
    "kwargs": json.dumps({"email_addresses": "ops@example.org"}),
}


def test_mail_webhook_and_retry_arrive(with_server: Any) -> None:
    """What HySDS's rules hand to their creators ends as a mail, as a call of a webhook, as a new job."""
    with MailServer() as mail, WebServer(lambda request: answer()) as web:
        with_server.environment |= {
            "HYSDS_NOTIFIER_MAIL_URL": f"smtp://127.0.0.1:{mail.port}",
            "HYSDS_NOTIFIER_MAIL_SENDER": "hysds@example.org",
            "HYSDS_EGRESS_ALLOW": "127.0.0.1",
            "HYSDS_TASKS_ALLOW": "hysds.sdk.errands",
        }
        with_server.start_ready("worker", "task", "--queues", "tasks", "--concurrency", "1", "--name", "t1")
        with with_server.client() as client:
            client.add_types(TYPES)
            failed = client.submit({"job_type": "job:tile", "payload": {"_command": "false"}}).id
            client.cancel([failed])
            hit = {"_source": client.job(failed)}
            about = {"job_id": failed, "rule": RULE, "rule_hit": hit}
            url = f"http://127.0.0.1:{web.port}/hook"
            asked = [
                {"job_type": "job:notify_job_by_email", "payload": about},
                {"job_type": "job:notify_by_webhook", "payload": {"url": url, **about}},
                {"job_type": "job:retry_job", "payload": about},
            ]
            documents = [client.wait(client.submit(spec).id, 60) for spec in asked]
            again = client.job(client.job(failed)["retried_by"])

    assert [document["status"] for document in documents] == ["job-completed"] * 3, documents
    [taken] = mail.taken
    assert taken.recipients == ["ops@example.org"]
    assert f"Job: {failed}" in taken.text
    called = json.loads(web.requests[0].partition(b"\r\n\r\n")[2])
    assert (called["id"], called["status"]) == (failed, "job-revoked")
    assert (again["retry_of"], again["status"]) == (failed, "job-queued")
