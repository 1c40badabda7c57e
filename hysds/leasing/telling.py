"""Tells the ledger how attempts ended, until it has heard; and clears away after those that it calls lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hysds.core.errors import HysdsError
from hysds.core.requests import Commit, Committing
from hysds.core.status import Status
from hysds.leasing import orphans, workdir
from hysds.leasing.attempt import Attempt
from hysds.leasing.claims import Claims, Won
from hysds.leasing.conclusion import GiveBack, Verdict
from hysds.leasing.foothold import Foothold
from hysds.ports.ledger import Ledger

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Onward:
    """Whether a commit may bid for the next job, and who takes the lease that it wins."""

    wants_more: Callable[[], bool]
    hand_on: Callable[[Won], None]


class Telling:
    """Any thread may call any method."""

    def __init__(
        self, ledger: Ledger, claims: Claims, foothold: Foothold, root: Path | None, onward: Onward
    ) -> None:
        """`root`: of all work directories; None: attempts have none."""
        self._ledger = ledger
        self._claims = claims
        self._foothold = foothold
        self._root = root
        self._onward = onward

    def tell(self, attempt: Attempt, verdict: Verdict) -> None:
        """End an attempt's lease as it was judged. Nothing of the attempt lives any more."""
        try:
            if isinstance(verdict, Commit):
                is_told = self._commit(attempt, verdict)
            else:
                is_told = verdict is not None and self._release(verdict)
            self._leave_place(attempt, is_told)
        except HysdsError as error:
            # Whoever takes this worker's foothold, once it has ended, looks after the directory.
            _log.error("job %s: its end was not recorded: %s", attempt.id, error)

    def give_back(self, attempt: Attempt) -> None:
        """A lease that nobody has begun."""
        try:
            self._release(GiveBack(attempt.id, attempt.fence, ""))
        except HysdsError as error:
            _log.error("job %s: it could not be given back, so its lease runs out: %s", attempt.id, error)

    def _commit(self, attempt: Attempt, commit: Commit) -> bool:
        """Whether the ledger took the end, in this form or another."""
        committed, following = self._claims.commit(commit, self._onward.wants_more)
        if following is not None:
            self._onward.hand_on(following)
        if committed.how is Committing.TOO_LATE:
            # The next attempt would begin after the job's deadline: this failure is the last one.
            return self._commit(attempt, replace(commit, status=Status.FAILED, wake_ms=0))
        if committed.how is Committing.NOT_ASKED:
            _log.warning("job %s: stopped, but the ledger forgot who asked for it: it goes back", attempt.id)
            return self._release(GiveBack(attempt.id, attempt.fence, commit.detail))
        if committed.how is Committing.DONE:
            reason = f" ({commit.reason})" if commit.reason else ""
            extra = {"action": "commit", "status": committed.status}
            _log.info("job %s: %s%s", attempt.id, committed.status, reason, extra=extra)
        return committed.how is not Committing.LOST

    def _release(self, back: GiveBack) -> bool:
        """Whether the lease was still ours; not at the repeat of a release whose answer got lost."""
        moved = self._claims.persist(partial(self._ledger.release, back.id, back.fence, 0, back.detail))
        is_ours = moved.answers != ((back.id, "lost"),)
        if is_ours:
            _log.info("job %s: given back", back.id, extra={"action": "release"})
        return is_ours

    def _leave_place(self, attempt: Attempt, is_told: bool) -> None:
        """The directory of an attempt whose end is on record stays; a lost one leaves none.

        Raises: HysdsError
        """
        if self._root is None:
            if not is_told:
                _log.warning(
                    "task %s: the lease with fence %s was lost; nothing is recorded",
                    attempt.id,
                    attempt.fence,
                )
            return
        place = workdir.locate(self._root, attempt.id, attempt.fence, attempt.record.accepted_ms)
        if not is_told:
            _log.warning(
                "job %s: the lease with fence %s was lost; nothing is recorded", attempt.id, attempt.fence
            )
            [kept] = self._ledger.kept([attempt.id])
            if orphans.is_live(kept, attempt.fence):
                return
            if orphans.is_lost(kept, attempt.fence, place):
                workdir.remove(place)
        self._foothold.over(place)
