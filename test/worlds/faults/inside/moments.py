"""Which moments of a job's way a process can be killed at, and how a process knows that it has come to one.

A moment is the call or the return of one function of the package. The function is wrapped when its module is loaded,
before anybody can hold it; the wrapper looks whether its moment is armed (one attempt to open a file, about 4 µs), and
if so, and if the call is about the armed job, strikes. Nothing else of the process is touched or slowed down.

Standard library only, and little of it: this also runs in the guardian's bare interpreter, which each keeper copies.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from types import ModuleType
from typing import Any, NamedTuple

from worlds.faults.inside import strike

_ENDED = ("job-completed", "job-failed", "job-revoked")


class When(Enum):
    """Of a call: before it, or after it has returned and before its caller knows."""

    BEFORE = "before"
    AFTER = "after"


def _all_of_it(arguments: Sequence[Any], result: Any) -> str:
    return repr((arguments, result))


def _cwd_of_keeper(arguments: Sequence[Any], result: Any) -> str:
    return str(arguments[0]._order.cwd)


def _cwd_if_its_command_ended(arguments: Sequence[Any], result: Any) -> str:
    keeper = arguments[0]
    is_zombie = keeper._pid and strike.state(keeper._pid) == "Z"
    return str(keeper._order.cwd) if is_zombie else ""


def _won(arguments: Sequence[Any], result: Any) -> str:
    return "" if result.lease is None else str(result.lease.record.id)


def _committed(arguments: Sequence[Any], result: Any) -> str:
    return str(arguments[1].id)


def _ended_in_events(arguments: Sequence[Any], result: Any) -> str:
    return " ".join(entry.event.id for entry in result if entry.event.status in _ENDED)


def _ended_in_documents(arguments: Sequence[Any], result: Any) -> str:
    return " ".join(document["id"] for document in arguments[1] if document["status"] in _ENDED)


def _cancelled(arguments: Sequence[Any], result: Any) -> str:
    return str(arguments[0].id) if arguments[1].name == "CANCEL" else ""


class Moment(NamedTuple):
    """`about`: names the jobs that a call is about, from its arguments and its result; None: whatever comes first."""

    module: str
    function: str
    when: When
    about: Callable[[Sequence[Any], Any], str] | None = _all_of_it


_REDIS = "hysds.adapters.ledger.redis"
_KEEPER = "guard.keeper"

MOMENTS = {
    "bell heard": Moment("hysds.bootsteps.gate", "Gate._heard", When.BEFORE, None),
    "claim sent": Moment(_REDIS, "RedisLedger.claim", When.BEFORE, None),
    "claim answered": Moment(_REDIS, "RedisLedger.claim", When.AFTER, _won),
    "directory made": Moment("hysds.leasing.workdir", "create", When.AFTER),
    "files written": Moment("hysds.job_worker.files", "write_before", When.AFTER),
    "spawn asked": Moment("hysds.lib.process.guardian", "Guardian._request", When.AFTER),
    "keeper forked": Moment(_KEEPER, "Keeper.start", When.BEFORE, _cwd_of_keeper),
    "command spawned": Moment(_KEEPER, "Keeper.start", When.AFTER, _cwd_of_keeper),
    "output flows": Moment("hysds.adapters.ledger.logs_redis", "RedisLogs.append", When.AFTER),
    "renewal sent": Moment(_REDIS, "RedisLedger.renew", When.AFTER),
    "command ended": Moment(_KEEPER, "Keeper._reap", When.BEFORE, _cwd_if_its_command_ended),
    "processes gone": Moment(_KEEPER, "Keeper._sweep", When.AFTER, _cwd_of_keeper),
    "findings read": Moment("hysds.job_worker.findings", "collect", When.AFTER),
    "commit sent": Moment(_REDIS, "RedisLedger.commit", When.BEFORE, _committed),
    "commit applied": Moment(_REDIS, "RedisLedger.commit", When.AFTER, _committed),
    # Also what is adopted: the server may have handed an event to an indexer that had just been killed.
    "event read": Moment("hysds.indexer.indexer", "Indexer._taken", When.AFTER, _ended_in_events),
    "document written": Moment(
        "hysds.adapters.store.sqlite", "SqliteStore.write", When.AFTER, _ended_in_documents
    ),
    "confirmed": Moment(_REDIS, "RedisLedger.confirm", When.AFTER),
    "forgotten": Moment(_REDIS, "RedisLedger.forget", When.AFTER),
    "woken": Moment(_REDIS, "RedisLedger.wake", When.AFTER),
    "cancel heard": Moment("hysds.leasing.attempt", "Attempt.stop", When.BEFORE, _cancelled),
    "release sent": Moment(_REDIS, "RedisLedger.release", When.BEFORE),
    "release applied": Moment(_REDIS, "RedisLedger.release", When.AFTER),
}


def install(directory: str) -> None:
    """From now on each module that is loaded gets its fault points. `directory`: where they are armed."""
    sys.meta_path.insert(0, _Finder(strike.Arms(directory)))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds what the others find, and has a say after it was executed."""

    def __init__(self, arms: strike.Arms) -> None:
        self._arms = arms
        self._modules = {moment.module for moment in MOMENTS.values()}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._modules:
            return None
        self._modules.discard(name)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._arms)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any, arms: strike.Arms) -> None:
        self._loader = loader
        self._arms = arms

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for name, moment in MOMENTS.items():
            if moment.module == module.__name__:
                _set(module, name, moment, self._arms)


def _set(module: ModuleType, name: str, moment: Moment, arms: strike.Arms) -> None:
    """Wrap the function where it is kept. One that is not there any more is never struck, which fails its cells."""
    *path, last = moment.function.split(".")
    holder: Any = module
    for part in path:
        holder = getattr(holder, part, None)
    function = getattr(holder, last, None)
    if function is not None:
        setattr(holder, last, _wrapped(function, name, moment, arms))


def _wrapped(
    function: Callable[..., Any], name: str, moment: Moment, arms: strike.Arms
) -> Callable[..., Any]:
    @functools.wraps(function)
    def before(*arguments: Any, **named: Any) -> Any:
        arms.reached(name, lambda: moment.about and moment.about((*arguments, *named.values()), None))
        return function(*arguments, **named)

    @functools.wraps(function)
    def after(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        arms.reached(name, lambda: moment.about and moment.about((*arguments, *named.values()), result))
        return result

    return before if moment.when is When.BEFORE else after
