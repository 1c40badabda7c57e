"""How each adapter is examined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from hysds.doctor.examination import Check
from hysds.lib import egress
from hysds.ports.bell import Bell
from hysds.ports.findings import Finding
from hysds.ports.journal import Journal
from hysds.settings import outward, urls, watchdogs
from hysds.settings.model import Settings
from hysds.wiring.terms import egress_policy, ledger_name, mailer

if TYPE_CHECKING:
    from hysds.adapters.ledger.server import Server
    from hysds.adapters.store.elasticsearch.names import Names
    from hysds.adapters.store.elasticsearch.server import Server as Cluster


_GREETING_S = 1.5
"""How long `doctor` waits for an answer of a mail server, and for a name."""


class Reached(Protocol):
    """How the servers are reached that are examined."""

    def redis(self, settings: Settings) -> Server: ...

    def cluster(self, settings: Settings) -> Cluster: ...

    def names(self, settings: Settings) -> Names: ...

    def bell(self, settings: Settings) -> Bell: ...

    def journal(self, settings: Settings) -> Journal: ...


def checks(reached: Reached, settings: Settings, queues: Callable[[], Iterable[str]]) -> Mapping[str, Check]:
    """By the part that each looks at; `queues`: those whose bells are counted."""
    return {
        "ledger": partial(_ledger_found, reached, settings),
        "broker": partial(_broker_found, reached, settings, queues),
        "store": partial(_store_found, reached, settings),
        "archive": partial(_archive_found, settings),
        "journal": partial(_journal_found, reached, settings),
        "spill": partial(_spill_found, settings),
        "metrics": partial(_metrics_found, settings),
        "sandbox": _sandbox_found,
        "notifier": partial(_notifier_found, settings),
    }


def _ledger_found(reached: Reached, settings: Settings) -> Iterable[Finding]:
    from hysds.adapters.ledger.health import LedgerHealth

    return LedgerHealth(reached.redis(settings), settings.ledger.prefix).check()


def _broker_found(
    reached: Reached, settings: Settings, queues: Callable[[], Iterable[str]]
) -> Iterable[Finding]:
    from hysds.adapters.bell import health

    return health.check(reached.bell(settings), queues(), urls.masked(settings.broker_url))


def _store_found(reached: Reached, settings: Settings) -> Iterable[Finding]:
    if settings.is_searched_by_elasticsearch:
        from hysds.adapters.store.elasticsearch import health as elastic_health

        return elastic_health.check(reached.cluster(settings), reached.names(settings))
    from hysds.adapters.store import sqlite_health

    return sqlite_health.check(settings.store_path)


def _sandbox_found() -> Iterable[Finding]:
    from hysds.adapters.engines import health

    return health.check()


def _journal_found(reached: Reached, settings: Settings) -> Iterable[Finding]:
    from hysds.adapters.ledger import journal_health
    from hysds.indexer import chronicler

    where = urls.masked(settings.ledger_url)
    return journal_health.check(reached.journal(settings), chronicler.GROUP, where)


def _spill_found(settings: Settings) -> Iterable[Finding]:
    from hysds.adapters.spill import health

    return health.check(settings.spill_dir, ledger_name(settings))


def _metrics_found(settings: Settings) -> Iterable[Finding]:
    from hysds.adapters.metrics import health

    return health.check(settings.metrics, settings.metric_targets)


def _archive_found(settings: Settings) -> Iterable[Finding]:
    """Whether ended jobs are kept elsewhere."""
    from hysds.adapters.archive import health

    of = settings.archive
    if of.directory is not None:
        return health.of_directory(of.directory)
    if of.url is None:
        return health.no_archive(settings.is_searched_by_elasticsearch)
    return health.of_url(of.url, urls.masked(of.url))


def _notifier_found(settings: Settings) -> Iterable[Finding]:
    """Whether mail and webhooks would work."""
    from hysds.adapters.notifier import health

    guard = egress.Guard(replace(egress_policy(settings), timeout_s=_GREETING_S))
    hooks = partial(watchdogs.webhooks, settings.watchdogs.webhooks_file)
    key = partial(outward.key, settings.notifier.webhook_key_file)
    return health.check(mailer(settings, _GREETING_S), guard, hooks, key)
