"""`hysds doctor`: what is wrong with the system and with this host, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from hysds.cli import checkup, mending, tables, words
from hysds.cli.exits import Exit
from hysds.doctor.examination import Part
from hysds.ports.findings import Finding, Severity
from hysds.settings import load

_WORDS = {
    Severity.OK: "ok",
    Severity.NOTE: "note",
    Severity.WARNING: "warning",
    Severity.ERROR: "error",
}
_COLOURS = {Severity.WARNING: "yellow", Severity.ERROR: "red"}


@click.command("doctor", short_help="Look for what is wrong, and mend it.")
@click.option(
    "--repair", is_flag=True, help="Mend what is safe to mend, and print what was done; nothing else."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
def command(repair: bool, as_json: bool) -> int:
    """Look at the settings, the ledger's server, the broker, the store, the workers and this host; say what is wrong
    and how to mend it. Nothing is changed without --repair, and no part is waited for longer than 5 s.

    Exits with 0 if nothing has to be done, 1 if something is wrong or will be, 4 if a part can't be reached.

    \b
        hysds doctor
        hysds doctor --json | jq -r 'select(.severity == "error") | .what'
        hysds doctor --repair
    """
    if repair:
        return _repair(as_json)
    parts = checkup.look()
    if as_json:
        for part in parts:
            for found in part.found:
                click.echo(tables.as_json(_fields(part, found)))
    else:
        _show(parts)
    return code(parts)


def code(parts: Sequence[Part]) -> int:
    """The exit code."""
    if not all(part.is_reachable for part in parts):
        return Exit.UNREACHABLE
    return Exit.FAILED if any(part.worst >= Severity.WARNING for part in parts) else Exit.COMPLETED


def _repair(as_json: bool) -> int:
    system = checkup.hasty(load.load())
    count = 0
    try:
        for done in mending.mend(system):
            count += 1
            click.echo(tables.as_json({"mended": done}) if as_json else words.clean(done))
    finally:
        system.close()
    if not count and not as_json:
        click.echo("nothing to mend")
    return Exit.COMPLETED


def _fields(part: Part, found: Finding) -> dict[str, str]:
    return {
        "part": part.name,
        "severity": _WORDS[found.severity],
        "code": found.code,
        "what": found.what,
        "where": found.where,
        "mend": found.mend,
    }


def _show(parts: Sequence[Part]) -> None:
    for part in parts:
        click.echo(part.name)
        for found in part.found:
            _show_one(found)
    wrong = sum(found.severity >= Severity.WARNING for part in parts for found in part.found)
    click.echo("nothing has to be done" if not wrong else f"{wrong} to be mended")


def _show_one(found: Finding) -> None:
    word = click.style(_WORDS[found.severity].ljust(8), fg=_COLOURS.get(found.severity))
    what = words.clean(found.what)
    # Where it is as it should be, the place says nothing that the part does not.
    where = f"  [{words.clean(found.where)}]" if found.where and found.severity > Severity.OK else ""
    click.echo(f"  {word} {what}{where}")
    if found.mend:
        click.echo(f"           mend: {words.clean(found.mend)}")
