"""`hysds explain`: why a job stands where it stands, and what happens next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from hysds.cli import summary, tables, words
from hysds.cli.exits import Exit
from hysds.core import moments
from hysds.core.decisive_lines import Sign
from hysds.core.explanation.explain import as_document
from hysds.core.explanation.takers import Lack, Taker
from hysds.core.explanation.values import Coming, Explanation, Reason
from hysds.sdk.client import Client

_LINKS = {
    "parent": "member of",
    "retry_of": "retry of",
    "retried_by": "retried by",
    "dedup_job": "duplicate of",
    "schedule": "by schedule",
    "schedule_time": "for the time",
}


@click.command("explain", short_help="Say why a job stands where it stands.")
@click.argument("job_id", metavar="ID")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object, with a reason of a fixed set of codes."
)
def command(job_id: str, as_json: bool) -> int:
    """Say why a job stands where it stands: what it waits for and which workers could take it, or why it failed and
    what its output says; then what happens next and when, and what can be done.

    \b
        hysds explain 01930f5e-7b1c-7000-8000-0123456789ab
        hysds explain --json "$id" | jq -r .reason
    """
    with Client() as client:
        explanation = client.explain(job_id)
    if as_json:
        click.echo(tables.as_json(as_document(explanation)))
    else:
        click.echo("\n".join(lines(explanation)))
    return Exit.REFUSED if explanation.why.reason is Reason.UNKNOWN else Exit.COMPLETED


def lines(explanation: Explanation) -> list[str]:
    """The explanation for people: the sentence first, then one fact a line; none says what the sentence says."""
    why = explanation.why
    head = f"job {explanation.id} is {explanation.status}" if explanation.status else f"job {explanation.id}"
    last = explanation.attempts[-1] if explanation.attempts else None
    pairs = [
        ("reason", why.reason.value),
        *_queue(explanation),
        *_workers(explanation.takers),
        *_failure(explanation),
        *[("output", f"{line.stream}: {line.text}") for line in explanation.decisive.lines],
        *[
            (f"attempt {one.get('attempt')}", _attempt(one, why.sentence if one is last else ""))
            for one in explanation.attempts
        ],
        *[(_LINKS[name], other) for name, other in explanation.links.items()],
        *[("next", _coming(one)) for one in why.coming],
        *[("to do", one) for one in why.advice],
    ]
    width = max(len(name) for name, _ in pairs)
    told = [f"{name.ljust(width)}  {words.clean(value)}" for name, value in pairs]
    return [f"{head}: {words.clean(why.sentence)}", *told]


def _queue(explanation: Explanation) -> list[tuple[str, str]]:
    place = explanation.place
    if place is None:
        return []
    paused = ", paused" if place.paused else ""
    return [("queue", f"{explanation.queue}: {place.ahead} before it, {place.ready} ready{paused}")]


def _workers(takers: Sequence[Taker]) -> list[tuple[str, str]]:
    """Those that hear the queue one by one; of the others how many there are."""
    hearers = [one for one in takers if not one.lacks(Lack.QUEUE)]
    told = []
    for one in hearers:
        lacks = "; ".join(missing.text for missing in one.missing)
        told.append(("worker", f"{one.name} {lacks or 'has room for it'}"))
    if len(takers) > len(hearers):
        count = len(takers) - len(hearers)
        others = "1 other hears" if count == 1 else f"{count} others hear"
        told.append(("worker", f"{others} other queues alone"))
    return told


def _failure(explanation: Explanation) -> list[tuple[str, str]]:
    failure = explanation.failure
    if not failure:
        return []
    said = explanation.why.sentence
    class_, error = failure.get("class", ""), str(failure.get("error", ""))
    parts = [class_] if f"as {class_} " not in said else []
    parts += [f"in phase {failure['phase']}"] if failure.get("phase") else []
    parts += [f"exit code {failure['exit_code']}"] if failure.get("exit_code") is not None else []
    new = [part for part in parts if part and part not in said]
    sign = explanation.decisive.sign
    return [
        *([("ended as", ", ".join(new))] if new else []),
        *([("error", error)] if error and error not in said else []),
        *([("looks like", sign.value)] if sign not in (None, Sign.ERROR, Sign.LAST) else []),
    ]


def _attempt(entry: Mapping[str, Any], said: str) -> str:
    worker = words.shown(entry.get("worker")).partition("/")[0]
    where = f"on {worker}, ended {words.shown(entry.get('ended'))}"
    error = entry.get("error")
    return where if error and str(error) in said else f"{where}: {summary.attempt(entry)}"


def _coming(coming: Coming) -> str:
    return f"{moments.iso(coming.at_ms)}  {coming.what}" if coming.at_ms else coming.what
