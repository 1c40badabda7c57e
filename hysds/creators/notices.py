"""Creators of notices: mail, and calls of webhooks. Their jobs are tasks, as only a task worker knows the mail server
and the keys of webhooks.

By hand: `{"email_addresses": "ops@example.org, b@example.org", "subject": …, "text": …}` and `{"url": …, "document":
…}`.
"""

from __future__ import annotations

from typing import Any

from hysds.creators.requests import Request

_MAIL = "hysds.sdk.errands.send_mail"
_HOOK = "hysds.sdk.errands.call_webhook"


def notify_job_by_email(info: dict[str, Any]) -> dict[str, Any]:
    """A mail about a job that a rule matched, or one that was asked for by hand."""
    request = Request(info)
    if not request.rule_name:
        return _mail("notify_job_by_email", request, request.text("subject"), request.text("text"), "")
    job_id = request.text("job_id")
    return _mail(
        "notify_job_by_email", request, f"{request.rule_name}: job {job_id}", _about_job(request), job_id
    )


def notify_by_email(info: dict[str, Any]) -> dict[str, Any]:
    """A mail about a dataset that a rule matched, or one that was asked for by hand."""
    request = Request(info)
    if not request.rule_name:
        return _mail("notify_by_email", request, request.text("subject"), request.text("text"), "")
    object_id = request.text("objectid")
    urls = request.source.get("urls") or ["(none)"]
    text = f"Rule {request.rule_name} matched {object_id}.\n\n{urls[0]}\n"
    return _mail("notify_by_email", request, f"{request.rule_name}: {object_id}", text, object_id)


def notify_by_webhook(info: dict[str, Any]) -> dict[str, Any]:
    """The call of a webhook: with the document that was given, else with what the rule matched."""
    request = Request(info)
    document = info.get("document")
    if document is None:
        document = {
            "rule_name": request.rule_name,
            "id": info.get("job_id") or info.get("objectid"),
            "status": request.source.get("status"),
            "hit": request.source,
        }
    if not isinstance(document, dict):
        raise ValueError("document is no JSON object")
    return _task("notify_by_webhook", request, _HOOK, url=request.text("url"), document=document)


def _mail(type_: str, request: Request, subject: str, text: str, about: str) -> dict[str, Any]:
    addresses = [
        part.strip() for part in request.text("email_addresses", "emails").split(",") if part.strip()
    ]
    job = _task(type_, request, _MAIL, to=addresses, subject=subject, text=text)
    return {**job, "name": f"action-{type_}-{about}"[:255]} if about else job


def _task(type_: str, request: Request, function: str, **kwargs: Any) -> dict[str, Any]:
    params = {"function": function, "kwargs": kwargs}
    # Two notices that say the same are two notices.
    return {"type": type_, "kind": "task", "enable_dedup": False, "params": params, **request.labels()}


def _about_job(request: Request) -> str:
    source = request.source
    job = source.get("job") or {}
    lines = {
        "Rule": request.rule_name,
        "Job": request.text("job_id"),
        "Name": job.get("name"),
        "Type": source.get("type"),
        "Status": source.get("status"),
        "Error": source.get("short_error"),
        "Files": (job.get("job_info") or {}).get("job_url"),
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
