"""Why a queued job was not taken yet, and why a waiting one is not ready yet."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from hysds.core import moments
from hysds.core.explanation.takers import SIZES, Lack, Need, Taker, taker
from hysds.core.explanation.values import Coming, Reason, Terms, Why, entries, text
from hysds.core.floor_requests import WorkerState
from hysds.core.queue_tallies import Pause
from hysds.core.record import Record
from hysds.core.requests import Place
from hysds.core.shapes import decode

_SHOWN = 3
OVERDUE_MS = 5_000
"""A reconciler acts each second or two: what is later than this is not just about to happen."""

_ORDER = ("now", "later", "no")
_AWAY = (Lack.SILENT, Lack.DRAINING, Lack.SHUT, Lack.WORK_DIR)


def takers(need: Need, workers: Sequence[WorkerState]) -> tuple[Taker, ...]:
    """All workers, those that could take the job first, those that hear other queues last."""
    found = [taker(need, worker) for worker in workers]
    found.sort(key=lambda one: (one.lacks(Lack.QUEUE), _ORDER.index(one.takes), one.name, one.incarnation))
    return tuple(found)


def queued(record: Record, place: Place | None, all_takers: Sequence[Taker], terms: Terms) -> Why:
    """Of a job that is ready to be taken."""
    coming = ends(record)
    late = overdue(record, terms)
    if late is not None:
        return late
    if place is not None and place.pause is not None:
        return _paused(record, place.pause, terms, coming)
    why = _taken(record, place, all_takers, terms) or _untaken(record, all_takers)
    return Why(why.reason, why.sentence, why.advice, (*why.coming, *coming))


def _paused(record: Record, pause: Pause, terms: Terms, coming: tuple[Coming, ...]) -> Why:
    why = f" ({pause.reason})" if pause.reason else ""
    sentence = (
        f"queue {record.queue} has been paused for {terms.ago(pause.since_ms)}{why}: nothing of it is started until "
        "somebody resumes it"
    )
    advice = (f"hysds queues resume {shlex.quote(record.queue)}",)
    return Why(Reason.QUEUE_PAUSED, sentence, advice, coming)


def obstacle(need: Need, all_takers: Sequence[Taker]) -> Why | None:
    """Why nobody takes such a job as things are, however long it waits; None where somebody does, if only later."""
    is_taken = any(one.takes != "no" for one in all_takers)
    return None if is_taken else _untaken(need, all_takers)


def _taken(record: Record, place: Place | None, found: Sequence[Taker], terms: Terms) -> Why | None:
    """Where a worker takes it sooner or later; None where none does as things are."""
    free = [one for one in found if one.takes == "now"]
    if free and place is not None and place.ahead:
        jobs = "1 ready job stands" if place.ahead == 1 else f"{place.ahead} ready jobs stand"
        sentence = f"{jobs} before it in queue {record.queue}; {_names(free)} takes them in turn"
        return Why(Reason.BEHIND_OTHERS, sentence)
    if free:
        return Why(
            Reason.NEXT,
            f"it is the next of its queue: {free[0].name} has room for it and takes it any moment",
            coming=(
                Coming(
                    "a worker that missed the call looks again at its next renewal",
                    terms.now_ms + terms.renew_ms,
                ),
            ),
        )
    later = [one for one in found if one.takes == "later"]
    if not later:
        return None
    keeper = next((one for one in later if place is not None and one.incarnation == place.reserved_by), None)
    if keeper is not None:
        sentence = f"it needs more of a host than is free: {keeper.name} takes nothing else until there is room for it"
        return Why(
            Reason.HOST_KEPT_FOR_IT,
            sentence,
            coming=(Coming(f"it starts when what runs on {keeper.name} has ended"),),
        )
    if all(one.lacks(Lack.RESERVED) for one in later):
        sentence = f"{_names(later)} could take it, and is kept free for a larger job that came before it"
        return Why(Reason.HOSTS_KEPT_FOR_OTHERS, sentence)
    return Why(
        Reason.WORKERS_BUSY,
        f"{_names(later)} could take it and has no room now{_standing(place)}",
        coming=(Coming("it starts when enough of what runs there has ended"),),
    )


def _untaken(need: Need, all_takers: Sequence[Taker]) -> Why:
    """Where none of the workers that hear its queue takes it, however long it waits."""
    all_hearers = [one for one in all_takers if not one.lacks(Lack.QUEUE)]
    hearers = [one for one in all_hearers if not one.lacks(Lack.KIND)]
    start = _start(need, all_takers)
    if all_hearers and not hearers:
        return _of_other_kind(need, all_hearers, start)
    if not hearers:
        missed = "one that hangs is announced no more: is one there all the same? See hysds status, and its process"
        sentence = f"no worker that is announced hears queue {need.queue}"
        return Why(Reason.NO_WORKER, sentence, (f"start one: {start}", missed))
    open_ = [one for one in hearers if not one.lacks(*_AWAY)]
    if open_ and all(one.lacks(*SIZES) for one in open_):
        lack = next(missing.text for missing in open_[0].missing if missing.lack in SIZES)
        return Why(
            Reason.TOO_LARGE,
            f"no worker of queue {need.queue} that is open is large enough for it: it {lack} ({open_[0].name})",
            ("ask for less in resources, or start a worker on a larger host",),
        )
    there = [one for one in hearers if not one.lacks(Lack.SILENT)]
    if not there:
        sentence = f"every worker that heard queue {need.queue} is silent: {_names(hearers)}"
        return Why(
            Reason.WORKERS_SILENT, sentence, ("see whether they run, and whether they reach the ledger",)
        )
    homeless = [one for one in there if one.lacks(Lack.WORK_DIR)]
    advice = [
        *(f"hysds worker resume {one.name}" for one in there if one.lacks(Lack.DRAINING)),
        *(
            ["make or mount the directory again: its worker takes jobs as soon as it is there"]
            if homeless
            else []
        ),
        f"{'or start another' if homeless else 'start another'}: {start}",
    ]
    if len(homeless) == len(there):
        said = "; ".join(f"{one.name} {missing.text}" for one in homeless[:_SHOWN] for missing in one.missing)
        sentence = f"no worker of queue {need.queue} has a directory to work in: {said}"
        return Why(Reason.NO_WORK_DIRECTORY, sentence, tuple(advice))
    sentence = f"every worker of queue {need.queue} that is there takes nothing: {_names(there)}"
    return Why(Reason.WORKERS_DRAINING, sentence, tuple(advice))


def _of_other_kind(need: Need, hearers: Sequence[Taker], start: str) -> Why:
    """Where workers hear the queue, and none of them runs what this is."""
    wanted, run = ("a task", "jobs alone") if _is_task(need) else ("a job", "tasks alone")
    sentence = f"it is {wanted}, and who hears queue {need.queue} runs {run}: {_names(hearers)}"
    move = f"or move it to a queue of theirs: hysds requeue {need.id} --queue QUEUE"
    return Why(Reason.NO_WORKER, sentence, (f"start one: {start}", move))


def _start(need: Need, others: Sequence[Taker]) -> str:
    """The command that starts a worker for it; beside others it needs a name of its own."""
    kind = "task" if _is_task(need) else "job"
    name = " --name NAME (one that no other has)" if others else ""
    return f"hysds worker {kind} --queues {shlex.quote(need.queue)}{name}"


def _is_task(need: Need) -> bool:
    try:
        return decode(need.shape).is_task
    except ValueError:  # another version's
        return False


def waiting(record: Record, document: Mapping[str, object], terms: Terms) -> Why:
    """Of a job that becomes ready at a time."""
    late = overdue(record, terms)
    if late is not None:
        return late
    coming = (Coming(f"it enters queue {record.queue}", record.wake_ms), *ends(record))
    ended = [one for one in entries(document) if one.get("ended")]
    if not ended:
        sentence = f"it was submitted to start not before {terms.at(record.wake_ms)}"
        return Why(Reason.NOT_BEFORE, sentence, coming=coming)
    last = ended[-1]
    said = text(last, "error") or text(last, "how")
    sentence = f"attempt {last.get('attempt')} ended ({said}); the next one comes not before {terms.at(record.wake_ms)}"
    return Why(Reason.RETRY_DELAY, sentence, coming=coming)


def overdue(record: Record, terms: Terms) -> Why | None:
    """A time of the job has come, and nobody acted upon it."""
    times = [ms for ms in (record.wake_ms, record.ttl_ms, record.deadline_ms) if ms]
    if not times or min(times) + OVERDUE_MS > terms.now_ms:
        return None
    return silent_reconciler(f"its time came {terms.ago(min(times))} ago, at {moments.iso(min(times))}")


def silent_reconciler(fact: str) -> Why:
    """What has to be done about it was not done."""
    return Why(
        Reason.RECONCILER_SILENT,
        f"{fact}, and no reconciler acted upon it",
        ("see whether one runs, and start one: hysds reconciler",),
    )


def ends(record: Record) -> tuple[Coming, ...]:
    """When a job that was not started fails without having been started."""
    times = (("ttl", record.ttl_ms), ("deadline", record.deadline_ms))
    return tuple(
        Coming(f"it fails as timeout unless it was started: its {name}", ms) for name, ms in times if ms
    )


def _standing(place: Place | None) -> str:
    return f"; it is number {place.ahead + 1} of {place.ready} in its queue" if place is not None else ""


def _names(found: Sequence[Taker]) -> str:
    """One by its name, a few by theirs, many by their number."""
    names = list(dict.fromkeys(one.name for one in found))
    if len(names) > 3:
        return f"each of {len(names)} workers"
    return names[0] if len(names) == 1 else f"each of {', '.join(names)}"
