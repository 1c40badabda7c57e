"""The conditions by which commands find jobs: the same options wherever a command searches or acts on what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from hysds.cli import offers
from hysds.cli.options import Moment, StatusWord
from hysds.core import kin_ends, where
from hysds.core.query import JobQuery, Span
from hysds.core.searched import Term
from hysds.core.status import FailureClass
from hysds.core.type_names import spellings

Command = TypeVar("Command", bound=Callable[..., Any])
_TERMS = tuple(term.value for term in Term)
_SPANS = ("since", "until", "ended_since", "ended_until")


def conditions(queue: str = "--queue") -> Callable[[Command], Command]:
    """Options that select jobs. `queue`: what the one is called that names the queue where they stand."""
    options = (
        click.option(
            "--status", multiple=True, type=StatusWord(), help="In this status; give it again for others."
        ),
        click.option(
            "--type",
            multiple=True,
            help="Of this job type, such as word-count, also where it is written job:word-count. May be repeated.",
        ),
        click.option(
            queue,
            "in_queue",
            multiple=True,
            shell_complete=offers.queues,
            help="Of this queue. May be repeated.",
        ),
        click.option("--tag", multiple=True, help="With this tag. May be repeated."),
        click.option("--user", multiple=True, help="Of this user. May be repeated."),
        click.option(
            "--worker", multiple=True, help="Last run by this worker, such as celery@host. May be repeated."
        ),
        click.option(
            "--failure-class",
            multiple=True,
            type=click.Choice([*(failure.value for failure in FailureClass), *kin_ends.CLASSES]),
            help="Failed so. May be repeated.",
        ),
        click.option("--parent", multiple=True, metavar="ID", help="Members of this group. May be repeated."),
        click.option("--since", type=Moment(), help="Accepted since: 2h ago, or 2030-01-31T18:00:00Z."),
        click.option("--until", type=Moment(), help="Accepted before."),
        click.option("--ended-since", type=Moment(), help="Ended since."),
        click.option("--ended-until", type=Moment(), help="Ended before."),
        click.option(
            "--text",
            default="",
            help="All of these words occur in name, type, tag, error, messages or payload.",
        ),
        click.option(
            "--where",
            multiple=True,
            metavar="PATH[=VALUE]",
            help="A value inside params (the payload) or context: params.x=abc, params.x^=ab (begins with), params.x "
            "(is there). May be repeated: all of them hold.",
        ),
    )

    def decorated(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def taken(given: dict[str, Any]) -> dict[str, Any]:
    """The conditions out of a command's options, which lose them."""
    names = (*_TERMS, *_SPANS, "text", "where")
    return {name: given.pop("in_queue" if name == "queue" else name) for name in names}


def is_any(values: Mapping[str, Any]) -> bool:
    """Whether any condition was given."""
    return any(value not in (None, "", ()) for value in values.values())


def query_of(values: Mapping[str, Any], **page: Any) -> JobQuery:
    """The query of these conditions. `page`: which part of its answer, as `JobQuery` names it.

    Raises: Refused where it has no answer.
    """
    terms: dict[str, Any] = {term: frozenset(values[term]) for term in _TERMS}
    terms["type"] = frozenset(spelling for name in values["type"] for spelling in spellings(name))
    return JobQuery(
        **terms,
        accepted=Span(values["since"], values["until"]),
        ended=Span(values["ended_since"], values["ended_until"]),
        text=values["text"],
        where=tuple(where.read(condition) for condition in values["where"]),
        **page,
    )
