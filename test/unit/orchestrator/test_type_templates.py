"""The files of job types that HySDS ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core.errors import Refused
from hysds.core.job_types import type_merging
from hysds.orchestrator import type_templates
from hysds.settings.creators import Creators

_CONFIGS = Path(__file__).parents[3] / "configs"


def test_the_repository_has_the_files_of_the_package() -> None:
    """A change of one is a change of both."""
    texts = type_templates.texts()

    assert (_CONFIGS / "orchestrator" / "orchestrator_jobs.json").read_text() == texts[
        "orchestrator_jobs.json"
    ]
    assert (_CONFIGS / "worker" / "job_worker.json").read_text() == texts["job_worker.json"]


def test_the_files_are_a_valid_set_that_can_be_submitted() -> None:
    """Without a note; every creator is one that the settings' default allows."""
    known, notes = type_merging.read(type_templates.texts())
    prefixes = Creators().prefixes

    assert notes == ()
    assert [one.name for one in known.types.values() if one.refusals] == []
    assert known.types["job:word-count"].command is not None
    for one in known.types.values():
        for creator in one.creators:
            assert creator.function.startswith(tuple(f"{prefix}." for prefix in prefixes))


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """Not even one of the two."""
    first = type_templates.put(tmp_path / "types")
    assert [path.read_text() for path in first] == list(type_templates.texts().values())

    (tmp_path / "types" / "orchestrator_jobs.json").unlink()
    with pytest.raises(Refused, match=r"job_worker\.json is there"):
        type_templates.put(tmp_path / "types")
    assert not (tmp_path / "types" / "orchestrator_jobs.json").exists()
