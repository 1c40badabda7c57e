"""How a group comes into the ledger, whole or not at all: in one step, or, where that would be too long, staged,
sealed, and taken in piece by piece.

Whoever dies before the seal leaves nothing, and after it nothing that the reconciler does not finish. Each call may be
repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hysds.core.errors import Internal, Unreachable
from hysds.core.requests import MAX_BATCH, Acceptance, Accepted, Accepting, Answer, Ready, Staging
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.orchestrator.families import Family
from hysds.ports.ledger import Ledger


class Groups:
    """Takes families to the ledger. `accept`: the ledger's own, told to whoever waits where it does not answer."""

    def __init__(
        self, ledger: Ledger, dispatcher: Dispatcher, accept: Callable[[Sequence[Acceptance]], Accepted]
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._accept = accept

    def submit(self, family: Family) -> tuple[Answer, tuple[Ready, ...]]:
        """The answer about the group, and the queues that were made ready. FULL also for its members' shapes.

        Raises: Unreachable when no answer came: repeat with the same id. Full when the ledger has no memory left.
        """
        if family.weight <= MAX_BATCH and not family.group.after:
            accepted = self._accept((family.group, *family.members))
            self._dispatcher.ring(accepted.ready)
            if not _is_staged(accepted):
                return accepted.answers[0], accepted.ready
        group = replace(family.group, staged=len(family.members))
        answer = self._accept((group,)).answers[0]
        is_open = answer.how in (Accepting.ACCEPTED, Accepting.REPEATED)
        if not is_open or answer.status != Status.WAITING.value:
            return answer, ()
        try:
            return self._staged(group, family.members, answer)
        except Unreachable as error:
            error.add_note(
                f"it is not known whether it took group {group.id}, all or nothing; once it answers, submit again "
                "with that id"
            )
            raise

    def _staged(
        self, group: Acceptance, members: Sequence[Acceptance], answer: Answer
    ) -> tuple[Answer, tuple[Ready, ...]]:
        staging = self._ledger.stage(group.id, 0, members)
        if staging is Staging.STAGED:
            staging = self._ledger.seal(group.id)
        if staging is Staging.FULL:
            self._ledger.cancel((group.id,))
            return Answer(Accepting.FULL), ()
        if staging is Staging.SEALED:
            return answer, self._let_in(group.id)
        if staging in (Staging.CONFLICT, Staging.INCOMPLETE):
            return Answer(Accepting.CONFLICT, answer.status), ()
        if staging is Staging.ENDED:
            return Answer(Accepting.NO_PARENT, Status.REVOKED.value), ()
        raise Internal(f"group {group.id}: its members could not be staged: {staging.value}")

    def _let_in(self, id: str) -> tuple[Ready, ...]:
        """See the members in; whatever is left of it, the reconciler does."""
        ready: list[Ready] = []
        while True:
            moved = self._ledger.settle(MAX_BATCH, id)
            self._dispatcher.ring(moved.ready)
            ready += moved.ready
            if not moved.more:
                return tuple(ready)


def _is_staged(accepted: Accepted) -> bool:
    """Whether this repeats a submission that was staged and cut off: it came after jobs that are forgotten now."""
    group, *members = accepted.answers
    is_open = group.how is Accepting.REPEATED and group.status == Status.WAITING.value
    return is_open and any(answer.how is Accepting.NO_PARENT for answer in members)
