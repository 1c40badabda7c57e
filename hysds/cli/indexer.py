"""`hysds indexer`: the role that makes jobs searchable.

Asked to end, it writes what is in the stream first, so that a system which is stopped in order leaves no job's
document behind. The indexer works in a thread of its own: its wait for the next event must not delay the end.
"""

from __future__ import annotations

import logging
import threading
import time

import click

from hysds.bootstrap import System
from hysds.cli import roles
from hysds.cli.exits import Exit
from hysds.core.errors import Unreachable
from hysds.indexer.indexer import Indexer
from hysds.ports.spill import Held
from hysds.settings.metrics import Role

_GROUP = "indexer"
_DRAIN_S = 30.0
"""What is not written by then is written after the next start: nothing is lost."""
_AWAY_S = 5.0
"""For so long one waits for a store that is away."""
_LOOK_EVERY_S = 0.02
_ALIVE_EVERY_S = 1.0
_LAST_ROUND_S = 5.0
LONGEST_END_S = _DRAIN_S + _LAST_ROUND_S
"""From the first signal to the end, while the ledger answers."""
_LOG = logging.getLogger(__name__)


@click.command("indexer", short_help="Start the role that makes jobs searchable.")
def command() -> int:
    """Start the indexer: it writes what happens to jobs into the store, where `hysds jobs` searches. Any number may
    run and share the work; a system needs one. What happens while none runs is written later.

    It logs to stderr and runs until SIGTERM or Ctrl-C: what has happened is still written, for 30 s at most; a second
    one ends it at once.

    \b
        hysds indexer
    """
    roles.log_to_stderr()
    system = System.read()
    roles.log_start("indexer", system.settings)
    indexer, quits = system.indexer(), threading.Event()
    works = threading.Thread(target=indexer.run, args=(quits,), name="indexer", daemon=True)
    try:
        with roles.until_told() as stop:
            works.start()
            system.expose(Role.INDEXER)
            roles.tell_ready()
            if not _await(stop, works):
                return Exit.FAILED  # its thread has said why
            _drain(system, indexer)
            quits.set()
            # Lets go of the indexer's wait for events; what it was given and has not acknowledged comes again.
            system.ledger.close()
            works.join(_LAST_ROUND_S)
    finally:
        system.close()
    return Exit.COMPLETED


def _await(stop: threading.Event, works: threading.Thread) -> bool:
    """Until told to stop; False if the indexer ended by itself, which it never should."""
    while works.is_alive():
        if stop.wait(_ALIVE_EVERY_S):
            return True
    return False


def _drain(system: System, indexer: Indexer) -> None:
    """Until every event and all that waits on this host's disk is in the store, or that takes too long."""
    begun_s = time.monotonic()
    try:
        while (left := _left(system)) and time.monotonic() - begun_s < (
            _AWAY_S if indexer.is_away else _DRAIN_S
        ):
            time.sleep(_LOOK_EVERY_S)
    except Unreachable as error:
        _LOG.warning("ended before all was written: %s", error)
        return
    if left:
        _LOG.warning("ended with %s to write; they are written after the next start", left)


def _left(system: System) -> str:
    """What is still to be written, for people; "" for nothing."""
    if events := system.events.backlog(_GROUP):
        return f"{events} events in the ledger"
    spilled = system.spill.held() if system.settings.indexer.spill_limit_bytes else Held()
    where = system.settings.spill_dir
    return f"{spilled.documents} documents on this host's disk ({where})" if spilled.documents else ""
