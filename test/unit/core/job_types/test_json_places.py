"""Keys that a JSON text gives more than once are found with their places."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from hysds.core.job_types import json_places
from hysds.core.job_types.json_places import GivenTwice


def test_every_key_given_twice_is_told_with_its_path_and_lines() -> None:
    """Inner objects first, as they end first; the values are those that stand there, in order."""
    text = """{
      "a": 1,
      "b": [{"x": 1}, {"x": {"y z": 1,
                             "y z": [2]}}],
      "a": {"c": "}{,:"}, "\\u0061": 3
    }"""

    assert json_places.given_twice(text) == (
        GivenTwice('$.b[1].x["y z"]', (3, 4), (1, [2])),
        GivenTwice("$.a", (2, 5, 5), (1, {"c": "}{,:"}, 3)),
    )


def test_the_same_twice_is_harmless() -> None:
    """Readers that keep the first and those that keep the last agree; 1 and true are not the same."""
    same, other, kinds = (
        json_places.given_twice(text)[0]
        for text in ('{"a": {"b": 1, "c": 2}, "a": {"c": 2, "b": 1}}', '{"a":1,"a":2}', '{"a":1,"a":true}')
    )

    assert (same.is_harmless, other.is_harmless, kinds.is_harmless) == (True, False, False)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_nothing_is_found_where_nothing_is_given_twice(value: object) -> None:
    """Whatever texts hold of brackets, quotes and escapes."""
    assert json_places.given_twice(json.dumps(value, indent=1)) == ()
