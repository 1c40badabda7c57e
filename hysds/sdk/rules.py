"""Rules as an operator handles them: published, switched, tried on the past, and what they did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hysds.bootstrap import System
from hysds.core import happenings
from hysds.core.chronicle_query import MAX_LIMIT, ChronicleQuery
from hysds.core.query import JobQuery, Span
from hysds.core.rules import published, telling
from hysds.core.rules import rule as rules
from hysds.core.rules.published import OF_JOBS
from hysds.core.rules.rule import On, Rule
from hysds.core.searched import Sort
from hysds.core.status import ENDED
from hysds.orchestrator import rules as carrying_out
from hysds.orchestrator.rule_trials import Trial, tried

_PAGE = 500
_MOST_READ = 100_000
"""Documents that one look at the past reads."""

_RESOURCES = {On.WORKER: happenings.WORKER, On.EVENT: happenings.EVENT}


class Rules:
    """All rules of a system. Every method raises Unreachable when a part that it needs does not answer."""

    def __init__(self, system: System) -> None:
        self._system = system

    def all(self) -> Sequence[Rule]:
        """Every rule, by name."""
        return tuple(self._system.rules.latest().rules.values())

    def get(self, name: str) -> Rule:
        """Raises: NotFound"""
        return self._system.rules.latest().get(name)

    def read(self, document: Mapping[str, Any]) -> Rule:
        """The rule of a document, ours or one of HySDS's, checked against the job types of now.

        Raises: InvalidSpec with every complaint.
        """
        given = rules.of_hysds(document) if rules.is_of_hysds(document) else document
        rule = rules.read(given)
        self._system.rule_plans.check(rule)
        return rule

    def add(self, document: Mapping[str, Any], replaces: bool = False) -> Rule:
        """Publish a rule; it looks at what happens from now on. `replaces`: also in place of one of its name.

        Raises: InvalidSpec, Conflict where there is one, or somebody else published in this moment.
        """
        rule = replace(self.read(document), since_ms=self._system.ledger.now_ms())
        self._system.rules.change(published.added(rule, replaces))
        return rule

    def switch(self, name: str, enabled: bool) -> Rule:
        """Enable a rule, from now on, or disable it.

        Raises: NotFound, Conflict
        """
        change = published.switched(name, enabled, self._system.ledger.now_ms())
        return self._system.rules.change(change).get(name)

    def remove(self, name: str) -> None:
        """Raises: NotFound, Conflict"""
        self._system.rules.change(published.removed(name))

    def remove_all(self) -> None:
        """Have no rules; also where those that are published can't be read here.

        Raises: Conflict
        """
        self._system.rules.remove_all()

    def tried(self, rule: Rule, since_ms: int | None, most: int) -> Iterator[Trial]:
        """What a rule would have done on what the store holds, the newest first; at most so many documents are looked
        at.
        """
        documents = self._jobs(since_ms, most) if rule.on in OF_JOBS else self._told(rule.on, since_ms, most)
        return tried(rule, documents, self._system.occasions, self._system.rule_plans)

    def are_carried_out(self) -> bool:
        """Whether any orchestrator was seen to carry out rules just now."""
        return any(
            one.role == carrying_out.ROLE and one.ago_ms <= carrying_out.SILENT_MS
            for one in self._system.roster.signatures()
        )

    def history(self, name: str, since_ms: int | None, most: int) -> Iterator[dict[str, Any]]:
        """The events of what a rule did ("": all rules), the newest first, at most so many."""
        found = 0
        query = ChronicleQuery(
            happenings.EVENT,
            types=tuple(f"{telling.PREFIX}{outcome.value}" for outcome in telling.Outcome),
            since_ms=since_ms,
            limit=min(_PAGE, MAX_LIMIT),
        )
        for document in self._pages(query, _MOST_READ):
            if name in ("", str(document.get("event", {}).get("rule"))):
                yield document
                found += 1
                if found == most:
                    return

    def _jobs(self, since_ms: int | None, most: int) -> Iterator[dict[str, Any]]:
        query = JobQuery(status=ENDED, ended=Span(from_ms=since_ms), sort=Sort.ENDED, limit=min(most, _PAGE))
        read = 0
        while read < most:
            page = self._system.store.search(query)
            yield from page.documents[: most - read]
            read += len(page.documents)
            if not page.cursor:
                return
            query = replace(query, cursor=page.cursor)

    def _told(self, on: On, since_ms: int | None, most: int) -> Iterator[dict[str, Any]]:
        query = ChronicleQuery(_RESOURCES[on], since_ms=since_ms, limit=min(most, _PAGE))
        return self._pages(query, most)

    def _pages(self, query: ChronicleQuery, most: int) -> Iterator[dict[str, Any]]:
        read = 0
        while read < most:
            page = self._system.chronicle.search(query)
            yield from page.documents[: most - read]
            read += len(page.documents)
            if not page.cursor:
                return
            query = replace(query, cursor=page.cursor)
