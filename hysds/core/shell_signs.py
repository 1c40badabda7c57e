"""What in a job's command line only a shell understands: no shell reads it, so the program gets it as it stands."""

from __future__ import annotations

import re
from collections.abc import Collection

_OPERATOR = re.compile(
    r"""
    [|&;]+                                 # | || & && ; ;; alone
    | [|&;]+ [^|&;]+ | [^|&;=?]+ [|&;]+    # at one end of a word, as in `cd x;` and not in a URL
    | [0-9]* (>>?|<<?<?|>\||<>) .*         # > out, 2>> out, 2>&1, < in
    | &>>? .*
    """,
    re.VERBOSE,
)
_INNER = re.compile(r"&&|\|\||>>|[0-9]>&[0-9]")
"""In the middle of a word, where they were written without blanks."""
_EXPANSION = re.compile(r"\$([A-Za-z_]|\{|\()|`")
_QUOTED = r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\."
_QUOTATION = re.compile(_QUOTED, re.DOTALL)
_WORD = re.compile(rf"(?:{_QUOTED}|[^\s'\"\\])+", re.DOTALL)
"""As shlex splits, which takes the quotes away that matter here."""


def first(command: str, filled: Collection[str] = ()) -> str | None:
    """The first word of a command line that has such a sign outside of quotes, as it is written; None: there is none.

    A guess, good enough for a note: some programs take a `|` or a `;` of their own. `filled`: words in whose place the
    program gets something else, as `$array_index`.
    """
    return next((word for word in _WORD.findall(command) if word not in filled and _has_sign(word)), None)


def _has_sign(word: str) -> bool:
    bare = _QUOTATION.sub("", word)
    if not bare:
        return False
    has_operator = _OPERATOR.fullmatch(bare) is not None or _INNER.search(bare) is not None
    return has_operator or _EXPANSION.search(bare) is not None
