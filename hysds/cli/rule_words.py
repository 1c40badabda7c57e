"""Options that say a rule, and what they make of it: the same for `hysds rules add` and `hysds rules test`.

Options of conditions become a query of `core.conditions`, so that a rule says one thing in one language.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from hysds.cli import given_params, offers
from hysds.cli.options import StatusWord
from hysds.core import json_text, kin_ends, where
from hysds.core.errors import InvalidSpec
from hysds.core.rules import actions
from hysds.core.rules.rule import On
from hysds.core.status import FailureClass
from hysds.core.type_names import spellings
from hysds.core.where import How, Where

Command = TypeVar("Command", bound=Callable[..., Any])

_PATHS = {
    "status": "status",
    "type": "type",
    "from_queue": "job.job_info.job_queue",
    "tag": "job.tag",
    "user": "job.username",
    "failure_class": "failure_class",
}
_WHATS = ("then", "mail", "webhook", "retry")


def options(command: Command) -> Command:
    """Options that say a rule."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def document(name: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """The document of a rule: that of its file, with what the options say in its place. The options are taken out.

    Raises: InvalidSpec for a file that is no JSON object; UsageError for options that contradict each other.
    """
    file = given.pop("file")
    found = {} if file is None else given_params.given((), file)
    said = {
        "name": name,
        "on": given.pop("on"),
        "when": _when(given.pop("when"), {key: given.pop(key) for key in (*_PATHS, "where")}),
        **_what({key: given.pop(key) for key in _WHATS}, _params(given)),
        **{key: given.pop(key) for key in ("priority", "queue", "owner", "repeats")},
    }
    told = {key: value for key, value in said.items() if value is not None}
    if given.pop("disabled"):
        told["enabled"] = False
    return _over(found, told)


def _over(found: Mapping[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """HySDS's words give way to ours where both say the same."""
    theirs = {
        "name": "rule_name",
        "when": "query_string",
        "then": "job_type",
        "params": "kwargs",
        "owner": "username",
    }
    if "rule_name" not in found and "query_string" not in found:
        return {**found, **told}
    text = {"when": json.dumps, "params": json.dumps}
    return {**found, **{theirs.get(key, key): text.get(key, _same)(value) for key, value in told.items()}}


def _same(value: Any) -> Any:
    return value


def _when(query: str | None, terms: Mapping[str, Any]) -> dict[str, Any] | None:
    """The query of `--when`, or of the other conditions; None: neither was given."""
    parts = [_terms(_PATHS[key], terms[key], key) for key in _PATHS if terms[key]]
    parts += [_where(where.read(line)) for line in terms["where"]]
    if query is not None and parts:
        raise click.UsageError(
            "--when says the whole condition: leave out --status, --type, --where and the like"
        )
    if query is not None:
        return _query(query)
    if len(parts) > 1:
        return {"bool": {"filter": parts}}
    return parts[0] if parts else None


def _terms(path: str, values: tuple[str, ...], key: str) -> dict[str, Any]:
    found = sorted({one for value in values for one in (spellings(value) if key == "type" else (value,))})
    return {"terms": {path: found}} if len(found) > 1 else {"term": {path: found[0]}}


def _where(one: Where) -> dict[str, Any]:
    path = f"job.{one.leaf}"
    if one.how is How.EXISTS:
        return {"exists": {"field": path}}
    return {"term" if one.how is How.IS else "prefix": {path: one.value}}


def _query(text: str) -> dict[str, Any]:
    """JSON, or that of a file behind an @."""
    try:
        if text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        value, is_doubled = json_text.decode(text)
        if is_doubled:
            raise InvalidSpec(tuple(json_text.given_twice(value, "$")))
    except (InvalidSpec, OSError, ValueError) as error:
        raise click.UsageError(f"--when: {error}") from error
    if not isinstance(value, dict):
        raise click.UsageError(f"--when is an object, not {json_text.kind(value)}")
    return value


def _what(asked: Mapping[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    given = [key for key in _WHATS if asked[key]]
    if len(given) > 1:
        raise click.UsageError(f"a rule does one thing: keep one of {', '.join(f'--{key}' for key in given)}")
    if not given:
        return {"params": params or None}
    [what] = given
    if what == "then":
        return {"then": asked["then"], "params": params or None}
    own = {"mail": {"to": asked["mail"]}, "webhook": {"url": asked["webhook"]}, "retry": {}}[what]
    return {"then": f"{actions.PREFIX}{what}", "params": {**params, **own}}


def _params(given: dict[str, Any]) -> dict[str, Any]:
    found = given_params.given(given.pop("param"), None)
    for pair in given.pop("param_from"):
        name, equals, path = pair.partition("=")
        if not equals or not name or not path:
            raise click.UsageError(f"--param-from is NAME=PATH, such as url=job.params.url, not {pair!r}")
        found[name] = {"from": path}
    return found


_OPTIONS = (
    click.option(
        "--file", metavar="FILE", help="The rule as JSON, ours or HySDS's; - is stdin. Options go over it."
    ),
    click.option(
        "--on", type=click.Choice([one.value for one in On]), help="What it looks at. Default: job."
    ),
    click.option("--when", metavar="JSON", help="The condition, in HySDS's query language; @FILE reads it."),
    click.option("--status", multiple=True, type=StatusWord(), help="When it ended so. May be repeated."),
    click.option("--type", multiple=True, help="When it is of this job type. May be repeated."),
    click.option(
        "--from-queue",
        multiple=True,
        shell_complete=offers.queues,
        help="When it is of this queue. May be repeated.",
    ),
    click.option("--tag", multiple=True, help="When it has this tag. May be repeated."),
    click.option("--user", multiple=True, help="When it is this user's. May be repeated."),
    click.option(
        "--failure-class",
        multiple=True,
        type=click.Choice([*(failure.value for failure in FailureClass), *kin_ends.CLASSES]),
        help="When it failed so. May be repeated.",
    ),
    click.option(
        "--where",
        multiple=True,
        metavar="PATH[=VALUE]",
        help="When a value inside params or context is so, as for `hysds jobs`. May be repeated.",
    ),
    click.option("--then", metavar="TYPE", shell_complete=offers.types, help="Submit a job of this type."),
    click.option("--mail", metavar="ADDRESSES", help="Send a mail, commas between several."),
    click.option("--webhook", metavar="URL", help="Call a webhook with the document."),
    click.option("--retry", is_flag=True, help="Do the job again; see --repeats."),
    click.option(
        "--param",
        multiple=True,
        metavar="NAME=TEXT",
        help="Give this parameter; NAME:=JSON for other values.",
    ),
    click.option(
        "--param-from",
        multiple=True,
        metavar="NAME=PATH",
        help="Take it from the document: url=job.params.url.",
    ),
    click.option("--priority", type=click.IntRange(0, 10), help="Of its jobs."),
    click.option("--queue", shell_complete=offers.queues, help="Of its jobs. Default: that of their type."),
    click.option("--owner", metavar="USER", help="The user of its jobs."),
    click.option(
        "--repeats",
        type=click.IntRange(0, 30),
        help="With --retry: how often it does so again. Default: 0.",
    ),
    click.option("--disabled", is_flag=True, help="Publish it, and let it do nothing yet."),
)
