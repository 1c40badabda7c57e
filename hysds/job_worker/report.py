"""What a worker tells of an attempt: the context that the job gets, and the detail that its document shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysds.core.outcome import Outcome
from hysds.job_worker.findings import Findings
from hysds.leasing.attempt import Attempt
from hysds.lib.process.ending import Ending

MAX_DETAIL_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known at an attempt's end. `ending` of None: the command never ran."""

    attempt: Attempt
    path: Path
    host: str
    outcome: Outcome
    ending: Ending | None
    findings: Findings
    tails: Mapping[str, str]
    """The end of the output, by stream; of an attempt that did not complete."""


def context(attempt: Attempt) -> dict[str, Any]:
    """`_context.json`: the payload's parameters at the top, as HySDS's jobs expect them."""
    made: dict[str, Any] = dict(attempt.spec.payload)
    made["job_priority"] = attempt.record.priority
    made["_prov"] = {"wasGeneratedBy": f"task_id:{attempt.id}", "wasDerivedFrom": []}
    if attempt.spec.context:
        made["context"] = attempt.spec.context
    return made


def detail(report: Report) -> str:
    """The attempt as JSON, for the ledger; see `core.attempts` for its keys."""
    outcome, ending, found = report.outcome, report.ending, report.findings
    failed = outcome.failure is not None
    values: dict[str, Any] = {
        "exit_code": outcome.exit_code,
        "signum": outcome.signum,
        "error": (found.error or outcome.error) if failed else None,
        "traceback": (found.traceback or outcome.traceback or None) if failed else None,
        "hint": outcome.hint or None,
        "phase": _last_phase(report.attempt) if failed else None,
        "phases": report.attempt.phases,
        "job_dir": str(report.path),
        "execute_node": report.host,
        "metrics": found.metrics or None,
        "msg": list(found.msg) or None,
        "msg_details": found.msg_details,
        "notes": list(found.notes) or None,
        "memory_bytes": report.attempt.record.memory_bytes or report.attempt.spec.resources.memory,
        **{f"{stream}_tail": text or None for stream, text in report.tails.items()},
        **_run(report.attempt, ending),
    }
    return _fitting({name: value for name, value in values.items() if value is not None})


def _run(attempt: Attempt, ending: Ending | None) -> dict[str, Any]:
    if ending is None or ending.started is None:
        return {}
    return {
        "cmd_start": attempt.ledger_s(ending.started.boot_s),
        "cmd_end": attempt.ledger_s(ending.ended.boot_s),
        "usage": {
            "cpu_s": ending.usage.cpu_user_s + ending.usage.cpu_system_s,
            "max_rss_bytes": ending.usage.max_rss_bytes,
        },
    }


def _last_phase(attempt: Attempt) -> str:
    """The phase to blame: the one that ran the command, unless another broke later."""
    names = [str(phase["name"]) for phase in attempt.phases]
    if names[-1:] == ["finish"] and "execute" in names:
        return "execute"
    return names[-1] if names else ""


def _fitting(values: dict[str, Any]) -> str:
    """JSON within MAX_DETAIL_BYTES: what a job may have made large is left out first, and a note says so."""
    text = _json(values)
    for name in ("metrics", "msg", "msg_details"):
        if len(text.encode(errors="surrogatepass")) <= MAX_DETAIL_BYTES:
            break
        if values.pop(name, None) is not None:
            values.setdefault("notes", []).append(
                f"{name} was too large for the document: see the work directory"
            )
            text = _json(values)
    return text


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=True, default=str)
