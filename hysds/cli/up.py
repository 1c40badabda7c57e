"""`hysds up`: a system that stands on this machine, until it is told to end."""

from __future__ import annotations

from contextlib import suppress

import click

from hysds.cli import checkup, crashes, interrupts, own_roles, unheard, words, work_dir
from hysds.cli.exits import Exit
from hysds.core import moments
from hysds.core.errors import HysdsError, InvalidSettings
from hysds.embedded import standing
from hysds.embedded.errors import EmbeddedError, HomeInUse
from hysds.embedded.events import Ended
from hysds.embedded.home import Home
from hysds.embedded.standing import State
from hysds.embedded.system import EmbeddedSystem
from hysds.settings import load, urls
from hysds.settings.load import Loaded
from hysds.settings.metrics import Role
from hysds.settings.model import Settings

_LEDGER_READS_S = 900.0
"""How long the server may read its files at the start."""
_ROLES_S = 120.0
_SLACK_S = 10.0


@click.command("up", short_help="Start a system on this machine.")
@click.option(
    "--detach", is_flag=True, help="Return when all of it is ready; it goes on until `hysds down` ends it."
)
@click.option(
    "--queues", metavar="NAMES", help="Run jobs of these queues (commas between). Default: worker.queues."
)
@click.option("--slots", type=int, help="Run so many one-slot jobs at a time. Default: worker.slots.")
def command(detach: bool, queues: str | None, slots: int | None) -> int:
    """Start a system under HYSDS_HOME (default ~/.hysds), for this user alone: a Valkey server on a unix socket, a
    worker, an indexer and a reconciler. While it runs, every command with the same HYSDS_HOME uses it, without any
    other setting.

    A process of it that ends is started again. What was accepted is on disk, so after a crash, also of the machine,
    the next `hysds up` goes on with it. `hysds status` shows what runs; logs lie under HYSDS_HOME/log.

    Without --detach it ends at Ctrl-C or SIGTERM: running jobs may end within worker.drain_timeout, and are given back
    after it, for the next start; a second Ctrl-C gives them back at once. If a part does not come up, its last words
    are shown, and nothing is left running. Where a system runs already, that is said, and the exit code is 2.

    \b
        hysds up
        hysds up --detach --queues default,gpu --slots 4
    """
    loaded = load.load({"worker.queues": queues, "worker.slots": slots})
    for notice in loaded.notices:
        click.echo(f"note: {notice}", err=True)
    _refuse_other_ledger(loaded)
    if (found := _running(Home(loaded.settings.home))) is not None:
        click.echo(f"hysds: {_runs_already(loaded, found)}", err=True)
        return Exit.REFUSED
    work_dir.check(loaded)
    if crashed := crashes.told(Home(loaded.settings.home), "goes on now"):
        click.echo(f"note: {crashed}", err=True)
    company = own_roles.company(loaded, worker_grace_s(loaded.settings), stands=True)
    system = EmbeddedSystem(loaded.settings, company)
    with interrupts.by_signals():
        return _up(system, loaded, detach)


def worker_grace_s(settings: Settings) -> float:
    """How long the worker may take to drain before it is told to end at once."""
    return settings.worker.drain_timeout_s + settings.worker.stop_grace_s + _SLACK_S


def _up(system: EmbeddedSystem, loaded: Loaded, detach: bool) -> int:
    try:
        _start(system, detach)
        _show(system, loaded, detach)
        if not detach:
            system.attend(_tell)
            click.echo("ended, as it was told to")
    except KeyboardInterrupt:
        code = _end(system, loaded)
        return Exit.INTERRUPTED if detach else code
    finally:
        system.stop()
    return Exit.COMPLETED


def _start(system: EmbeddedSystem, detach: bool) -> None:
    """Raises: EmbeddedError; nothing is left running then."""
    try:
        own_roles.start(system, _LEDGER_READS_S)
        system.await_roles(_ROLES_S)
        system.stand(detach)
    except HomeInUse:
        raise
    except EmbeddedError as error:
        system.stop()
        error.add_note("nothing is left running")
        raise


def _end(system: EmbeddedSystem, loaded: Loaded) -> int:
    """Ctrl-C is how a system in the foreground is meant to end."""
    if not system.pids:
        if standing.state(system.home) is not None:
            _say(f"a system runs under {system.home.path} all the same, detached; `hysds down` ends it")
        return Exit.INTERRUPTED
    drain = words.seconds(loaded.settings.worker.drain_timeout_s)
    _say(f"ending: running jobs may go on for {drain}; Ctrl-C once more gives them back at once")
    try:
        ended = system.stop()
    except KeyboardInterrupt:
        _say("ended in a hurry: running jobs were given back, and go on at the next start")
        return Exit.INTERRUPTED
    for end in ended:
        _say(end.sentence)
    return Exit.COMPLETED


def _refuse_other_ledger(loaded: Loaded) -> None:
    if loaded.settings.ledger.url is not None:
        raise InvalidSettings(
            loaded.origins["ledger.url"],
            "a ledger elsewhere is set, and `hysds up` brings its own: unset ledger.url; or, for that ledger, start "
            "`hysds worker job`, `hysds indexer` and `hysds reconciler`",
        )


def _running(home: Home) -> State | None:
    """What runs there already; one that is ending is waited for."""
    found = standing.state(home)
    if found is not None and found.phase == standing.STOPPING:
        click.echo(f"the system before it under {home.path} is ending: waiting for that", err=True)
        found = standing.settled(home)
    return found


def _runs_already(loaded: Loaded, found: State) -> str:
    since = moments.iso(round(found.since_s * 1000))
    what = "a system" if found.is_standing else "a system of `hysds run`, which ends with its job,"
    return (
        f"{what} runs under {loaded.settings.home} already: process {found.pid}, since {since}; "
        "see `hysds status`" + ("; `hysds down` ends it" if found.is_standing else "")
    )


def _show(system: EmbeddedSystem, loaded: Loaded, detach: bool) -> None:
    settings = loaded.settings
    found = standing.state(system.home)
    pid = f" (process {found.pid})" if found else ""
    how = "`hysds down` ends it" if detach else "Ctrl-C or `hysds down` ends it"
    worker = settings.worker
    lines = [
        f"a system runs under {settings.home}{pid}; {how}",
        f"  ledger  {urls.masked(settings.ledger_url)}",
        *([f"  broker  {urls.masked(settings.broker_url)}"] if settings.broker.url else []),
        f"  store   {settings.store_shown}",
        f"  worker  queues {', '.join(worker.queues)}; slots {worker.slots}; files below {settings.work_dir}",
        *([f"  metrics {told}"] if (told := _metrics(settings)) else []),
        f"  logs    {system.home.log}",
    ]
    for line in lines:
        _say(line)
    if lacking := _lacking(loaded):
        _say(f"  note: {lacking}")


def _metrics(settings: Settings) -> str:
    """Where the roles tell their metrics; "": nowhere."""
    of = settings.metrics
    if of.port is None:
        return ""
    if of.port == 0:
        return f"at the addresses in {settings.metric_targets}"
    roles = (Role.RECONCILER, Role.INDEXER, Role.JOB_WORKER)
    return f"{of.bind}, " + ", ".join(f"{role.word} port {of.port_of(role)}" for role in roles)


def _lacking(loaded: Loaded) -> str:
    """Queues with work that nobody does; "" too where the ledger does not answer just now."""
    there, settings = checkup.hasty(loaded), loaded.settings
    try:
        queues, workers = there.ledger.queues(), there.ledger.workers()
        return unheard.told(queues, workers, settings.worker.queues, settings.tasks.queues)
    except HysdsError:
        return ""
    finally:
        there.close()


def _tell(end: Ended) -> None:
    again = "" if end.again_s is None else f"; it is started again in {words.seconds(end.again_s)}"
    _say(f"{end.sentence}{again}")


def _say(text: str) -> None:
    """Whoever read it may have left: the system goes on."""
    with suppress(OSError):
        click.echo(text)
