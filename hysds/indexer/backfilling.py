"""Bringing into the archive what it lacks of the ended jobs in the store: what ended before there was an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hysds.core.differences import is_lacking, seen
from hysds.core.status import ENDED
from hysds.indexer import pages
from hysds.indexer.sheets import Sheet, Side
from hysds.ports.archive import Archive
from hysds.ports.store import Store


def fill(
    store: Store, archive: Archive, note: Callable[[str], None], step: Callable[[str, int], None]
) -> int:
    """Append the documents of ended jobs that the archive lacks, or has otherwise; answers how many. `note` is told of
    places of the archive that can't be read. It may be repeated.

    Raises: Unreachable
    """
    count = 0
    with Sheet() as sheet:
        for document in archive.read(note):
            sheet.note(Side.ARCHIVE, document["id"], seen(document))
        for page in pages.documents(store):
            for shown in page:
                sheet.note(Side.STORE, shown["id"], seen(shown))
        for part in sheet.parts():
            lacking = [id_ for id_, views in part.items() if is_lacking(views)]
            for ended in _found(store, lacking):
                archive.append(ended)
                count += len(ended)
                step("archive", count)
    return count


def _found(store: Store, ids: Sequence[str]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(ids), pages.PAGE):
        found = store.get(ids[start : start + pages.PAGE])
        yield [one for one in found if one is not None and one.get("status") in ENDED]
