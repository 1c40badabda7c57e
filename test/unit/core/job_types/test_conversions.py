"""Lambdas of hysds-io files: known forms do what Python would do, all others are refused unevaluated."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core.job_types import conversions

_KNOWN: list[tuple[str, Any]] = [
    ("lambda x: x", "a"),
    ("lambda x: int(x)", "12"),
    ("lambda x: int(x)", 3.9),
    ("lambda y: float(y)", "1.5"),
    ("lambda x: str(x)", 3),
    ("lambda x: bool(x)", ""),
    ("lambda x: len(x)", [1, 2]),
    ("lambda x: x.strip().lower()", "  A "),
    ("lambda x: x.upper()", "a"),
    ("lambda x: x.split(',')", "a,b"),
    ("lambda x: x.split()", "a b"),
    ("lambda x: x.rsplit('/', 1)[-1]", "s3://b/c"),
    ("lambda x: x[0]", ["a", "b"]),
    ("lambda x: x['a']['b']", {"a": {"b": 1}}),
    ("lambda x: x[1:3]", "abcd"),
    ("lambda x: x[:-1]", [1, 2, 3]),
    ("lambda x: x.replace('-', '')", "2030-01-31"),
    ("lambda x: x.startswith('s3:')", "s3://x"),
    ("lambda x: x.get('a', None)", {}),
    ("lambda x: json.loads(x)", '{"a": [1]}'),
    ("lambda x: json.dumps(x)", {"a": 1}),
    ("lambda x: [int(y) for y in x.split(',')]", "1,2"),
    ("lambda x: ','.join(x)", ["a", "b"]),
    ("lambda x: x.lower() == 'true'", "True"),
    ("lambda x: x != 1", 1),
    ("  lambda x: 7", "a"),
]


@pytest.mark.parametrize(("source", "value"), _KNOWN)
def test_a_known_form_does_what_python_does(source: str, value: Any) -> None:
    """HySDS evaluates these; the answer here is the same, found by walking the tree."""
    expected = eval(source.strip(), {"json": json})(value)

    assert expected == conversions.parsed(source).apply(value)


@pytest.mark.parametrize(
    "source",
    [
        "lambda urls: get_best_url(urls, 'http')",
        "lambda x: __import__('os').system('true')",
        "lambda x: x.__class__",
        "lambda x: x.__class__.__mro__[1].__subclasses__()",
        "lambda x: open(x).read()",
        "lambda x: eval(x)",
        "lambda x: json.JSONDecoder()",
        "lambda x: json.loads",
        "lambda x: int",
        "lambda x: int(x, 16)",
        "lambda x: int(x=x)",
        "lambda x: int(*x)",
        "lambda x: x + 1",
        "lambda x: 9 ** 9 ** 9",
        "lambda x: -x",
        "lambda x: x.format(x)",
        "lambda x: f'{x}'",
        "lambda x: x.split(x)",
        "lambda x: x[x]",
        "lambda x: x[::2]",
        "lambda x: x['a':]",
        "lambda x: x.get()",
        "lambda x: x.join(x)",
        "lambda x: 'a' < x",
        "lambda x: 1 == x == 2",
        "lambda x: [y for y in x if y]",
        "lambda x: [y for y in x for z in y]",
        "lambda x: [[z for z in y] for y in x]",
        "lambda x: [y for y in [z for z in x]]",
        "lambda x: {y for y in x}",
        "lambda x: (lambda y: y)(x)",
        "lambda x: (y := x)",
        "lambda x: os",
        "lambda x, y: x",
        "lambda: 1",
        "lambda *x: x",
        "lambda x=1: x",
        "lambda int: int(int)",
        "lambda x: b'a'",
        "lambda x: 1j",
        "lambda x: ...",
        "lambda x: True and x",
        "int",
        "def f(x): return x",
        "lambda x: (",
        "lambda x: '\0'",
        "lambda x: " + "(" * 250 + "x" + ")" * 230,
        "lambda x: x" + " " * 500 + ".lower()",
        "",
    ],
)
def test_any_other_form_is_refused(source: str) -> None:
    """What is not on the list is never carried out, and the reason is a sentence."""
    with pytest.raises(ValueError, match=r"known|lambda|argument|expression|longer"):
        conversions.parsed(source)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("lambda x: int(x)", "a"),
        ("lambda x: int(x)", "9" * 10_000),
        ("lambda x: int(x)", [1]),
        ("lambda x: float(x)", "inf"),
        ("lambda x: x[3]", [1]),
        ("lambda x: x['a']", {}),
        ("lambda x: x.lower()", 3),
        ("lambda x: x.get('a')", "text"),
        ("lambda x: json.loads(x)", "{"),
        ("lambda x: json.loads(x)", "NaN"),
        ("lambda x: json.loads(x)", "[" * 100_000),
        ("lambda x: [int(y) for y in x]", "12"),
        ("lambda x: ','.join(x)", [1]),
        (
            "lambda x: x.replace('', 'aaaaaaaaaa').replace('', 'aaaaaaaaaa').replace('', 'aaaaaaaaaa')",
            "a" * 1000,
        ),
        ("lambda x: ('x' * 10).join(x)".replace("('x' * 10)", "'" + "x" * 400 + "'"), ["a"] * 10_000),
    ],
)
def test_a_value_that_cannot_be_converted_says_why(source: str, value: Any) -> None:
    """One kind of error, with the value, the lambda and the reason; nothing grows without bound."""
    with pytest.raises(ValueError, match="can't be converted by"):
        conversions.parsed(source).apply(value)


@given(st.text(max_size=80))
def test_no_text_makes_the_parser_fail_otherwise(body: str) -> None:
    """Whatever a file holds, the answer is a conversion or a ValueError."""
    with contextlib.suppress(ValueError):
        conversions.parsed(f"lambda x: {body}")
