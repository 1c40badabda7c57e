"""Where the program `hysds` begins: hears interrupts before it loads the rest, which takes most of a short command."""

from __future__ import annotations

from importlib import import_module

from hysds.cli import interrupts


def main() -> int:
    """Carry out the process's own command line; answers the exit code."""
    interrupts.leave_at_once()
    code: int = import_module("hysds.cli.main").main()
    return code
