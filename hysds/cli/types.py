"""`hysds types`: the kinds of job that are registered."""

from __future__ import annotations

import click

from hysds.cli import types_add, types_show, types_template


class _Types(click.Group):
    """A group of which `show` may be left out: `hysds types NAME`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with `show` where no command is named."""
        is_named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        if not is_named and not ctx.resilient_parsing:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("types", cls=_Types, short_help="Show kinds of job, and register more.")
def command() -> None:
    """Show the kinds of job that are registered, and register those that files describe. `show` may be left out.

    \b
        hysds types
        hysds types job:word-count
        hysds types add repository --version v1
    """


command.add_command(types_show.command)
command.add_command(types_add.command)
command.add_command(types_template.command)
