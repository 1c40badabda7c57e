"""What the processes of a system inherit from the environment of whoever starts it.

A system outlives the shell, the terminal, the login and sometimes the job in which somebody started it: what names
those would be wrong in a role, and worse in what a role starts. The server needs no setting, and so no password.
"""

from __future__ import annotations

from collections.abc import Mapping

from hysds.settings import environment

_OF_A_LOGIN = (
    *("COLORTERM", "COLUMNS", "LINES", "TERM", "TERMCAP", "WINDOWID"),
    *("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"),
    *("SSH_AGENT_PID", "SSH_AUTH_SOCK", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY"),
    *("STY", "TMUX", "TMUX_PANE", "XDG_SESSION_ID"),
)
_OF_A_SHELL = ("OLDPWD", "PWD", "SHLVL", "_")
_OF_A_SERVICE = (
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
)
"""What systemd tells the one process that it started."""


def by_roles(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a role."""
    left = {*_OF_A_LOGIN, *_OF_A_SHELL, *_OF_A_SERVICE, environment.READY_FD}
    return {name: value for name, value in environ.items() if name not in left and not _is_of_a_job(name)}


def by_server(environ: Mapping[str, str]) -> dict[str, str]:
    """That of the ledger's server."""
    return {name: value for name, value in environ.items() if not name.startswith(environment.PREFIX)}


def _is_of_a_job(variable: str) -> bool:
    """Whether HySDS sets it inside a job: one that starts a system is not in it."""
    return any(
        variable.startswith(name) if name.endswith("_") else variable == name for name in environment.IN_JOBS
    )
