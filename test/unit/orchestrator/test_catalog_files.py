"""Files of job types on a host: found, read together, and not while somebody writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hysds.core.errors import InvalidSpec, Refused
from hysds.orchestrator.catalog_files import MAX_BYTES, read


def put(path: Path, *types: str) -> Path:
    """A file that defines these types."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"configs": [{"job_type": name} for name in types]}))
    return path


def test_files_and_directories_merge(tmp_path: Path) -> None:
    """Of a directory every *.json, but no hidden one and no editor's copy; each file once, whatever leads to it."""
    single = put(tmp_path / "one.json", "a")
    put(tmp_path / "all" / "two.json", "b")
    put(tmp_path / "all" / "three.json", "c")
    put(tmp_path / "all" / ".half.json", "x")
    put(tmp_path / "all" / "two.json~", "y")
    put(tmp_path / "all" / "deep" / "four.json", "z")
    (tmp_path / "all" / "link.json").symlink_to(single)

    known, _ = read([single, tmp_path / "all"])

    assert sorted(known.types) == ["a", "b", "c"]
    assert known.types["b"].sources == (f"{tmp_path}/all/two.json: $.configs[0]",)


def test_an_empty_directory_is_an_empty_set(tmp_path: Path) -> None:
    """So that all types can be taken away."""
    assert read([tmp_path])[0].types == {}


def test_every_file_that_can_t_be_read_is_named(tmp_path: Path) -> None:
    """Beside what is wrong in the others."""
    bad = put(tmp_path / "bad.json", "")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (MAX_BYTES + 1))

    with pytest.raises(InvalidSpec) as caught:
        read([tmp_path / "gone.json", bad, large])

    found = [str(one) for one in caught.value.complaints]
    assert f"{tmp_path}/gone.json: can't be read: No such file or directory" in found
    assert any(one.startswith(f"{bad}: $.configs[0].job_type") for one in found)
    assert any(one.startswith(f"{large}: is larger than 32,000,000 bytes") for one in found)


def test_a_file_that_is_a_pipe_of_nothing_is_named(tmp_path: Path) -> None:
    """A directory where a file is meant, too: there is no *.json file of that kind."""
    (tmp_path / "all" / "odd.json").mkdir(parents=True)

    with pytest.raises(InvalidSpec) as caught:
        read([tmp_path / "all"])

    assert "odd.json: can't be read: Is a directory" in str(caught.value)


def test_without_paths_it_says_how_to_name_them() -> None:
    """The setting and its variable."""
    with pytest.raises(Refused, match="HYSDS_CATALOG_PATHS"):
        read(None)
