"""`hysds types`: the kinds of job that are registered."""

from __future__ import annotations

import click

from hysds.cli import types_add


@click.group("types", short_help="Register kinds of job.")
def command() -> None:
    """Register the kinds of job that files describe.

    \b
        hysds types add repository --version v1
    """


command.add_command(types_add.command)
