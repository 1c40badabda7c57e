"""What `hysds doctor` finds in the spill of its host."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hysds.adapters.spill import health
from hysds.adapters.spill.files import FileSpill, Room
from hysds.core.errors import Unreachable
from hysds.ports.findings import Finding, Severity
from hysds.ports.spill import Portion

_OF = "redis://one hysds"


def _found(folder: Path) -> dict[str, Finding]:
    return {one.code: one for one in health.check(folder, _OF)}


def _spill(folder: Path, of: str = _OF) -> FileSpill:
    return FileSpill(folder, of, Room(10**9, 0))


def test_a_host_without_a_spill_is_as_it_should_be(tmp_path: Path) -> None:
    """Nothing is made by looking."""
    assert _found(tmp_path / "spill")["spill.empty"].severity is Severity.OK
    assert list(tmp_path.iterdir()) == []


def test_documents_that_a_living_indexer_is_at_are_worth_knowing(tmp_path: Path) -> None:
    """How many; they are drained when the store is back."""
    with closing(_spill(tmp_path)) as spill:
        spill.append(Portion(('{"id":"1"}', '{"id":"2"}')))

        found = _found(tmp_path)["spill.waits"]

    assert found.severity is Severity.NOTE
    assert "2 documents" in found.what


def test_documents_that_nobody_is_at_are_a_warning(tmp_path: Path) -> None:
    """The indexer died, and none was started on this host."""
    with closing(_spill(tmp_path)) as spill:
        spill.append(Portion(('{"id":"1"}',)))

    found = _found(tmp_path)["spill.left"]
    assert found.severity is Severity.WARNING
    assert "1 document " in found.what
    assert "hysds indexer" in found.mend


def test_documents_of_another_ledger_are_a_warning(tmp_path: Path) -> None:
    """Nobody here drains them; ours are empty."""
    with closing(_spill(tmp_path, "redis://two hysds")) as spill:
        spill.append(Portion(('{"id":"1"}',)))

    found = _found(tmp_path)
    assert found["spill.empty"].severity is Severity.OK
    assert "redis://two hysds" in found["spill.foreign"].what


def test_a_file_that_could_not_be_read_is_an_error(tmp_path: Path) -> None:
    """It names the file."""
    (tmp_path / "0000000000000-00000000.damaged").write_bytes(b"x")

    found = _found(tmp_path)["spill.damaged"]
    assert found.severity is Severity.ERROR
    assert found.where.endswith("0000000000000-00000000.damaged")


def test_a_directory_that_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    """It is a file here."""
    (tmp_path / "spill").write_text("a file")
    with pytest.raises(Unreachable, match="the spill can't be reached"):
        _found(tmp_path / "spill")
