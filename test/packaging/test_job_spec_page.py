"""The page on job specs and the code say the same."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

from hysds.core.parse import parse
from hysds.core.spec import JobSpec, Resources

_PAGE = (Path(__file__).parents[2] / "docs" / "job-spec.md").read_text()


def test_the_page_lists_every_field_and_no_other() -> None:
    """In the first column of its table; what a host is asked for is named too."""
    rows = re.findall(r"(?m)^\| (`.*?`) \|", _PAGE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(listed) == sorted(field.name for field in dataclasses.fields(JobSpec))
    assert all(f"`{field.name}`" in _PAGE for field in dataclasses.fields(Resources))


def test_the_example_of_the_page_is_a_spec() -> None:
    """As it stands."""
    [example] = re.findall(r"(?s)```json\n(.*?)```", _PAGE)

    assert parse(example).job_type == json.loads(example)["job_type"]
