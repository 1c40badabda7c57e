"""`--over QUERY`: a search for jobs on one line, with the options of `hysds jobs`."""

from __future__ import annotations

import shlex

import click
from click.core import ParameterSource

from hysds.cli import jobs
from hysds.sdk.by_type import Over

_NAME = "--over"
_NOT_HERE = ("as_json", "cursor", "facet")
"""Options of `hysds jobs` that say how to show what is found."""


def read(text: str) -> Over:
    """The query of a line such as `--status failed --since 2h`; without `--limit` it is over all that match.

    Raises: click.UsageError for an option that `hysds jobs` does not have, or that only shows; Refused where the query
    has no answer.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.UsageError(f"{_NAME}: can't be split into options: {error}") from error
    if not words:
        raise click.UsageError(
            f"{_NAME}: an empty query is over every job; say which, such as {_NAME} '--status failed'"
        )
    try:
        context = jobs.command.make_context(_NAME, words)
    except click.UsageError as error:
        raise click.UsageError(f"{_NAME}: {error.format_message()}") from error
    except click.exceptions.Exit as leaving:  # --help, which was printed
        raise click.UsageError(f"{_NAME} takes the options of `hysds jobs` that narrow") from leaving
    given = {
        name for name in context.params if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    for name in _NOT_HERE:
        if name in given:
            option = "--json" if name == "as_json" else f"--{name}"
            raise click.UsageError(f"{_NAME}: {option} says how to show jobs, and narrows nothing")
    query = jobs.query_of({name: value for name, value in context.params.items() if name != "as_json"})
    return Over(query, text.strip(), context.params["limit"] if "limit" in given else None)
