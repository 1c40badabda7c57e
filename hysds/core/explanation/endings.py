"""How a job ended, from its document alone: so it can be told as long as the document is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hysds.core.decisive_lines import Decisive, decisive
from hysds.core.explanation.values import Reason, Seen, Terms, Why, entries, part, text
from hysds.core.status import ENDED, FailureClass, Status
from hysds.lib import units

_BARE_NAME = "_stderr.txt"
"""A document's own hint names no path: its reader has the path beside it."""


def ended(seen: Seen, document: Mapping[str, Any]) -> Why:
    """Of a job with a terminal status."""
    status = document.get("status")
    if status == Status.COMPLETED.value:
        return _completed(document)
    if status == Status.DEDUPED.value:
        return _duplicate(seen, document)
    if status == Status.REVOKED.value:
        return _revoked(document)
    return _failed(seen, document)


def failure(document: Mapping[str, Any]) -> dict[str, Any]:
    """Class, phase, exit code, error and hint of a failed or revoked job, those that there are."""
    if document.get("status") not in (Status.FAILED.value, Status.REVOKED.value):
        return {}
    values = {
        "class": text(document, "failure_class"),
        "phase": text(document, "phase"),
        "exit_code": part(document, "job", "job_info", "status"),
        "signum": document.get("signum"),
        "error": text(document, "error"),
        "hint": text(document, "hint"),
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def lines(document: Mapping[str, Any]) -> Decisive:
    """What the last attempt of a failed job wrote that says why: from the ends of its output, and its traceback."""
    tried = entries(document)
    if document.get("status") != Status.FAILED.value or not tried:
        return Decisive()
    code = part(document, "job", "job_info", "status")
    last = tried[-1]
    errors = f"{text(last, 'output_tail', 'stderr')}\n{text(document, 'traceback')}"
    return decisive(text(last, "output_tail", "stdout"), errors, code if isinstance(code, int) else None)


def _completed(document: Mapping[str, Any]) -> Why:
    tried = entries(document)
    words = ["it completed"]
    took_s = part(document, "job", "job_info", "duration")
    if isinstance(took_s, int | float):
        words.append(f"in {units.format_duration(round(took_s, 3))}")
    if worker := text(document, "celery_hostname"):
        words.append(f"on {worker}")
    if len(tried) > 1:
        words.append(f"with attempt {len(tried)}")
    return Why(Reason.COMPLETED, f"{' '.join(words)}{_ended_at(document)}{_used(document)}")


def _failed(seen: Seen, document: Mapping[str, Any]) -> Why:
    class_, error, tried = text(document, "failure_class"), text(document, "error"), entries(document)
    if class_ == FailureClass.INVALID.value and not tried:
        sentence = f"its submission was refused{_ended_at(document)}: {error}"
        return Why(Reason.REFUSED, sentence, ("mend the spec and submit it again",))
    if class_ == FailureClass.TIMEOUT.value and (not tried or tried[-1].get("how") != class_):
        again = "again " if tried else ""
        sentence = f"it was not started {again}before its ttl or deadline{_ended_at(document)}"
        return Why(Reason.EXPIRED, sentence, (f"run it now: hysds retry {seen.id}",))
    attempt = f"in attempt {len(tried)} " if len(tried) > 1 else ""
    phase = f" in phase {text(document, 'phase')}" if text(document, "phase") else ""
    sentence = (
        f"it failed {attempt}as {class_}{phase}{_ended_at(document)}: {error or 'nothing is known of it'}"
    )
    hint = text(document, "hint")
    advice = [
        lines(document).hint,
        "" if _BARE_NAME in hint else hint,
        _output(seen.id, document) if tried else "",
        f"when its cause is mended: hysds retry {seen.id}",
    ]
    return Why(Reason.FAILED, sentence, tuple(dict.fromkeys(one for one in advice if one)))


def _output(id_: str, document: Mapping[str, Any]) -> str:
    """Where all is that it wrote."""
    directory = text(document, "job", "job_info", "job_dir")
    host = text(document, "job", "job_info", "execute_node")
    files = f", or {directory}/{_BARE_NAME}{f' on {host}' if host else ''}" if directory else ""
    return f"see what it wrote: hysds logs {id_}{files}"


def _revoked(document: Mapping[str, Any]) -> Why:
    tried = entries(document)
    if not tried:
        where = "before it was started"
    elif tried[-1].get("how") == Status.REVOKED.value:
        where = f"while it ran on {text(tried[-1], 'worker').partition('/')[0]}"
    else:
        where = f"between attempts, after attempt {len(tried)}"
    sentence = f"it was cancelled {where}{_ended_at(document)}; the ledger knows no users, so not by whom"
    return Why(Reason.REVOKED, sentence, (f"run it after all: hysds retry {text(document, 'id')}",))


def _duplicate(seen: Seen, document: Mapping[str, Any]) -> Why:
    twin_id = text(document, "dedup_job")
    now = f" and is {seen.twin.get('status')} now" if seen.twin is not None else " and is not known any more"
    said = text(document, "dedup_msg") or f"duplicate of job {twin_id}"
    advice = ['run the same work all the same: submit it with "enable_dedup": false']
    if seen.twin is not None and seen.twin.get("status") in ENDED:
        advice.append(f"or in place of the one that ended: hysds retry {twin_id}")
    return Why(Reason.DUPLICATE, f"it is a {said}{now}", (f"see hysds explain {twin_id}", *advice))


def _ended_at(document: Mapping[str, Any]) -> str:
    moment = text(document, "job", "job_info", "time_end")
    return f", at {moment}" if moment else ""


def _used(document: Mapping[str, Any]) -> str:
    cpu_s, rss_bytes = part(document, "usage", "cpu_s"), part(document, "usage", "max_rss_bytes")
    used = []
    if isinstance(cpu_s, int | float):
        used.append(f"{units.format_duration(round(cpu_s, 3))} of processor time")
    if isinstance(rss_bytes, int):
        used.append(f"{units.format_size(rss_bytes)} of memory")
    return f"; it used {' and '.join(used)}" if used else ""


def forgotten(seen: Seen, document: Mapping[str, Any], terms: Terms) -> Why:
    """The store shows a live job that the ledger does not know."""
    sentence = (
        f"the store shows it as {document.get('status')}, but the ledger does not know it: its state was lost with the "
        "ledger's data, or another ledger is set than it was submitted to"
    )
    return Why(
        Reason.LOST_BY_LEDGER,
        sentence,
        (
            "hysds config show --origin",
            f"an indexer ends it as failed, within two minutes as a rule; then run it anew: hysds retry {seen.id}",
        ),
    )
