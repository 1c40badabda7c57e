"""What a guardian runs when its worker is dead and nothing of its jobs lives: it tells the ledger, which gives the jobs
to others at once instead of when their leases run out; then it clears away what the worker left on this host.

    python -m hysds.cli.gone INCARNATION
"""

from __future__ import annotations

import sys

from hysds.bootstrap import System
from hysds.core.errors import HysdsError


def main(arguments: list[str]) -> int:
    """0 when the ledger was told."""
    system = None
    [incarnation] = arguments
    try:
        system = System.read()
        moved = system.ledger.leave(incarnation)
        system.dispatcher.ring(moved.ready)
        # Not of a worker that was only stopped: it lives, and looks after its directories when it goes on.
        system.orphans().take(incarnation)
    except HysdsError as error:
        sys.stderr.write(f"the ledger was not told that worker {incarnation} is gone: {error}\n")
        return 1
    finally:
        if system is not None:
            system.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
