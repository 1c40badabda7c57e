"""What must hold of what people see: the document is the last event's, and lists the attempts that were made."""

from __future__ import annotations

from collections.abc import Iterator

from hysds.chaos.history import Terms, status_of
from hysds.chaos.story import Story, end_of, tenures
from hysds.core.attempts import MAX_LISTED
from hysds.core.status import Status


def is_the_last_word(story: Story, terms: Terms) -> Iterator[str]:
    """The document's revision, status and fence are those of the last event."""
    if not story.has_store or not story.events:
        return
    last, document = story.events[-1].event, story.document
    if document is None:
        yield f"it has no document; its last event is of revision {last.revision}"
        return
    for name, shown, told in (
        ("revision", document.revision, last.revision),
        ("status", document.status, last.status),
        ("fence", document.fence, last.fence),
    ):
        if shown != told:
            yield f"its document has {name} {shown}, its last event {told}"


def attempts_are_listed(story: Story, terms: Terms) -> Iterator[str]:
    """Each claimed lease that was ended by a commit or a loss is listed, once, in order, and nothing else is."""
    if story.document is None or terms.may_undo:
        return
    listed = [attempt.fence for attempt in story.document.attempts]
    held = tenures(story)
    claimed = [tenure.fence for tenure in held]
    for fence in listed:
        if fence not in claimed:
            yield f"its document lists an attempt with fence {fence}, which was never claimed"
    if listed != sorted(set(listed)):
        yield f"its document lists its attempts as {listed}"
    steps = {tenure.fence: tenure.left.event.step for tenure in held if tenure.left is not None}
    ended = [fence for fence, step in steps.items() if step in ("commit", "expire")]
    for fence in ended[-MAX_LISTED:] if len(listed) >= MAX_LISTED else ended:
        if fence not in listed:
            yield f"fence {fence} was ended by {steps[fence]}, and no attempt is listed for it"


def one_attempt_completed(story: Story, terms: Terms) -> Iterator[str]:
    """A completed job lists one attempt that completed it: the one whose commit ended it; a group has none."""
    end, document = end_of(story), story.document
    if (
        end is None
        or end.event.step == "members"
        or document is None
        or status_of(end) is not Status.COMPLETED
        or terms.may_undo
    ):
        return
    won = [attempt.fence for attempt in document.attempts if attempt.how == Status.COMPLETED.value]
    if won != [end.event.fence]:
        yield f"fence {end.event.fence} completed the job; its document lists {won or 'none'} as completed"


def has_a_place(story: Story, terms: Terms) -> Iterator[str]:
    """The document belongs to a generation of the store's indices that was there when the job was accepted."""
    if story.document is None or story.document.generation >= story.asked.oldest:
        return
    yield (
        f"its document belongs to generation {story.document.generation}, and those below {story.asked.oldest} had "
        "been given up"
    )
