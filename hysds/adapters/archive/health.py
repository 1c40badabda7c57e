"""What may be wrong with the place of an archive. A look writes nothing there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hysds.adapters.archive.remote import RemoteArchive
from hysds.lib import units
from hysds.ports import findings
from hysds.ports.findings import Finding


def no_archive(is_search: bool) -> Iterator[Finding]:
    """Where the settings name none; `is_search`: the store is a cluster, which can be lost without this host."""
    if not is_search:
        yield findings.ok("archive.none", "no archive is kept (archive.url)")
        return
    yield findings.note(
        "archive.none",
        "no archive is kept: if the cluster is lost, only jobs that the ledger knows come back",
        "archive.url",
        "name a place for it, then bring in what has ended: hysds index archive",
    )


def of_directory(folder: Path) -> Iterator[Finding]:
    """Of an archive on this host."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield findings.error(
            "archive.readonly",
            f"nothing can be written to {there}",
            str(folder),
            "let the user of the indexers write there, or set archive.url to another place",
        )
    elif there != folder:
        yield findings.note(
            "archive.new", "nothing was archived here yet: the indexer makes the directory", str(folder)
        )
    else:
        yield findings.ok("archive.writable", "the archive can be written to", str(folder))


def of_url(url: str, shown: str) -> Iterator[Finding]:
    """Of an archive elsewhere.

    Raises: Unreachable, InvalidSettings
    """
    count = RemoteArchive(url, shown).segments()
    yield findings.ok(
        "archive.reachable", f"the archive answers, with {units.counted(count, 'segment')}", shown
    )
