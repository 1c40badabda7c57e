"""What tasks of the creators that come with HySDS do: send a mail, call a webhook, retry a job.

They run on a task worker, whose settings name the mail server and the keys; its `tasks.allow` must name
`hysds.sdk.errands`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hysds.bootstrap import System
from hysds.core import ids
from hysds.core.cause import Cause
from hysds.core.errors import Conflict
from hysds.core.repetition import Changes
from hysds.core.spec import from_stored
from hysds.ports.notifier import Hook, Mail
from hysds.sdk.repeating import retried
from hysds.settings import environment


def send_mail(to: list[str], subject: str, text: str) -> dict[str, Any]:
    """Send one mail.

    Raises: Refused where it can't be sent, Unreachable where the mail server does not answer.
    """
    with _system() as system:
        system.notifier.mail(Mail(tuple(to), subject, text))
    return {"sent_to": to}


def call_webhook(url: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Post a document to a webhook.

    Raises: Refused where the URL is not allowed or the receiver refuses, Unreachable where it does not answer.
    """
    with _system() as system:
        system.notifier.hook(Hook(url, document))
    return {"called": True}


def retry_job(job_id: str) -> dict[str, Any]:
    """Do an ended job again; a repeat of this call answers the same retry. What a rule has done again is caused by it,
    so that the rule does not feed itself.

    Raises: NotFound, Conflict where it has not ended, Refused where not enough is known of it.
    """
    old = ids.job_id(job_id)
    with _system() as system:
        new = ids.JobId(str(uuid.uuid5(uuid.UUID(old), "retry_job")))
        [submission] = retried(system, [old], Changes(), [new], _cause(system))
        if submission.refused is None:
            return {"id": submission.id, "status": submission.status}
        # Asked for by another rule, or by hand, it is another spec, and the same retry.
        kept = system.ledger.kept([new])[0]
        if isinstance(submission.refused, Conflict) and kept is not None and kept.record.retry_of == old:
            return {"id": new, "status": kept.record.status.value}
        raise submission.refused


def _cause(system: System) -> Cause | None:
    """What caused the task that calls this; None: a rule did not."""
    task = environment.task_id()
    kept = system.ledger.kept([task])[0] if task else None
    return None if kept is None else from_stored(kept.spec).cause


@contextmanager
def _system() -> Iterator[System]:
    system = System.read()
    try:
        yield system
    finally:
        system.close()
