"""The book with one rule of dependencies taken out."""

from __future__ import annotations

from dataclasses import replace

from hysds.core.admission import Needs
from hysds.core.book import Book
from hysds.core.floor import Made
from hysds.core.record import Record
from hysds.core.requests import Acceptance
from hysds.core.status import Status


class FreesNobody(Book):
    """A job's end concerns nobody."""

    def _free(self, id: str, most: int, made: Made) -> list[tuple[str, str]]:
        return []


class FreesTheForsaken(Book):
    """Any end will do."""

    def _satisfies(self, ended: Record | None, dependent: Record) -> bool:
        return True


class ForsakesTheFinished(Book):
    """Only completion will do, whatever was asked."""

    def _satisfies(self, ended: Record | None, dependent: Record) -> bool:
        return ended is not None and ended.status is Status.COMPLETED


class StartsAtOnce(Book):
    """What a job comes after is not looked at."""

    def _needs(self, item: Acceptance) -> Needs:
        return Needs()


class WaitsForTheUnknown(Book):
    """A job that nobody knows is waited for."""

    def _needs(self, item: Acceptance) -> Needs:
        needs = super()._needs(item)
        return Needs(live=(needs.unknown,)) if needs.unknown else needs


class TakesTheFailedForMet(Book):
    """What had failed before is not looked at."""

    def _needs(self, item: Acceptance) -> Needs:
        return replace(super()._needs(item), failed="")
