"""Specs from files and stdin: one a file, or one a line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hysds.cli import by_type, specs
from hysds.core.errors import InvalidSpec
from hysds.core.spec import JobSpec
from hysds.testing import SimulatedSystem


def _spec(command: str, **fields: Any) -> dict[str, Any]:
    return {"job_type": "job:x", "job_queue": "q", "payload": {"_command": command}, **fields}


def _loaded(tmp_path: Path, *names: str) -> specs.Loaded:
    with SimulatedSystem(tmp_path) as system:
        return specs.load_all(names, system.client)


def _commands(found: list[JobSpec]) -> list[str]:
    return [one.payload["_command"] for one in found]


def _complaints(tmp_path: Path, *names: str) -> list[str]:
    with pytest.raises(InvalidSpec) as refusal:
        _loaded(tmp_path, *names)
    return [str(one) for one in refusal.value.complaints]


def test_a_file_holds_one_spec_on_many_lines_or_several_on_one_each(tmp_path: Path) -> None:
    """Each of several is called by its line; empty lines are none."""
    one, more = tmp_path / "one.json", tmp_path / "more.json"
    one.write_text(json.dumps(_spec("a"), indent=2))
    more.write_text(f"{json.dumps(_spec('b'))}\n\n{json.dumps(_spec('c'))}\n")

    found = _loaded(tmp_path, str(one), str(more))

    assert _commands(list(found.specs)) == ["a", "b", "c"]
    assert list(found.names) == [str(one), f"{more}:1", f"{more}:3"]


def test_one_spec_on_one_line_is_called_by_its_file(tmp_path: Path) -> None:
    """Whether the line ends or not."""
    for text in (json.dumps(_spec("a")), f"{json.dumps(_spec('a'))}\n\n"):
        file = tmp_path / "job.json"
        file.write_text(text)

        assert _loaded(tmp_path, str(file)).names == [str(file)]


def test_each_line_that_is_wrong_is_told_with_its_number(tmp_path: Path) -> None:
    """Of all lines at once, and none is submitted."""
    file = tmp_path / "more.json"
    file.write_text(f"{json.dumps(_spec('a'))}\n{{\n{json.dumps(_spec('b', priority=11))}\n")

    first, second = _complaints(tmp_path, str(file))

    assert first.startswith(f"{file}:2: $: not JSON")
    assert second.startswith(f"{file}:3: $.priority")


def test_where_one_spec_is_asked_for_a_second_is_refused(tmp_path: Path) -> None:
    """`hysds run` and `hysds schedule add` take one, and drop none silently."""
    file = tmp_path / "more.json"
    file.write_text(f"{json.dumps(_spec('a'))}\n{json.dumps(_spec('b'))}\n")

    with SimulatedSystem(tmp_path) as system, pytest.raises(InvalidSpec, match="not JSON: Extra data"):
        specs.load(str(file), system.client)


def test_what_a_dry_run_prints_is_read_again_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it can be changed on its way to `hysds submit -`."""
    file = tmp_path / "more.json"
    texts = (
        _spec("a", retry={"user": {"attempts": 2, "delay": "5s"}}),
        _spec("b", resources={"memory": "1GB"}),
    )
    file.write_text("\n".join(json.dumps(one) for one in texts))
    with SimulatedSystem(tmp_path) as system:
        given = specs.load_all([str(file)], system.client).specs
        by_type.foretell(given)
        printed = capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(printed.out.encode())))
        again = specs.load_all(["-"], system.client)

    assert list(again.specs) == list(given)
    assert list(again.names) == ["stdin:1", "stdin:2"]
    assert printed.err == "2 specs would be submitted\n"
