"""How often a call to something outside is repeated when the transport fails, and how long is waited between.

For transport errors alone (connect, publish, bulk, pull, fetch). When a *job* is tried again, `core.retry` decides.
The call must bear a repeat: an attempt whose answer was lost may have been carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import backoff

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Persistence:
    """How hard one call is tried.

    `attempts` counts all of them. Before the n-th repeat a random time is waited, at most
    `first_wait_s * 2^(n-1)` and at most `longest_wait_s`; 0 repeats at once.
    """

    attempts: int = 3
    first_wait_s: float = 0.1
    longest_wait_s: float = 2.0


def insist(
    call: Callable[[], Result],
    errors: tuple[type[Exception], ...],
    persistence: Persistence = Persistence(),
) -> Result:
    """Call until it succeeds; the last attempt's error passes, and any that is not among `errors` at once."""
    return backoff.on_exception(
        backoff.expo,
        errors,
        max_tries=persistence.attempts,
        jitter=backoff.full_jitter,
        logger=None,  # it would log the call's arguments, which may hold secrets
        factor=persistence.first_wait_s,
        max_value=persistence.longest_wait_s,
    )(call)()
