"""`hysds indexer`: the role that makes jobs, workers and events searchable.

Asked to end, it writes what is in the streams first, so that a system which is stopped in order leaves no document
behind. Each reader works in a thread of its own: its wait for the next event must not delay the end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import click

from hysds.bootstrap import System
from hysds.cli import roles
from hysds.cli.exits import Exit
from hysds.core.errors import Unreachable
from hysds.indexer import chronicler
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
_LAST_WORDS_S = 2.0
"""How long what was heard of Celery may take to be told."""
_DEAF_S = 5.0
_LAST_ROUND_S = 5.0
LONGEST_END_S = _DRAIN_S + _LAST_ROUND_S
"""From the first signal to the end, while the ledger answers."""
_LOG = logging.getLogger(__name__)


@click.command("indexer", short_help="Start the role that makes jobs searchable.")
def command() -> int:
    """Start the indexer: it writes what happens to jobs and workers into the store, where `hysds jobs` and
    `hysds events` search, and listens to Celery's own events. Any number may run and share the work; a system needs
    one. What happens to jobs while none runs is written later.

    It logs to stderr and runs until SIGTERM or Ctrl-C: what has happened is still written, for 30 s at most; a second
    one ends it at once.

    \b
        hysds indexer
    """
    roles.log_to_stderr()
    system = System.read()
    roles.log_start("indexer", system.settings)
    quits, listens_no_more = threading.Event(), threading.Event()
    indexer = system.indexer()
    works = [
        _thread("indexer", indexer.run, quits),
        _thread("chronicler", system.chronicler().run, quits),
    ]
    _ = system.journal  # made before threads ask for it
    listens = _thread("overheard", partial(_listen, system), listens_no_more)
    try:
        with roles.until_told() as stop:
            for thread in (*works, listens):
                thread.start()
            system.expose(Role.INDEXER)
            roles.tell_ready()
            if not _await(stop, works):
                return Exit.FAILED  # its thread has said why
            listens_no_more.set()
            _drain(system, indexer, listens)
            quits.set()
            # Lets go of the wait for events; what was given and has not been acknowledged comes again.
            system.ledger.close()
            _join(works)
    finally:
        system.close()
    return Exit.COMPLETED


def _thread(name: str, run: Callable[[threading.Event], None], quits: threading.Event) -> threading.Thread:
    return threading.Thread(target=run, args=(quits,), name=name, daemon=True)


def _listen(system: System, stop: threading.Event) -> None:
    """What hears Celery's events is made in its own thread: Celery is slow to load. Whatever it comes across, jobs are
    written."""
    while not stop.is_set():
        try:
            overheard = system.overheard()
            if overheard is not None:
                overheard.listen(system.journal.tell, stop)
        except Exception:  # noqa: BLE001  the outer shell of a thread
            _LOG.exception("Celery's events are not heard for %d s", _DEAF_S)
            stop.wait(_DEAF_S)
        else:
            return


def _await(stop: threading.Event, works: Sequence[threading.Thread]) -> bool:
    """Until told to stop; False if one of them ended by itself, which it never should."""
    while all(thread.is_alive() for thread in works):
        if stop.wait(_ALIVE_EVERY_S):
            return True
    return False


def _join(works: Sequence[threading.Thread]) -> None:
    until = time.monotonic() + _LAST_ROUND_S
    for thread in works:
        thread.join(max(until - time.monotonic(), 0))


def _drain(system: System, indexer: Indexer, listens: threading.Thread) -> None:
    """Until all that has happened and all that waits on this host's disk has its document, or that takes too long."""
    begun_s = time.monotonic()
    try:
        while left := _left(system, listens.is_alive() and time.monotonic() - begun_s < _LAST_WORDS_S):
            if time.monotonic() - begun_s >= (_AWAY_S if indexer.is_away else _DRAIN_S):
                break
            time.sleep(_LOOK_EVERY_S)
    except Unreachable as error:
        _LOG.warning("ended before all was written: %s", error)
        return
    if left:
        _LOG.warning("ended with %s to write; they are written after the next start", left)


def _left(system: System, still_listens: bool) -> str:
    """What is still to be written, for people; "" for nothing."""
    if still_listens:
        return "what Celery said last"
    if events := system.events.backlog(_GROUP) + system.journal.backlog(chronicler.GROUP):
        return f"{events} events in the ledger"
    spilled = system.spill.held() if system.settings.indexer.spill_limit_bytes else Held()
    where = system.settings.spill_dir
    return f"{spilled.documents} documents on this host's disk ({where})" if spilled.documents else ""
