"""Why a job is there that nobody asked for: which rule caused it, of what, and by which rules that came to be.

It goes with the spec, and with all that the spec becomes, so that no rule feeds itself without anybody's will.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, Len

from hysds.core.budgets import STRICT

MAX_LINEAGE = 32
"""Rules of one lineage; whoever is further from its beginning is caused by nothing any more."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The rule that caused a job. Set by rules alone."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    rule: Annotated[str, Len(1, 255)]
    of: Annotated[str, Len(1, 255)]
    """The id of the job, or the event, that the rule fired on."""
    depth: Annotated[int, Ge(1), Le(1_000)]
    """How many causes and retries lie between this job and one that somebody asked for; a cause that several rules had
    in common counts for more, by the logarithm of their number."""
    lineage: Annotated[tuple[str, ...], Len(1, MAX_LINEAGE)]
    """The rules that fired one after the other to this job, the first first; `rule` is the last."""


def from_stored(said: Mapping[str, Any]) -> Cause:
    """The cause in a stored spec; it is trusted."""
    return Cause(said["rule"], said["of"], said["depth"], tuple(said["lineage"]))


def of_document(document: Mapping[str, Any]) -> Cause | None:
    """The cause that a document, of a job or of an event, tells of; None: it tells of none."""
    event = document.get("event")
    told = event if isinstance(event, Mapping) and "rule_lineage" in event else document
    lineage, rule, of = told.get("rule_lineage"), told.get("rule"), told.get("caused_by")
    if not isinstance(lineage, list | tuple) or not lineage or not isinstance(rule, str):
        return None
    depth = told.get("rule_depth")
    return Cause(
        rule, str(of or ""), depth if isinstance(depth, int) else len(lineage), tuple(map(str, lineage))
    )


def fields(cause: Cause | None) -> dict[str, Any]:
    """How a document tells of it: `caused_by rule rule_depth rule_lineage`."""
    if cause is None:
        return {}
    return {
        "caused_by": cause.of,
        "rule": cause.rule,
        "rule_depth": cause.depth,
        "rule_lineage": list(cause.lineage),
    }


def kept(said: object) -> dict[str, Any] | None:
    """The stored form of a cause that stands in what may be anything, as a refused spec; None: there is none."""
    if not isinstance(said, Mapping):
        return None
    rule, of, depth, lineage = (said.get(name) for name in ("rule", "of", "depth", "lineage"))
    is_sound = (
        all(isinstance(text, str) and 0 < len(text) <= 255 for text in (rule, of))
        and isinstance(depth, int)
        and 0 < depth <= 1_000
        and isinstance(lineage, list | tuple)
        and 0 < len(lineage) <= MAX_LINEAGE
        and all(isinstance(one, str) and 0 < len(one) <= 255 for one in lineage)
    )
    return {"rule": rule, "of": of, "depth": depth, "lineage": list(lineage or ())} if is_sound else None
