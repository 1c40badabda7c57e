"""`hysds rules`: jobs that nobody submits: a rule says what is done when something happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from hysds.cli import rule_words, tables
from hysds.cli.options import Moment
from hysds.cli.tables import Table
from hysds.cli.words import clean, cut
from hysds.core import moments
from hysds.core.lean import lean
from hysds.core.rules.rule import Rule
from hysds.core.spec import stored
from hysds.orchestrator.rule_trials import Trial
from hysds.sdk.client import Client

_COLUMNS = ("name", "on", "then", "state", "priority", "queue", "owner", "since")
_IMPORTANCE = ("name", "then", "state", "on", "queue", "owner", "since", "priority")
_MOST = 1_000


@click.group("rules", short_help="Have jobs submitted when something happens.")
def command() -> None:
    """Have jobs submitted when something happens: when a job or a task ends, a worker comes or goes, another rule
    fails. `hysds worker orchestrator` carries rules out, each at most once for each thing that happens.

    \b
        hysds rules add report --status failed --type word-count --mail ops@example.org
        hysds rules list
        hysds rules history report
    """


@command.command("add", short_help="Add a rule.")
@click.argument("name", required=False)
@rule_words.options
@click.option("--replace", is_flag=True, help="Also in place of a rule of this name.")
def add(name: str | None, replace: bool, **options: Any) -> None:
    """Add the rule NAME: when something ends that the conditions describe, all of them, its job is submitted. The job
    knows what caused it (`caused_by`, `rule`), and a rule does not fire on what comes of it itself.

    A condition may be told by options, or whole by --when, in the part of Elasticsearch's query language that HySDS's
    rules use: bool, term, terms, match, match_phrase, range, exists, prefix, wildcard, ids, match_all. A file of HySDS
    (rule_name, query_string, kwargs, …) is read too. --mail and --webhook are tasks: a task worker does them whose
    tasks.allow names hysds.sdk.errands.

    \b
        hysds rules add report --status failed --type word-count --mail ops@example.org
        hysds rules add again --failure-class worker-lost --retry --repeats 2
        hysds rules add count --when '{"prefix": {"job.tag": "t"}}' --then word-count --param-from of=id
    """
    with Client() as client:
        added = client.rules.add(rule_words.document(name, options), replace)
        note = _unheard(client)
    click.echo(f"rule {clean(added.name)}: on {added.on}, then {clean(added.then)}{_off(added)}")
    if note:
        click.echo(note, err=True)


@command.command("list", short_help="Show all rules.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a rule.")
def list_(as_json: bool) -> None:
    """Show all rules.

    \b
        hysds rules list --json | jq -r .name
    """
    with Client() as client:
        found = client.rules.all()
        note = _unheard(client) if any(one.enabled for one in found) else ""
    if as_json:
        for one in found:
            click.echo(tables.as_json(_values(one)))
    elif found:
        tables.show(Table(_COLUMNS, [_row(one) for one in found], _IMPORTANCE))
    else:
        click.echo("there are no rules; see `hysds rules add --help`", err=True)
    if note:
        click.echo(note, err=True)


@command.command("show", short_help="Show one rule.")
@click.argument("name")
def show(name: str) -> None:
    """Show the rule NAME as a JSON object, which `hysds rules add --file` reads.

    \b
        hysds rules show report | jq .when
    """
    with Client() as client:
        found = client.rules.get(name)
    shown = {key: value for key, value in _values(found).items() if key != "since"}
    click.echo(json.dumps(shown, indent=2))


@command.command("test", short_help="Show what a rule would have done.")
@click.argument("name", required=False)
@rule_words.options
@click.option("--since", type=Moment(), help="On what happened since: 2h ago, or 2030-01-31T18:00:00Z.")
@click.option(
    "--limit",
    default=_MOST,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Look at so many documents, the newest first.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a match, with the spec.")
def test(name: str | None, since: int | None, limit: int, as_json: bool, **options: Any) -> None:
    """Show what a rule would have done on what the store holds of the past; nothing is submitted, and no creator is
    called. NAME alone is a rule that is published; with --file or other options it need not be.

    \b
        hysds rules test report --since 1d
        hysds rules test --status failed --retry --json | jq .id
    """
    with Client() as client:
        rule = _to_try(client, name, options)
        trials = list(client.rules.tried(rule, since, limit))
    if as_json:
        for one in trials:
            click.echo(tables.as_json(_trial(one)))
    elif trials:
        tables.show(Table(("id", "status", "would be", "job or reason"), [_trial_row(one) for one in trials]))
    counts = [
        f"{sum(one.outcome == word for one in trials)} {word}" for word in ("fired", "failed", "stopped")
    ]
    click.echo(f"{len(trials)} match of the newest {limit} at most: {', '.join(counts)}", err=True)


@command.command("enable", short_help="Have a rule do something from now on.")
@click.argument("name")
def enable(name: str) -> None:
    """Have the rule NAME look at what happens from now on; what happened while it was disabled is nobody's.

    \b
        hysds rules enable report
    """
    with Client() as client:
        client.rules.switch(name, enabled=True)
        note = _unheard(client)
    click.echo(f"rule {clean(name)} is enabled")
    if note:
        click.echo(note, err=True)


@command.command("disable", short_help="Have a rule do nothing.")
@click.argument("name")
def disable(name: str) -> None:
    """Have the rule NAME do nothing until `hysds rules enable`.

    \b
        hysds rules disable report
    """
    with Client() as client:
        client.rules.switch(name, enabled=False)
    click.echo(f"rule {clean(name)} is disabled")


@command.command("remove", short_help="Forget a rule.")
@click.argument("name", required=False)
@click.option(
    "--all", "everything", is_flag=True, help="Forget all rules, also those that can't be read here."
)
def remove(name: str | None, everything: bool) -> None:
    """Forget the rule NAME. Jobs that it caused stay as they are.

    \b
        hysds rules remove report
    """
    if (name is None) == (not everything):
        raise click.UsageError("give the NAME of a rule, or --all")
    with Client() as client:
        if name is None:
            client.rules.remove_all()
        else:
            client.rules.remove(name)
    click.echo("there are no rules any more" if name is None else f"rule {clean(name)} is removed")


@command.command("history", short_help="Show what rules did.")
@click.argument("name", required=False)
@click.option("--since", type=Moment(), help="Since: 2h ago, or 2030-01-31T18:00:00Z.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Show so many.")
@click.option("--json", "as_json", is_flag=True, help="The events, one JSON object a line.")
def history(name: str | None, since: int | None, limit: int, as_json: bool) -> None:
    """Show what the rule NAME did, or what all rules did, the newest first: which job came of what, or why none did.

    \b
        hysds rules history report --since 1d
        hysds rules history --json | jq -r .event.job_id
    """
    with Client() as client:
        found = list(client.rules.history(name or "", since, limit))
    if as_json:
        for one in found:
            click.echo(tables.as_json(one))
        return
    if found:
        columns = ("time", "rule", "what", "on", "job or reason")
        tables.show(Table(columns, [_told_row(one) for one in found]))
    else:
        click.echo("no rule did anything; documents follow by a moment", err=True)


def _to_try(client: Client, name: str | None, options: dict[str, Any]) -> Rule:
    """The published rule of a name, or the one that file and options say."""
    is_told = any(value not in (None, (), False) for value in options.values())
    if name is not None and not is_told:
        return client.rules.get(name)
    if not is_told:
        raise click.UsageError("give the NAME of a rule, or --file, or conditions and what is to be done")
    return client.rules.read({"name": "test", **rule_words.document(name, options)})


def _unheard(client: Client) -> str:
    """What to say where nobody carries out rules."""
    if client.rules.are_carried_out():
        return ""
    return "note: nobody carries out rules; start: hysds worker orchestrator"


def _off(rule: Rule) -> str:
    return "" if rule.enabled else "; it is disabled"


def _values(rule: Rule) -> dict[str, Any]:
    values = lean(rule)
    since_ms = values.pop("since_ms", 0)
    shown = {key: value for key, value in asdict(rule).items() if key in ("name", "on", "enabled")}
    return {**shown, **values, **({"since": moments.iso(since_ms)} if since_ms else {})}


def _row(rule: Rule) -> tuple[str, ...]:
    return (
        clean(rule.name),
        rule.on.value,
        clean(rule.then),
        "enabled" if rule.enabled else "disabled",
        "" if rule.priority is None else str(rule.priority),
        clean(rule.queue),
        clean(rule.owner),
        f"{moments.iso(rule.since_ms)[:19]}Z" if rule.since_ms else "",
    )


def _trial(trial: Trial) -> dict[str, Any]:
    told = {
        "id": trial.document.get("id"),
        "status": trial.document.get("status"),
        "would_be": trial.outcome.value,
        "reason": trial.reason,
        "spec": json.loads(stored(trial.spec)) if trial.spec is not None else None,
    }
    return {key: value for key, value in told.items() if value not in (None, "")}


def _trial_row(trial: Trial) -> tuple[str, ...]:
    spec = trial.spec
    what = trial.reason or (f"{spec.job_type} {json.dumps(spec.payload)}" if spec is not None else "")
    return (
        clean(str(trial.document.get("id"))),
        clean(str(trial.document.get("status"))),
        trial.outcome.value,
        cut(clean(what), 200),
    )


def _told_row(told: Mapping[str, Any]) -> tuple[str, ...]:
    event = told.get("event", {})
    return (
        f"{str(told.get('@timestamp'))[:19]}Z",
        clean(str(event.get("rule", ""))),
        clean(str(told.get("status", ""))),
        clean(str(event.get("caused_by", ""))),
        cut(clean(str(event.get("reason") or event.get("job_id", ""))), 200),
    )
