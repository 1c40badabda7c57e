"""What a guardian runs when its worker is gone and nothing of its jobs lives: where the worker is dead, the ledger is
told, which gives the jobs to others at once instead of when their leases run out, and what the worker left on this host
is cleared away.

A worker that was only stopped, or hung, is left to its leases: it may go on at any moment and claim anew, and a word
that comes after that would take a job from it whose processes live.

    python -m hysds.cli.gone INCARNATION
"""

from __future__ import annotations

import sys

from hysds.bootstrap import System
from hysds.core.errors import HysdsError

_PATIENCE_S = 1.0
"""For whoever holds the dead worker's lock for a moment, as a plain `hysds doctor` does to look."""


def main(arguments: list[str]) -> int:
    """0 when the ledger was told of a dead worker, or there was nothing to tell."""
    system = None
    [incarnation] = arguments
    try:
        system = System.read()
        system.dispatcher.ring(system.orphans().take(incarnation, _PATIENCE_S))
    except HysdsError as error:
        sys.stderr.write(f"the ledger was not told that worker {incarnation} is gone: {error}\n")
        return 1
    finally:
        if system is not None:
            system.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
