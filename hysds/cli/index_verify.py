"""`hysds index verify`: whether the store says what the ledger and the archive say."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import click

from hysds.bootstrap import System
from hysds.cli import index_steps, tables
from hysds.cli.exits import Exit
from hysds.cli.words import clean
from hysds.core.differences import Kind, Seen
from hysds.indexer import verifying
from hysds.indexer.verifying import Counts, Difference, Sides
from hysds.lib import units

_PAUSE_S = 0.5
_MOST_LATE = 10
_MEANT = {
    Kind.MISSING: "have no document in the store: hysds index rebuild",
    Kind.OLDER: "have an old document in the store: hysds index rebuild",
    Kind.NEWER: "have a newer document in the store than the ledger knows: hysds index rebuild raises the ledger's",
    Kind.OTHER: "have another document in the store than the ledger or this version makes",
    Kind.HIDDEN: "are in the store, and no search finds them: hysds index init gives their index its aliases",
    Kind.GHOST: "are shown as live, and unknown to the ledger: an indexer ends them within minutes",
    Kind.PURGED: "were purged and are in the store: hysds purge them again",
    Kind.UNARCHIVED: "have ended and are not in the archive: hysds index archive",
    Kind.ARCHIVED_OTHER: "have another document in the archive than in the store",
    Kind.SET_ASIDE: "were refused by the store: see the reasons",
    Kind.UNREADABLE: "have a record that can't be read: hysds doctor",
}


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        try:
            return units.parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass(slots=True)
class _Told:
    """How differences are printed: for people all that is wrong, and some of what is only late."""

    as_json: bool
    late: int = 0

    def show(self, one: Difference) -> None:
        """One line."""
        if self.as_json:
            click.echo(tables.as_json(_fields(one)))
            return
        self.late += one.late
        if one.late and self.late > _MOST_LATE:
            return
        sides = {"store": one.views.store, "ledger": one.views.ledger, "archive": one.views.archive}
        places = ", ".join(f"{name} {_revision(seen)}" for name, seen in sides.items())
        reason = f": {clean(one.reason)}" if one.reason else ""
        late = " (late)" if one.late else ""
        click.echo(f"{clean(one.id)}  {one.kind.value}{late}  {places}{reason}")


@click.command("verify", short_help="Compare the store with ledger and archive.")
@click.option(
    "--wait", "wait_s", type=_Duration(), default=0.0, help="How long to wait for what is only late (1m)."
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a difference, and a last one with the counts."
)
def command(wait_s: float, as_json: bool) -> int:
    """Compare every job in the store with what the ledger knows of it, live or ended and not yet forgotten, and with
    the archive: ids, revisions, and digests of the documents. Each job that is wrong is printed, and some of those that
    are only late. It may be done while the system works; what still has to be indexed is late, and not wrong.
    Of the archive documents are counted: a job that was changed after its end, by a retry say, has several there.

    Exits with 0 where all is the same, 1 where something is wrong, 5 where something is late and nothing is wrong.

    \b
        hysds index verify --wait 1m
        hysds index verify --json | jq -r 'select(.kind == "missing") | .id'
    """
    counts, told = Counts(), _Told(as_json)
    with closing(System.read()) as system:
        sides = Sides(system.ledger, system.events, system.store, system.archive, _spilled(system))
        late = []
        for one in verifying.verify(sides, counts, index_steps.Steps()):
            if one.late:
                late.append(one)
            else:
                told.show(one)
                counts.add(one)
        for one in _awaited(sides, late, time.monotonic() + wait_s):
            told.show(one)
            counts.add(one)
    _sum_up(counts, system.archive is not None, as_json)
    if counts.wrong or counts.unread:
        return Exit.FAILED
    return Exit.BEHIND if counts.late else Exit.COMPLETED


def _spilled(system: System) -> Callable[[], int]:
    return lambda: system.spill.held().documents


def _awaited(sides: Sides, late: list[Difference], until_s: float) -> list[Difference]:
    """What is wrong after all, or still late when the time is over."""
    wrong: list[Difference] = []
    while late and time.monotonic() < until_s:
        time.sleep(_PAUSE_S)
        found = verifying.again(sides, late)
        wrong += [one for one in found if not one.late]
        late = [one for one in found if one.late]
    return [*wrong, *late]


def _sum_up(counts: Counts, has_archive: bool, as_json: bool) -> None:
    index_steps.warn(counts.unread, "places of the archive that can't be read")
    if counts.spilled:
        click.echo(
            f"note: {units.counted(counts.spilled, 'document')} wait on this host's disk (the spill) for the store: "
            "what is missing or older may be among them",
            err=True,
        )
    numbers = {"jobs": counts.jobs, "store": counts.in_store, "ledger": counts.in_ledger}
    if has_archive:
        numbers["archive"] = counts.in_archive
    if as_json:
        kinds = {kind.value: count for kind, count in counts.kinds.items()}
        click.echo(tables.as_json({**numbers, "wrong": counts.wrong, "late": counts.late, "kinds": kinds}))
        return
    for kind, count in sorted(counts.kinds.items()):
        click.echo(f"{count:>12,}  {_MEANT[kind]}")
    if counts.late:
        click.echo(
            f"{counts.late:>12,}  are late: what became of them is still to be indexed (hysds doctor, hysds indexer)"
        )
    shown = ", ".join(f"{name} {count:,}" for name, count in numbers.items())
    verdict = (
        f"{counts.wrong:,} wrong, {counts.late:,} late" if counts.wrong or counts.late else "all the same"
    )
    click.echo(f"{shown}: {verdict}")


def _revision(seen: Seen | None) -> str:
    return "-" if seen is None else str(seen.revision)


def _fields(one: Difference) -> dict[str, Any]:
    sides = {"store": one.views.store, "ledger": one.views.ledger, "archive": one.views.archive}
    return {
        "id": one.id,
        "kind": one.kind.value,
        "late": one.late,
        "reason": one.reason,
        **{
            name: None if seen is None else {"revision": seen.revision, "digest": seen.digest}
            for name, seen in sides.items()
        },
    }
