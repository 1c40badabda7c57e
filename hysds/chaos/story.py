"""All that a history says of one job, and what follows from it alone: who held it, from when to when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hysds.chaos.history import Answer, Asked, Document, Effect, History, order, status_of
from hysds.core.status import Status
from hysds.ports.events import Entry

_Fact = TypeVar("_Fact")


@dataclass(frozen=True, slots=True)
class Story:
    """One job's part of a history. `document`: None where the store has none; `has_store`: whether there was one."""

    asked: Asked
    events: tuple[Entry, ...] = ()
    effects: tuple[Effect, ...] = ()
    answers: tuple[Answer, ...] = ()
    document: Document | None = None
    has_store: bool = False

    @property
    def id(self) -> str:
        return self.asked.id


@dataclass(frozen=True, slots=True)
class Tenure:
    """One lease: the event that began it, and the one that ended it (None: it is held still)."""

    fence: int
    claimed: Entry
    left: Entry | None


def stories(history: History) -> Iterator[Story]:
    """The history cut by job, in the order of `asked`; a job that nobody asked for comes last, as one told ""."""
    events, effects, answers = (
        _by_job(history.events, lambda entry: entry.event.id),
        _by_job(history.effects, lambda effect: effect.id),
        _by_job(history.answers, lambda answer: answer.id),
    )
    known = {asked.id: asked for asked in history.asked}
    strangers = [id for id in [*events, *effects, *answers] if id not in known]
    documents = history.documents
    for asked in [*known.values(), *(Asked(id, told="") for id in dict.fromkeys(strangers))]:
        yield Story(
            asked,
            tuple(events.get(asked.id, ())),
            tuple(effects.get(asked.id, ())),
            tuple(answers.get(asked.id, ())),
            None if documents is None else documents.get(asked.id),
            documents is not None,
        )


def _by_job(facts: Iterable[_Fact], id_of: Callable[[_Fact], str]) -> dict[str, list[_Fact]]:
    found: dict[str, list[_Fact]] = defaultdict(list)
    for fact in facts:
        found[id_of(fact)].append(fact)
    return found


def tenures(story: Story) -> list[Tenure]:
    """The leases of a job in the order of their claims."""
    found: list[Tenure] = []
    for entry in story.events:
        if entry.event.step == "claim":
            found.append(Tenure(entry.event.fence, entry, None))
        elif found and found[-1].left is None and status_of(entry) is not Status.STARTED:
            found[-1] = replace(found[-1], left=entry)
    return found


def live_fence(story: Story, after: str) -> int:
    """The fence of the lease that was live once the event at this position had happened; 0: none was."""
    fence = 0
    for entry in up_to(story.events, after):
        fence = entry.event.fence if status_of(entry) is Status.STARTED else 0
    return fence


def up_to(events: Sequence[Entry], after: str) -> Iterator[Entry]:
    """The events up to a position, that one included."""
    last = order(after)
    return (entry for entry in events if order(entry.position) <= last)


def end_of(story: Story) -> Entry | None:
    """The event with which the job ended; None: it has not."""
    return next((entry for entry in story.events if status_of(entry).is_terminal), None)
