"""Parameters in the places of `$name`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core.errors import InvalidSpec
from hysds.core.job_types.catalog import Command
from hysds.core.job_types.command_line import command_line, parameters
from hysds.core.spec import split

_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))


def test_whole_arguments_are_replaced_and_nothing_else() -> None:
    """The program, its options, and a `$` within an argument stay as they are."""
    command = Command("/bin/$a", ("$a", "-v"), ("$a", "x$a", "$a.b", "$", "$1", "$$a", "--in=$a"))

    found = split(command_line(command, {"a": "here"}))

    assert found == ["/bin/$a", "$a", "-v", "here", "x$a", "$a.b", "$", "$1", "$$a", "--in=$a"]
    assert parameters(command) == ("a",)


@pytest.mark.parametrize(
    ("value", "arguments"),
    [
        ("two words", ["two words"]),
        ("", [""]),
        (7, ["7"]),
        (0.5, ["0.5"]),
        (True, ["true"]),
        (["a", 1, "b c"], ["a", "1", "b c"]),
        ([], []),
        ("$(rm -rf /); 'x' \"y\"", ["$(rm -rf /); 'x' \"y\""]),
    ],
)
def test_a_value_becomes_arguments(value: Any, arguments: list[str]) -> None:
    """A text is one whatever it holds, a list one each; numbers and booleans are written as JSON writes them."""
    assert split(command_line(Command("/bin/x", (), ("$v",)), {"v": value})) == ["/bin/x", *arguments]


@given(st.lists(_TEXTS))
def test_no_text_leaves_its_argument(values: list[str]) -> None:
    """Whatever a user writes reaches the program as it stands."""
    assert split(command_line(Command("/bin/x", (), ("$v", "end")), {"v": values})) == [
        "/bin/x",
        *values,
        "end",
    ]


def test_all_that_is_missing_or_wrong_is_named() -> None:
    """At once, each with its path; a parameter that stands twice is named once."""
    command = Command("/bin/x", (), ("$gone", "$gone", "$null", "$map", "$deep", "$nul", "$odd"))
    payload = {"null": None, "map": {"a": 1}, "deep": ["a", ["b"]], "nul": "a\0b", "odd": ["a", None]}

    with pytest.raises(InvalidSpec) as caught:
        command_line(command, payload)

    assert {one.path: one.message[:30] for one in caught.value.complaints} == {
        "$.payload.gone": "is required: the type's comman",
        "$.payload.null": "must be a text, a number, a bo",
        "$.payload.map": "must be a text, a number, a bo",
        "$.payload.deep[1]": "must be a text, a number, a bo",
        "$.payload.nul": "holds a NUL character, which n",
        "$.payload.odd[1]": "must be a text, a number, a bo",
    }
