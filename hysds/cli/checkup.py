"""Which parts `hysds doctor` looks at, and what each is asked. The rules are `hysds.doctor`'s and the adapters' own."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from importlib import metadata

import hysds
from hysds.bootstrap import System
from hysds.cli import crashes, vitals
from hysds.core.errors import HysdsError, Internal, InvalidSettings, Unreachable
from hysds.doctor import alarms, ghosts, host, indices, roles, rules, stream, workers
from hysds.doctor.examination import Check, Part, examine
from hysds.doctor.workers import Floor
from hysds.embedded import standing
from hysds.embedded.errors import EmbeddedError, ForeignFiles
from hysds.embedded.home import Home
from hysds.lib.process import vitals as process_vitals
from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding, Severity
from hysds.settings import load
from hysds.settings.load import Loaded
from hysds.settings.sources import DEFAULT
from hysds.wiring.real import RealAdapters

WITHIN_S = 5.0
"""From the start of the command to its end, whatever hangs."""
_TO_TELL_S = 0.3
_ANSWER_S = 1.5
_INDEXER = "indexer"
_MOST_UNREADABLE = 1_000
_LIBRARIES = ("celery", "kombu", "redis")
_OUR_CHOICES = ("ledger.unbounded", "sandbox.bwrap")
"""No maxmemory: `hysds up` starts the server. No bubblewrap: no job needs it."""
_BY_THE_LEDGER = ("workers", "roles", "rules", "alarms", "leftovers")
"""What nobody can tell while the ledger is away."""


def look() -> list[Part]:
    """All parts of the system of this process's settings, and this host."""
    try:
        loaded = load.load()
    except InvalidSettings as wrong:
        return [_unusable(wrong), *examine({"versions": versions}, WITHIN_S)]
    system = hasty(loaded)
    left_s = WITHIN_S - _TO_TELL_S - process_vitals.age_s(os.getpid())
    parts = examine(_checks(loaded, system), max(left_s, 2 * _ANSWER_S))
    return _without_echoes(parts, () if loaded.settings.broker.url else ("broker",))


def hasty(loaded: Loaded) -> System:
    """The system, over connections that give up soon."""
    return System(loaded.settings, RealAdapters(loaded.handed_on(), _ANSWER_S))


def queue_names(system: System) -> list[str]:
    """The queues of this host's worker and, where the ledger answers, all that have work."""
    names = list(system.settings.worker.queues)
    with suppress(HysdsError):
        names += [state.queue for state in system.ledger.queues()]
    return list(dict.fromkeys(names))


def versions() -> Iterator[Finding]:
    """What runs here."""
    shown = [f"hysds {hysds.__version__}", f"python {platform.python_version()}"]
    shown += [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    yield findings.ok("versions.here", ", ".join(shown))


def _checks(loaded: Loaded, system: System) -> Mapping[str, Check]:
    settings = loaded.settings
    adapters = system.checks(partial(queue_names, system))
    places = {"work_dir": settings.work_dir, "home": settings.home}
    if not settings.is_searched_by_elasticsearch:
        places["store"] = settings.store_path.parent
    checks: dict[str, Check] = {"settings": partial(_settings, loaded), "versions": versions}
    if settings.ledger.url is None:
        checks["embedded"] = partial(_embedded, Home(settings.home), system)
        adapters = {name: partial(_eased, check) for name, check in adapters.items()}
    return {
        **checks,
        **adapters,
        "store": partial(_store, system, adapters["store"]),
        "workers": lambda: workers.check(_floor(system)),
        "roles": partial(_roles, system),
        "rules": partial(_rules, system),
        "alarms": partial(_alarms, system),
        "disk": partial(host.disks, places, settings.worker.disk_reserve_bytes),
        "limits": partial(host.limits, settings.worker.slots),
        "leftovers": partial(_leftovers, system),
    }


def _without_echoes(parts: list[Part], more: tuple[str, ...]) -> list[Part]:
    """Of what could not be looked at without the ledger, a note instead of the ledger's error once more.

    `more`: parts that stand on the ledger's server too.
    """
    if all(part.is_reachable for part in parts if part.name == "ledger"):
        return parts
    unseen = findings.note
    return [
        Part(part.name, (unseen(f"{part.name}.unseen", "not looked at: the ledger does not answer"),))
        if part.name in (*_BY_THE_LEDGER, *more)
        else part
        for part in parts
    ]


def _unusable(wrong: InvalidSettings) -> Part:
    mend = "mend it at its source; `hysds config show --origin` then shows all of them"
    texts = str(wrong).split("; ")
    return Part("settings", tuple(findings.error("settings.unusable", text, "", mend) for text in texts))


def _settings(loaded: Loaded) -> Iterator[Finding]:
    given = {name: origin for name, origin in loaded.origins.items() if origin != DEFAULT}
    file = f", file {loaded.file}" if loaded.file else ", no file"
    yield findings.ok(
        "settings.read", f"{len(given)} set, {len(loaded.origins) - len(given)} by default{file}"
    )
    for remark in loaded.notices:
        yield findings.note("settings.notice", remark.message, remark.source)


def _eased(check: Check) -> Iterator[Finding]:
    """For a system of our own: a note on what its operator neither set nor has to set is no note."""
    for one in check():
        is_ours = one.code in _OUR_CHOICES and one.severity is Severity.NOTE
        yield findings.ok(one.code, one.what, one.where) if is_ours else one


def _embedded(home: Home, system: System) -> Iterator[Finding]:
    """The system that `hysds up` keeps under the home."""
    where = str(home.path)
    try:
        state = standing.state(home)
    except ForeignFiles as foreign:
        yield findings.error("embedded.foreign", str(foreign), where, "set HYSDS_HOME")
        return
    except EmbeddedError as hangs:
        yield findings.error("embedded.hangs", str(hangs), where, "hysds down, then hysds up")
        return
    if state is None and (crashed := crashes.told(home)):
        yield findings.error("embedded.crashed", crashed, where, "hysds up")
        return
    if state is None:
        yield findings.note(
            "embedded.none",
            "no ledger is set, and no system runs here",
            where,
            "hysds up, or set HYSDS_LEDGER_URL",
        )
        return
    yield findings.ok("embedded.runs", f"{len(state.processes)} processes, {state.phase}", where)
    for process in state.processes:
        if process.pid is None:
            how = process.last_end.how if process.last_end else "it never ran"
            yield findings.error(
                "embedded.missing",
                f"{process.name} does not run: {how}",
                process.log,
                "see the end of its log",
            )
        elif process.restarts:
            how = process.last_end.how if process.last_end else "ended"
            yield findings.note(
                "embedded.restarted",
                f"{process.name} was started again {counted(process.restarts, 'time')}; last: {how}",
                process.log,
            )
    told = None
    if not vitals.is_server_stopped(state):  # then it hears nobody, and would only be waited for
        with suppress(HysdsError):
            told = vitals.heard(system)
    for one in vitals.troubles(state, told, system.settings):
        yield findings.error(
            "embedded.hangs",
            f"{one.name}: process {one.pid} {one.what}",
            str(home.log_of(one.name)),
            one.mend,
        )


def _store(system: System, look: Check) -> Iterator[Finding]:
    """What the adapter finds, and what the documents tell where they can be read; it makes no store."""
    found = list(look())
    yield from found
    is_sound = all(one.severity < Severity.ERROR for one in found)
    settings = system.settings
    if is_sound and (settings.is_searched_by_elasticsearch or settings.store_path.exists()):
        yield from ghosts.check(system.store, time.time_ns() // 1_000_000)
    if is_sound and system.indices is not None:
        with suppress(Unreachable):  # of the ledger its own part tells
            known, bound = system.ledger.generations(), settings.store.rollover_size_bytes
            yield from indices.check(known, system.indices.all(), bound)


def _roles(system: System) -> Iterator[Finding]:
    """Reconcilers and indexers, and the stream between them and the ledger."""
    events = system.events
    yield from roles.check(system.roster.signatures(), events.backlog(_INDEXER))
    yield from stream.check(events.unreadable(_MOST_UNREADABLE))


def _rules(system: System) -> Iterable[Finding]:
    """Whether somebody carries out what is published."""
    try:
        known = system.rules.latest()
    except Internal as error:
        return [findings.error("rules.unreadable", str(error), "rules", "use the HySDS that published them")]
    enabled = sum(one.enabled for one in known.rules.values())
    return rules.check(enabled, system.behind_of_rules(), system.roster.signatures())


def _floor(system: System) -> Floor:
    ledger, tasks = system.ledger, system.settings.tasks.queues
    return Floor(
        ledger.workers(), ledger.queues(), ledger.drains(), ledger.now_ms(), hysds.__version__, tasks
    )


def _alarms(system: System) -> Iterable[Finding]:
    """What the watchdogs of reconcilers see."""
    _ = system.ledger  # it checks the server that both share
    now_ms, known = system.alarms.all()
    return alarms.check(known, now_ms)


def _leftovers(system: System) -> Iterable[Finding]:
    """What dead workers left on this host."""
    dead, unjudged = system.orphans().dead(), system.orphans().unjudged()
    if not dead and not unjudged:
        yield findings.ok("leftovers.none", "no dead worker left anything here")
    for incarnation, attempts in dead:
        yield findings.warning(
            "leftovers.worker",
            f"it died and left {counted(attempts, 'attempt')}, with their processes and directories",
            incarnation,
            "start a worker here, which looks after it, or: hysds doctor --repair",
        )
    for path, why in unjudged:
        yield findings.warning(
            "leftovers.unjudged",
            f"nothing follows from this folder: {why.value}",
            str(path),
            "look whether anything of that worker lives; if not, remove the folder",
        )
