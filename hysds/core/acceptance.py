"""From a job spec to what the ledger is asked to accept: queue, shape, dedup digest, budgets."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from hysds.core import cause, retry
from hysds.core.errors import InvalidSpec
from hysds.core.ids import JobId
from hysds.core.limit_keys import Limit, Rate
from hysds.core.record import FOREVER
from hysds.core.requests import COMPLETED, Acceptance
from hysds.core.spec import JobSpec, dedup_digest, identity, stored
from hysds.core.status import FailureClass, Status


@dataclass(frozen=True, slots=True)
class DedupPolicy:
    """In which states a job stands for a later one that does the same, and how long a completed one does."""

    twins: frozenset[Status]
    window_ms: int
    """FOREVER: always."""
    ignored: tuple[str, ...] = ()
    """Keys of the payload that do not count."""
    template: str = ""
    """What counts in place of the command that was made of it; "": the command itself."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many jobs may run at once, or start in a time, beside this one, by what they have in common."""

    limits: tuple[Limit, ...] = ()
    rates: tuple[Rate, ...] = ()


UNBOUNDED = Bounds()


def acceptance(
    id_: JobId,
    spec: JobSpec,
    policy: DedupPolicy,
    retry_of: str = "",
    bounds: Bounds = UNBOUNDED,
    parent: str = "",
) -> Acceptance:
    """What the ledger is asked to accept for a spec that was routed. `retry_of`: the ended job that it does again;
    `parent`: the group that it is a member of.
    """
    text = stored(spec)
    return Acceptance(
        id=id_,
        digest=identity(text),
        spec=text,
        queue=spec.job_queue or spec.bare_type,
        shape=str(spec.shape),
        priority=spec.priority or 0,
        wake_ms=round((spec.not_before or 0) * 1000),
        ttl_for_ms=round((spec.ttl or 0) * 1000),
        deadline_ms=round(spec.deadline_at_s * 1000),
        deadline_for_ms=round(spec.deadline_for_s * 1000),
        dedup=dedup_digest(spec, policy.ignored, policy.template),
        may_repeat=not spec.enable_dedup,
        twins=policy.twins,
        window_ms=policy.window_ms,
        retry_of=retry_of,
        kind=spec.kind,
        parent=parent,
        after=spec.after.jobs if spec.after is not None else (),
        after_on=spec.after.on if spec.after is not None else COMPLETED,
        limits=bounds.limits,
        rates=bounds.rates,
        lost_left=retry.left(spec, FailureClass.WORKER_LOST),
        preempt_left=retry.left(spec, FailureClass.PREEMPTED),
    )


def rejection(id_: JobId, text: str, refusal: InvalidSpec) -> tuple[Acceptance, str]:
    """What the ledger records of a refused submission: as much of it as can be kept, and the complaints as JSON."""
    complaints = json.dumps(
        {
            "error": str(refusal),
            "complaints": [{"path": item.path, "message": item.message} for item in refusal.complaints],
        },
        ensure_ascii=False,
    )
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
    return replace(_REFUSED, id=id_, digest=digest, spec=_named(text)), complaints


def _named(text: str) -> str:
    """The spec of a record that says what a refused submission called itself, so that a search finds it.

    It may be anything, that is why it was refused: what is no short text on one line is left out.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return "{}"
    if not isinstance(given, dict):
        return "{}"
    found = {"job_type": given.get("type")} if "function" in given else {}
    found |= {name: given[name] for name in _NAMES if name in given}
    short = {
        name: value
        for name, value in found.items()
        if isinstance(value, str) and 0 < len(value) <= _MOST_LETTERS and value.isprintable()
    }
    # Without it a rule would not know what it caused itself.
    of_rule = cause.kept(given.get("cause"))
    return json.dumps(short | ({"cause": of_rule} if of_rule else {}))


_NAMES = ("job_type", "job_name", "tag", "username")
_MOST_LETTERS = 255
_REFUSED = Acceptance(id="", digest="", spec="{}", queue="", shape="1s", window_ms=FOREVER)
