"""What must hold of jobs with one dedup digest: at most one is live or completed, and none is dropped for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.chaos.history import Terms, order, status_of
from hysds.chaos.story import Story
from hysds.core.record import FOREVER
from hysds.core.status import Status
from hysds.ports.events import Entry


def one_at_a_time(group: Sequence[Story], terms: Terms) -> Iterator[str]:
    """No job is accepted while a twin of it is live, or completed within the window; forced ones run beside."""
    stands: dict[str, Entry] = {}
    for story, entry in _in_order([story for story in group if not story.asked.forced]):
        status = status_of(entry)
        others = [other for other in stands if other != story.id and _counts(stands[other], entry, terms)]
        if entry.event.step == "accept" and status is not Status.DEDUPED and others:
            yield f"job {story.id} was accepted while its twin {others[0]} was {status_of(stands[others[0]])}"
        stands[story.id] = entry


def dropped_for_a_reason(group: Sequence[Story], terms: Terms) -> Iterator[str]:
    """A duplicate is one of a twin that was live, or completed within the window, at that moment."""
    stands: dict[str, Entry] = {}
    for story, entry in _in_order(group):
        twin = story.document.dedup_job if story.document is not None else ""
        candidates = [twin] if twin else [other for other in stands if other != story.id]
        reasons = [one for one in candidates if one in stands and _counts(stands[one], entry, terms)]
        if entry.event.step == "accept" and status_of(entry) is Status.DEDUPED and not reasons:
            shown = (
                ", ".join(f"{one} was {_shown(stands.get(one))}" for one in candidates) or "there was none"
            )
            yield f"job {story.id} was dropped as a duplicate, but no twin was live or completed: {shown}"
        stands[story.id] = entry


def _counts(stand: Entry, now: Entry, terms: Terms) -> bool:
    """Whether a job that stands there makes a later one a duplicate."""
    status = status_of(stand)
    if status is not Status.COMPLETED:
        return not status.is_terminal
    window_us = terms.dedup_window_ms * 1000
    return terms.dedup_window_ms == FOREVER or now.event.revision < stand.event.revision + window_us


def _in_order(group: Sequence[Story]) -> list[tuple[Story, Entry]]:
    """All events of these jobs, in the order of the stream."""
    pairs = [(story, entry) for story in group for entry in story.events]
    return sorted(pairs, key=lambda pair: order(pair[1].position))


def _shown(entry: Entry | None) -> str:
    return "unknown" if entry is None else str(status_of(entry))
