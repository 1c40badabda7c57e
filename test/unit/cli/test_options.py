"""Types of options."""

from __future__ import annotations

import click
import pytest

from hysds.cli.options import Moment, StatusWord


def test_a_duration_means_so_long_ago() -> None:
    """`2h` is two hours before now."""
    assert Moment(lambda: 10_000.0).convert("2h", None, None) == 2_800_000


@pytest.mark.parametrize("text", ["2030-01-31T18:00:00Z", "2030-01-31T19:00:00+01:00", "2030-01-31T18:00:00"])
def test_a_time_is_utc_where_it_names_no_zone(text: str) -> None:
    """Documents show UTC, so what is copied from one is read as one."""
    assert Moment().convert(text, None, None) == 1_896_112_800_000


@pytest.mark.parametrize("text", ["yesterday", "2h ago", "-1h", "", "2030-13-01", "99999999999999999999h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """The message names both notations."""
    with pytest.raises(click.BadParameter, match="how long ago"):
        Moment().convert(text, None, None)


def test_a_status_may_leave_out_its_prefix() -> None:
    """Both words mean the same."""
    assert StatusWord().convert("failed", None, None) == "job-failed"
    assert StatusWord().convert("job-offline", None, None) == "job-offline"


def test_an_unknown_status_is_refused() -> None:
    """A status that no job has would find nothing, silently."""
    with pytest.raises(click.BadParameter, match=r"'done' is none of queued, .*offline$"):
        StatusWord().convert("done", None, None)
