"""The rule of HYSDS_SUBMIT_DIR."""

from __future__ import annotations

from hysds.cli import submit_dir
from hysds.core.parse import parse_document
from hysds.core.spec import JobSpec, dedup_digest


def _spec(command: str, **env: str) -> JobSpec:
    return parse_document({"job_type": "job:x", "payload": {"_command": command}, "env": env})


def test_a_command_that_names_the_variable_gets_it() -> None:
    """The text in the command is enough; how the command uses it is its own affair."""
    spec = submit_dir.given(_spec("sh -c 'cat \"$HYSDS_SUBMIT_DIR/a\"'"), "/data")

    assert spec.env == {"HYSDS_SUBMIT_DIR": "/data"}


def test_a_variable_whose_value_names_it_gets_it_beside() -> None:
    """A value may be handed to a shell later; the variables of the spec stay."""
    spec = submit_dir.given(_spec("work.sh", INPUT="$HYSDS_SUBMIT_DIR/a"), "/data")

    assert spec.env == {"INPUT": "$HYSDS_SUBMIT_DIR/a", "HYSDS_SUBMIT_DIR": "/data"}


def test_a_spec_that_does_not_name_it_is_left_alone() -> None:
    """Where a job was submitted from changes nothing for the others: they stay duplicates of each other."""
    spec = _spec("echo hello", A="b")

    assert submit_dir.given(spec, "/data") is spec


def test_the_directory_is_part_of_what_the_job_does() -> None:
    """The same spec from another directory is other work, and from the same directory a duplicate."""
    spec = _spec("sh -c 'cat $HYSDS_SUBMIT_DIR/a'")
    here, again, there = (submit_dir.given(spec, place) for place in ("/data", "/data", "/other"))

    assert dedup_digest(here) == dedup_digest(again)
    assert dedup_digest(here) != dedup_digest(there)
