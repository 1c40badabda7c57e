"""What may be wrong with the ledger's server: its version, what it deletes, what it keeps over a crash, memory, clock.

Nothing is changed, and all is read with few commands: a managed server may refuse CONFIG.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.core.errors import HysdsError, InvalidSettings
from hysds.core.status import Status
from hysds.lib import clocks, units
from hysds.ports import findings
from hysds.ports.findings import Finding

_TIGHT, _FULL = 0.8, 0.95
"""Parts of maxmemory."""
_SLOW_MS = 20.0
_ASKED = 5
_MOST_LEASES = 1_000
Info = Mapping[str, str]


class LedgerHealth:
    """Examines one server and the ledger behind `prefix`. `wall_ms` is this host's wall clock."""

    def __init__(self, server: Server, prefix: str, wall_ms: Callable[[], int] = clocks.wall_ms) -> None:
        self._server = server
        self._base = base(prefix)
        self._wall_ms = wall_ms

    def check(self) -> list[Finding]:
        """All that was found.

        Raises: Unreachable
        """
        info = told(str(self._server.send("INFO")))
        where = self._server.where
        return [
            *self._fitness(info),
            *persistence(info, self._setting("appendfsync"), where),
            *memory(info, where),
            *replicas(info, self._setting("min-replicas-to-write"), where),
            self._latency(),
            self._clock(),
            self._leases(),
        ]

    def _fitness(self, info: Info) -> Iterator[Finding]:
        name = info.get("server_name", "redis")
        version = info.get(f"{name}_version", info.get("redis_version", "?"))
        try:
            self._server.check()
        except InvalidSettings as refusal:
            policy = info.get("maxmemory_policy", "noeviction")
            evicts = policy != "noeviction"
            mend = "set maxmemory-policy to noeviction" if evicts else f"take a newer {name}"
            yield findings.error(
                "ledger.evicts" if evicts else "ledger.version", refusal.args[1], self._server.where, mend
            )
        else:
            yield findings.ok("ledger.reachable", f"{name} {version} answers", self._server.where)

    def _latency(self) -> Finding:
        took_ms = []
        for _ in range(_ASKED):
            began_s = time.perf_counter()
            self._server.send("PING")
            took_ms.append((time.perf_counter() - began_s) * 1000)
        middle_ms = sorted(took_ms)[_ASKED // 2]
        if middle_ms <= _SLOW_MS:
            return findings.ok("ledger.latency", f"answers within {middle_ms:.1f} ms")
        return findings.warning(
            "ledger.slow",
            f"takes {middle_ms:.0f} ms to answer: each step of a job takes as long",
            self._server.where,
            "put it nearer to the workers, or look what keeps it busy (SLOWLOG GET)",
        )

    def _clock(self) -> Finding:
        def theirs_ms() -> int:
            seconds, micros = self._server.send("TIME")
            return int(seconds) * 1000 + int(micros) // 1000

        return clock(clocks.ahead_ms(theirs_ms, self._wall_ms), "ledger", "this host")

    def _leases(self) -> Finding:
        """Whether the jobs under a lease are started ones: the audit's work, looked at without mending."""
        first = self._strays()
        # A job that ended between two questions looks the same; it does not the second time.
        strays = sorted(first & self._strays()) if first else []
        if not strays:
            return findings.ok("ledger.leases", "leases and records agree")
        return findings.warning(
            "ledger.leases",
            f"{len(strays)} leases are of jobs that are not started, such as {strays[0]}",
            self._server.where,
            "hysds doctor --repair (a reconciler mends it by itself, in time)",
        )

    def _strays(self) -> set[str]:
        ids = self._server.send("ZRANGE", f"{self._base}lease", 0, _MOST_LEASES - 1)
        statuses = self._server.send_all([("HGET", f"{self._base}job:{id_}", "status") for id_ in ids])
        return {id_ for id_, status in zip(ids, statuses, strict=True) if status != Status.STARTED.value}

    def _setting(self, name: str) -> str | None:
        """None where the server does not tell."""
        try:
            reply = self._server.send("CONFIG", "GET", name)
        except HysdsError:
            return None
        return str(reply[1]) if reply else None


def clock(ahead_ms: int, part: str, host: str) -> Finding:
    """Whether the clock of a host agrees with the ledger's."""
    if abs(ahead_ms) <= clocks.MAY_DIFFER_MS:
        return findings.ok(
            f"{part}.clock", f"the clock of {host} agrees with the ledger's ({ahead_ms:+d} ms)"
        )
    return findings.warning(
        f"{part}.clock",
        f"the clock of {host} is {clocks.told(ahead_ms)} the ledger's: times in documents contradict each other",
        host,
        "set the clocks of all hosts by NTP (chrony, systemd-timesyncd)",
    )


def told(text: str) -> Info:
    """What INFO says, by field."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line and line[0] != "#")


def persistence(info: Info, fsync: str | None, where: str) -> Iterator[Finding]:
    """What survives a crash. `fsync`: None where it can't be read."""
    if info.get("loading") == "1":
        yield findings.error("ledger.loading", "it is still reading its files", where, "wait")
    if info.get("aof_enabled") != "1":
        yield findings.warning(
            "ledger.forgets",
            "it keeps no append-only file: when it ends, accepted jobs are lost (all since the last snapshot)",
            where,
            "set `appendonly yes`, and `appendfsync always` or `everysec`, in its configuration",
        )
        return
    if info.get("aof_last_write_status", "ok") != "ok":
        yield findings.error(
            "ledger.disk", "it can't write its append-only file", where, "look at its disk and its log"
        )
    yield _promise(fsync, where)


def _promise(fsync: str | None, where: str) -> Finding:
    if fsync == "always":
        return findings.ok("ledger.durable", "appendfsync always: what was accepted survives a power loss")
    if fsync == "everysec":
        return findings.note(
            "ledger.durable",
            "appendfsync everysec: survives crashes; a power loss may undo the last 2 s",
            where,
        )
    if fsync is None:
        return findings.note("ledger.durable", "it does not tell its appendfsync: ask whoever runs it", where)
    return findings.warning(
        "ledger.fsync",
        f"appendfsync {fsync}: a power loss may undo what the system had not written, half a minute commonly",
        where,
        "set appendfsync to everysec or always",
    )


def memory(info: Info, where: str) -> Iterator[Finding]:
    """How near it is to its bound."""
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most == 0:
        yield findings.note(
            "ledger.unbounded",
            f"{units.format_size(used)} used, no maxmemory: a full host ends the server instead of refusing jobs",
            where,
            "set maxmemory below what the host has free",
        )
        return
    text = f"{units.format_size(used)} of {units.format_size(most)} used"
    mend = "let jobs end, raise maxmemory, or lower ledger.record_retention and logs.memory"
    if used >= _FULL * most:
        yield findings.error("ledger.full", f"{text}: nothing more is accepted soon, or now", where, mend)
    elif used >= _TIGHT * most:
        yield findings.warning("ledger.full", text, where, mend)
    else:
        yield findings.ok("ledger.memory", text)


def replicas(info: Info, least: str | None, where: str) -> Iterator[Finding]:
    """What a failover may undo. `least`: min-replicas-to-write, None where it can't be read."""
    if info.get("role") == "slave":
        yield findings.error(
            "ledger.replica",
            "it is a replica, which takes no writes",
            where,
            "name the primary in ledger.url",
        )
    count = int(info.get("connected_slaves", 0))
    if count and least in ("0", None):
        yield findings.note(
            "ledger.failover",
            f"{count} replicas, and min-replicas-to-write is {least or 'not told'}: a failover may undo what was not "
            "replicated, and jobs of that time may run again",
            where,
            "set min-replicas-to-write to 1 to refuse instead",
        )
    elif count:
        yield findings.ok("ledger.replicas", f"{count} replicas, at least {least} for each write")
