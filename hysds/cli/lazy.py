"""A group of commands of which only the used one is loaded: the help of the whole costs none of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from hysds.cli import interrupts


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives (its module has it as `command`), and the sentence that the group's help shows."""

    module: str
    sentence: str


class LazyGroup(click.Group):
    """A group that knows its commands by a table."""

    def __init__(self, *arguments: Any, entries: Mapping[str, Entry], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None where there is none of that name."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        interrupts.raised()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is no such command."""
        if args and args[0] not in self.entries and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(args[0], self.entries, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.entries)}"
            ctx.fail(f"no such command: {args[0]}; {hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names and sentences of the table, and our own options."""
        found = [
            CompletionItem(name, help=entry.sentence)
            for name, entry in self.entries.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The names and sentences of the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.sentence) for name, entry in self.entries.items()])
