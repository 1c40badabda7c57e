"""`hysds completion`: the script with which a shell completes our commands, options and names; and its answers.

The scripts are click's. Theirs ask the program by a variable in its environment; ours ask `hysds completion SHELL
--answer`, as only `hysds.settings` reads the environment.
"""

from __future__ import annotations

from importlib import import_module

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_KINDS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_ASKS = "%(complete_var)s={shell}_complete "
_WHO = {"bash": "$1", "zsh": "%(prog_name)s", "fish": "%(prog_name)s"}
_NAME = "hysds"


@click.command("completion", short_help="Print the script with which a shell completes.")
@click.argument("shell", type=click.Choice(list(_KINDS)))
@click.option(
    "--answer", is_flag=True, hidden=True, help="What the script asks: words that fit, from COMP_WORDS."
)
def command(shell: str, answer: bool) -> None:
    """Print the script with which bash, zsh or fish completes commands, options, files, and the names of workers and
    queues of a system that answers at once.

    \b
        hysds completion bash > ~/.local/share/bash-completion/completions/hysds
        hysds completion zsh > ~/.zfunc/_hysds
        hysds completion fish > ~/.config/fish/completions/hysds.fish
    """
    # Loaded here: the group knows this command by its name alone, and would be loaded by it in turn.
    group: click.Command = import_module("hysds.cli.main").make_group()
    completer = _KINDS[shell](group, {}, _NAME, "")
    click.echo(completer.complete() if answer else script(completer), nl=answer)


def script(completer: ShellComplete) -> str:
    """Click's script, which asks our command; errors of ours are shown to nobody who only pressed Tab."""
    shell = completer.name
    asks = _ASKS.format(shell=shell)
    template, who = completer.source_template, _WHO[shell]
    if shell == "fish":  # the words stand between the variable and the program
        template = template.replace(asks, "").replace(
            f" {who});", f" {who} completion fish --answer 2>/dev/null);"
        )
    else:
        template = template.replace(f"{asks}{who}", f"{who} completion {shell} --answer 2>/dev/null")
    return template % completer.source_vars()
