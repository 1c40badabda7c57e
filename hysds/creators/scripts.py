"""The creator of jobs that run an operator's own script: HySDS's `utils.custom_script`.

What it runs is said by the type's command in job_worker.json, else by `_command` in the rule's arguments or the
payload.
"""

from __future__ import annotations

from typing import Any

from hysds.creators.requests import Request


def custom_script(info: dict[str, Any]) -> dict[str, Any]:
    """A job with the rule's arguments as its parameters, beside what the rule matched; by hand, with the payload."""
    request = Request(info)
    params = dict(info)
    if request.rule_name:
        params = {name: info[name] for name in ("index", "query") if name in info}
        params |= {"rule_name": request.rule_name, "username": request.username, **request.arguments}
    return {"type": "custom_script", "name": "action-custom_script", "params": params, **request.labels()}
