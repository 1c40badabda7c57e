"""`--over`: the options of `hysds jobs` on one line."""

from __future__ import annotations

import click
import pytest

from hysds.cli import over
from hysds.core.errors import Refused
from hysds.core.query import JobQuery
from hysds.core.searched import Sort
from hysds.sdk.by_type import Over


def test_the_options_of_a_search_make_the_query() -> None:
    """Quotes hold together what belongs together; the line itself is kept for whoever passes it on."""
    line = " --status failed --tag 'two words' --sort ended --ascending "

    assert over.read(line) == Over(
        JobQuery(
            status=frozenset({"job-failed"}), tag=frozenset({"two words"}), sort=Sort.ENDED, descending=False
        ),
        line.strip(),
    )


def test_a_search_is_over_all_that_match_unless_it_has_a_limit() -> None:
    """The default of `hysds jobs` is a page for people, and no bound here."""
    assert (
        over.read("--status failed").at_most,
        over.read("--limit 7").at_most,
        over.read("--limit 50").at_most,
    ) == (None, 7, 50)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "--over: an empty query is over every job"),
        ("--stauts failed", "--over: No such option"),
        ("--status odd", "--over: Invalid value"),
        ("failed", "--over: Got unexpected extra argument"),
        ("--tag 'a", "can't be split"),
        ("--json", "--json says how to show"),
        ("--facet status", "--facet says how to show"),
        ("--cursor abc", "--cursor says how to show"),
    ],
)
def test_what_is_no_search_is_refused(line: str, said: str) -> None:
    """With the words of the command whose options they are."""
    with pytest.raises(click.UsageError, match=said):
        over.read(line)


def test_a_search_without_an_answer_is_refused() -> None:
    """As `hysds jobs` refuses it."""
    with pytest.raises(Refused, match="a tag to search for"):
        over.read("--tag ''")
