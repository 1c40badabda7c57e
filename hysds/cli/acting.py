"""What the commands share that act on many jobs: which jobs, whether that is meant, and what is told of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from hysds.cli import conditions, id_arguments, tables
from hysds.cli.exits import Exit
from hysds.cli.progress import Progress
from hysds.cli.tables import Table
from hysds.cli.words import clean
from hysds.core.control import Handled, Verb, meaning
from hysds.core.errors import Refused
from hysds.core.repetition import Changes
from hysds.ports.litter import Ground
from hysds.sdk.client import Client
from hysds.sdk.control import Summary
from hysds.sdk.selecting import Matching, Named

CONFIRMED_ABOVE = 100
"""Jobs that a query may find before somebody has to say that he means it."""

_LISTED = 50
"""Named jobs of which each is told; of more, how many of a kind."""
_SHOWN = 5
_AS_WISHED = frozenset({"same", "before", "matched"})
"""Answers about a job that is as it was asked to become, though not by this act."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is done and told."""

    everything: bool
    dry_run: bool
    yes: bool
    verbose: bool
    as_json: bool


def acts(queue: str = "--queue") -> Callable[[Command], Command]:
    """The arguments and options of a command that acts on jobs; `queue` as in `conditions.conditions`."""
    options = (
        click.argument("job_id", metavar="[ID]...", nargs=-1),
        conditions.conditions(queue),
        click.option(
            "--all", "everything", is_flag=True, help="All that there are, where no condition is given."
        ),
        click.option(
            "--dry-run", is_flag=True, help="List what would become of each job, and change nothing."
        ),
        click.option("--yes", is_flag=True, help=f"Don't ask, also for more than {CONFIRMED_ABOVE} jobs."),
        click.option("--verbose", is_flag=True, help="List each job, and what became of it."),
        click.option(
            "--json", "as_json", is_flag=True, help="One JSON object a job; the summary is one on stderr."
        ),
    )

    def decorated(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line asks for."""

    ids: Sequence[str]
    values: Mapping[str, Any]
    """The conditions, where no id is given."""
    manner: Manner


def asked(job_id: Sequence[str], options: dict[str, Any]) -> Asked:
    """The common part of a command's options.

    Raises: UsageError for neither ids nor conditions, and for both.
    """
    values = conditions.taken(options)
    manner = Manner(**{name: options.pop(name) for name in Manner.__dataclass_fields__})
    searches = conditions.is_any(values)
    if job_id and (searches or manner.everything):
        raise click.UsageError("give ids or conditions, not both")
    if not (job_id or searches or manner.everything):
        raise click.UsageError("which jobs? Give ids, or conditions as `hysds jobs` has them, or --all")
    return Asked(id_arguments.given(job_id) if job_id else (), values, manner)


def carried_out(client: Client, verb: Verb, what: Asked, changes: Changes | None = None) -> int:
    """Do it and tell of it; answers how to exit.

    Raises: Refused where more jobs match than are taken unasked and nobody can be asked.
    """
    manner = what.manner
    if what.ids:
        selection: Named | Matching = Named(what.ids)
    else:
        selection = client.matching(verb, conditions.query_of(what.values))
        _say_whole(selection)
    if not selection.total:
        click.echo("no job matches", err=True)
        return Exit.COMPLETED
    lists_all = manner.verbose or (bool(what.ids) and selection.total <= _LISTED)
    if manner.dry_run:
        return _foretold(client, verb, selection, changes, manner)
    if isinstance(selection, Matching) and not _is_meant(verb, selection, manner):
        click.echo("nothing was changed", err=True)
        return Exit.REFUSED
    progress = Progress(verb.value, selection.total)

    def watch(handled: Sequence[Handled]) -> None:
        progress.add(len(handled))
        if lists_all or manner.as_json:
            _list(verb, handled, manner)

    summary = client.act(verb, selection, changes, watch)
    progress.over()
    _tell(client, summary, manner, tells_sums=not (what.ids and lists_all))
    is_left = any(_is_left(verb, word) for word in summary.answers)
    return Exit.REFUSED if what.ids and is_left else Exit.COMPLETED


def _is_left(verb: Verb, word: str) -> bool:
    """Whether a named job is not as it was asked to become. One that had ended needs no cancel."""
    if verb is Verb.CANCEL and word == "ended":
        return False
    return not meaning(verb, word).is_change and word not in _AS_WISHED


def _say_whole(selection: Matching) -> None:
    if selection.is_everything:
        click.echo(f"this matches every job that it could: all {selection.total}", err=True)


def _is_meant(verb: Verb, selection: Matching, manner: Manner) -> bool:
    if manner.yes or selection.total <= CONFIRMED_ABOVE:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            f"{selection.total} jobs match, and nobody can be asked whether they are meant: "
            "look with --dry-run, then say --yes"
        )
    return click.confirm(f"{verb.value} {selection.total} jobs?", err=True)


def _foretold(
    client: Client, verb: Verb, selection: Named | Matching, changes: Changes | None, manner: Manner
) -> int:
    counts: Counter[str] = Counter()
    for handled in client.foresee(verb, selection, changes):
        counts.update(one.answer for one in handled)
        _list(verb, handled, manner)
    would = sum(count for word, count in counts.items() if meaning(verb, word).is_change)
    text = f"{verb.value} would change {would} of {selection.total} jobs; nothing was changed"
    if manner.as_json:
        text = tables.as_json({"would": verb.value, "total": selection.total, "answers": counts})
    click.echo(text, err=True)
    return Exit.COMPLETED


def _list(verb: Verb, handled: Sequence[Handled], manner: Manner) -> None:
    for one in handled:
        if manner.as_json:
            told = {"id": one.id, "answer": one.answer, "detail": one.detail}
            click.echo(tables.as_json({name: value for name, value in told.items() if value}))
        else:
            detail = f": {clean(one.detail)}" if one.detail else ""
            click.echo(f"{one.id}  {meaning(verb, one.answer).text}{detail}")


def _tell(client: Client, summary: Summary, manner: Manner, tells_sums: bool) -> None:
    grounds = _attended(client, summary.left.grounds)
    if manner.as_json:
        lying = [
            {"host": one.host, "root": one.root, "jobs": jobs, "attended": grounds[one]}
            for one, jobs in summary.left.grounds.items()
        ]
        told = {
            "act": summary.verb.value,
            "total": summary.total,
            "changed": summary.changed,
            "answers": summary.answers,
            "directories": lying,
            "elsewhere": summary.left.elsewhere,
            "unheard": sorted(summary.unheard),
        }
        click.echo(tables.as_json({name: value for name, value in told.items() if value != []}), err=True)
        return
    if tells_sums:
        click.echo(f"{summary.verb.value}: {summary.changed} of {summary.total} jobs")
        rows = [
            (meaning(summary.verb, word).text, str(count)) for word, count in summary.answers.most_common()
        ]
        tables.show(Table(("what became of them", "jobs"), rows))
    for line in (*_unheard(summary), *_directories(summary, grounds)):
        click.echo(line, err=True)


def _unheard(summary: Summary) -> list[str]:
    return [f"note: no worker that is announced hears queue {queue}" for queue in sorted(summary.unheard)]


def _attended(client: Client, grounds: Mapping[Ground, int]) -> dict[Ground, bool]:
    """Whether a worker that is there works below each of these roots."""
    if not grounds:
        return {}
    there = client.grounds()
    return {ground: ground in there for ground in grounds}


def _directories(summary: Summary, attended: Mapping[Ground, bool]) -> list[str]:
    lines = []
    for ground, jobs in summary.left.grounds.items():
        place = f"{clean(ground.host)}:{clean(ground.root)}"
        when = (
            "a worker there removes them within half a minute"
            if attended[ground]
            else "no worker is there now; the next one that starts there removes them"
        )
        what = "the work directory of 1 job lies" if jobs == 1 else f"work directories of {jobs} jobs lie"
        lines.append(f"{what} in {place}: {when}")
    left = summary.left.elsewhere
    lines += [f"not removed, as it is no work directory of a job: {clean(place)}" for place in left[:_SHOWN]]
    if len(left) > _SHOWN:
        lines.append(f"not removed: {len(left) - _SHOWN} more such directories; --json names all")
    return lines
