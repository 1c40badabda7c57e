"""What must hold of one job's events: allowed steps, growing revisions and fences, one lasting end, a cancel obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hysds.chaos.history import Terms, status_of
from hysds.chaos.story import Story, end_of, tenures
from hysds.core.status import Status
from hysds.core.transitions import TABLE

_UNCLAIMED = frozenset({Status.QUEUED, Status.WAITING})


def allowed(story: Story, terms: Terms) -> Iterator[str]:
    """Each event is a step of the table of `core.transitions`, from where the one before it led."""
    before: Status | None = None
    earlier: set[Status | None] = {None}
    for entry in story.events:
        after, step = status_of(entry), entry.event.step
        sources = earlier if terms.may_undo else {before}
        if not any(after in TABLE.get(step, {}).get(source, ()) for source in sources):
            yield f"{step} led from {before or 'nothing'} to {after} (revision {entry.event.revision})"
        before = after
        earlier.add(after)


def revisions_grow(story: Story, terms: Terms) -> Iterator[str]:
    """Each event's revision is above those of all events before it."""
    highest = 0
    for entry in story.events:
        revision = entry.event.revision
        if revision <= highest:
            yield f"revision {revision} ({entry.event.step}) came after revision {highest}"
        highest = max(highest, revision)


def fences_grow(story: Story, terms: Terms) -> Iterator[str]:
    """A claim's fence is above all fences before it; every other event carries the latest claim's."""
    last = 0
    for entry in story.events:
        fence = entry.event.fence
        if entry.event.step == "claim":
            if fence <= last:
                yield f"a claim got fence {fence} after fence {last}"
            last = max(last, fence)
        elif fence != last and not terms.may_undo:
            yield f"{entry.event.step} (revision {entry.event.revision}) carries fence {fence}, the latest claim {last}"


def ends_once(story: Story, terms: Terms) -> Iterator[str]:
    """A job that was accepted has ended. (That it does so once: `stays_ended`.)"""
    ends = [entry for entry in story.events if status_of(entry).is_terminal]
    if not ends and (story.events or story.asked.told in ("accepted", "repeated", "deduped")):
        last = story.events[-1].event if story.events else None
        where = f"stands at {last.status} since revision {last.revision}" if last else "is in no event"
        yield f"it was {story.asked.told or 'seen'} and never ended: it {where}"


def stays_ended(story: Story, terms: Terms) -> Iterator[str]:
    """A terminal status never changes."""
    if terms.may_undo:
        return
    ended = None
    for entry in story.events:
        status = status_of(entry)
        if ended is not None and status is not ended:
            yield f"it had ended {ended} and became {status} (revision {entry.event.revision})"
            return
        ended = ended or (status if status.is_terminal else None)


def ends_as_asked(story: Story, terms: Terms) -> Iterator[str]:
    """It ended in a way that a job of its kind may."""
    end = end_of(story)
    if end is not None and story.asked.ends and status_of(end) not in story.asked.ends:
        may = " or ".join(sorted(story.asked.ends))
        yield f"it ended {status_of(end)}, and may only end {may}"


def cancel_is_obeyed(story: Story, terms: Terms) -> Iterator[str]:
    """Once its cancel was asked, a job ends revoked or completed, and is never given to anybody again."""
    is_asked = False
    for entry in story.events:
        status = status_of(entry)
        if entry.event.step == "members" and not status.is_terminal:
            continue  # a group ends with its members
        if is_asked and (status in _UNCLAIMED or status is Status.FAILED or entry.event.step == "claim"):
            yield f"its cancel was asked, and {entry.event.step} led to {status} (revision {entry.event.revision})"
            return
        is_asked = is_asked or entry.event.step == "cancel"


def cancel_is_kept(story: Story, terms: Terms) -> Iterator[str]:
    """A cancel that was answered is in the history, and the job ended as the answer said."""
    told, end = story.asked.cancel, end_of(story)
    if terms.may_undo or told not in (Status.STARTED.value, Status.REVOKED.value):
        return
    if not any(entry.event.step == "cancel" for entry in story.events):
        yield f"its cancel was answered {told}, and no event tells of it"
    elif end is not None and told == Status.REVOKED.value and status_of(end) is not Status.REVOKED:
        yield f"its cancel was answered {told}, and it ended {status_of(end)}"


def one_lease_at_a_time(story: Story, terms: Terms) -> Iterator[str]:
    """A lease is left before the next claim."""
    held = tenures(story)
    for tenure, following in pairwise(held):
        if tenure.left is None and not terms.may_undo:
            yield f"fence {following.fence} was claimed while fence {tenure.fence} was held"
