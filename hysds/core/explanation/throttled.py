"""Why a job waits that is over a limit or a rate: who holds the places, or when the next token comes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from hysds.core.explanation.queueing import ends, overdue
from hysds.core.explanation.values import Coming, Reason, Terms, Why, span
from hysds.core.limit_keys import LimitState, RateState
from hysds.core.record import Record
from hysds.core.throttle_values import LIMIT, RATE
from hysds.core.throttle_values import terms as terms_of

_SHOWN = 5
_KINDS = {"queue": "queue", "type": "job type", "user": "user", "key": "concurrency_key", "array": "array"}
_SETTINGS = {"queue": "queues", "type": "types", "user": "users", "key": "keys"}


def key_of(record: Record) -> str:
    """The key of the limit or rate that keeps the job: the rest of its reason."""
    return key_of_name(record.reason)


def keys(record: Record) -> tuple[str, ...]:
    """All keys under which the job is limited, each once."""
    return tuple(dict.fromkeys(key_of_name(name) for name, _ in terms_of(record)))


def kept_now(record: Record, states: Sequence[LimitState]) -> str:
    """The limit or rate that keeps it now, as a reason: its line may have moved on since it began to wait there.

    `states`: of all its keys.
    """
    by_key = {one.key: one for one in states}
    for name, said in terms_of(record):
        state = by_key.get(key_of_name(name))
        if state is None:
            continue
        if said.is_rate and state.rate is not None and state.rate.tokens < 1:
            return name
        if not said.is_rate and 0 < state.places <= state.used:
            return name
    return record.reason


def key_of_name(name: str) -> str:
    return name.removeprefix(LIMIT).removeprefix(RATE)


def named(key: str) -> str:
    """A limit's key for people: `queue:gpu/user:ann` is `user ann in queue gpu`."""
    queue, slash, share = key.partition("/") if key.startswith("queue:") else (key, "", "")
    return f"{_one(share)} in {_one(queue)}" if slash else _one(key)


def waiting(record: Record, state: LimitState | None, terms: Terms) -> Why:
    """Of a job that stands in a line. `state` of None: what stands under its key is not known."""
    late = overdue(record, terms)
    if late is not None:
        return late
    key = key_of(record)
    if record.reason.startswith(RATE):
        return _rate(record, key, state.rate if state is not None else None, terms)
    return _limit(record, key, state)


def _limit(record: Record, key: str, state: LimitState | None) -> Why:
    held = state.holders if state is not None else ()
    line = f"; {_jobs(state.waiting)} in line" if state is not None and state.waiting > 1 else ""
    ready = () if state is None or state.used >= state.places else (_ready(key),)
    return Why(
        Reason.LIMIT,
        f"it is over the limit of {named(key)}: {_taken(state)}{line}",
        (*ready, *(f"hysds explain {one}" for one in held[:1]), *_more(key, "max_running")),
        (Coming("the first in line starts in the step in which one of them ends"), *ends(record)),
    )


def _taken(state: LimitState | None) -> str:
    """Who has the places. One that is free has a ready job before it that is to take it."""
    if state is None or not state.places:
        return "its places are taken"
    more = f" and {state.used - _SHOWN} more" if state.used > _SHOWN else ""
    by = f" by {', '.join(state.holders[:_SHOWN])}{more}" if state.holders else ""
    if state.used >= state.places:
        return f"{'the one place is' if state.places == 1 else f'all {state.places} places are'} taken{by}"
    if not state.used:
        free = "the one place is" if state.places == 1 else f"all {state.places} places are"
        return f"{free} meant for jobs that come first and are ready to start"
    rest = "the rest meant for jobs that come first and are ready to start"
    return f"of {state.places} places {state.used} taken{by}, {rest}"


def _ready(key: str) -> str:
    """How to find those that could start and do not."""
    kind, _, name = key.partition(":")
    option = {"queue": "--queue", "type": "--type", "user": "--user", "array": "--parent"}.get(kind)
    about = f" {option} {shlex.quote(name.partition('/')[0] if kind == 'queue' else name)}" if option else ""
    return f"see why those that are ready do not start: hysds jobs --status queued{about}"


def _rate(record: Record, key: str, state: RateState | None, terms: Terms) -> Why:
    coming: tuple[Coming, ...] = ()
    said = ""
    if state is not None:
        said = f": one starts each {span(state.interval_us // 1000)}"
        said += f"; {_jobs(state.waiting)} in line" if state.waiting > 1 else ""
        coming = (Coming("the next job of them may start", terms.now_ms + state.next_ms),)
    sentence = f"it is over the rate of {named(key)}{said}"
    return Why(Reason.RATE, sentence, _more(key, "rate"), (*coming, *ends(record)))


def _more(key: str, what: str) -> tuple[str, ...]:
    """Where somebody may raise it; an array's number stands in its spec."""
    kind, _, name = key.partition(":")
    if kind not in _SETTINGS:
        return ()
    queue, slash, share = name.partition("/")
    within = f"_per_{share.partition(':')[0]}" if kind == "queue" and slash else ""
    table = f"{_SETTINGS[kind]}.{queue if within else name}"
    of_type = ", or in the type's file" if kind == "type" else ""
    return (f"to have more at once: {what}{within} of {table} in the settings of whoever submits{of_type}",)


def _jobs(count: int) -> str:
    return f"{count} jobs wait"


def _one(key: str) -> str:
    kind, _, name = key.partition(":")
    return f"{_KINDS[kind]} {name}" if kind in _KINDS else key
