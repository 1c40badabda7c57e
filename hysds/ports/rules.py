"""Where the rules are published that all orchestrators carry out."""

from __future__ import annotations

from typing import Protocol

from hysds.core.rules.published import Rules

GROUP = "rules"
"""The group that reads the ledger's events, and the journal, for rules."""


class RuleShelf(Protocol):
    """Holds one set of rules, the latest. Every method raises Unreachable when no answer came, and may be repeated."""

    def digest(self) -> str:
        """Names the published set, in one small answer; `published.NOTHING_PUBLISHED`: there is none."""

    def published(self) -> Rules | None:
        """The published set; None: there is none.

        Raises: Internal where it can't be read.
        """

    def publish(self, known: Rules, replaces: str) -> bool:
        """Put a set in place of the one with the digest `replaces` (`published.NOTHING_PUBLISHED`: of none).

        In the same step GROUP begins, behind the newest entry, on each stream that an enabled rule needs and where it
        is not, and is no more on one that none needs: no stream keeps anything for rules that are not there.
        False: another set stands there, and nothing is changed; True also where this very one stands there already.
        """
