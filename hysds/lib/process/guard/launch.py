"""How a command is started: its program found, its three streams and its signals as it expects them."""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import os
import signal
from typing import NamedTuple

from . import wire


class Outputs(NamedTuple):
    """The descriptors that become the command's standard output and standard error."""

    out: int
    err: int


def spawn(order: wire.Order, null_fd: int, outputs: Outputs) -> int:
    """The first of the candidates that is a program. A name without a slash is looked up in the command's own
    PATH.
    """
    actions = [
        (os.POSIX_SPAWN_DUP2, null_fd, 0),
        (os.POSIX_SPAWN_DUP2, outputs.out, 1),
        (os.POSIX_SPAWN_DUP2, outputs.err, 2),
    ]
    failure: OSError = FileNotFoundError(2, os.strerror(2), order.argv[0])
    for path in _candidates(order):
        try:
            return os.posix_spawn(
                path,
                order.argv,
                order.env,
                file_actions=actions,
                setsid=True,
                setsigmask=(),
                setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
            )
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            failure = PermissionError(error.errno, error.strerror, path)
    raise failure


def _candidates(order: wire.Order) -> list[str]:
    name = order.argv[0]
    if "/" in name:
        return [name]
    return [f"{folder or '.'}/{name}" for folder in order.env.get("PATH", os.defpath).split(":")]
