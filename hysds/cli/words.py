"""How values of a document become words for people: nothing that moves a cursor, times and sizes with units."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hysds.core import arrays, shell_signs

if TYPE_CHECKING:
    from hysds.core.explanation.values import Why
    from hysds.core.spec import JobSpec

_SIGN = 40
"""Characters of a word that are quoted in a note."""


def clean(text: str) -> str:
    """The text on one line, what does not print as an escape: what a job wrote can't steer a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def shown(value: Any) -> str:
    """A value of a document; "" for none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(json.dumps(value, ensure_ascii=False))


def waits(why: Why) -> str:
    """What to say of a job that nobody takes as things are."""
    return clean(f"note: the job waits: {why.sentence} ({why.advice[0]})")


def unread(spec: JobSpec) -> str:
    """What to say of a spec whose command line looks as if a shell should read it; "" of any other."""
    is_indexed = spec.array is not None or spec.array_index is not None
    sign = shell_signs.first(spec.payload.get("_command", ""), (arrays.WORD,) if is_indexed else ())
    if sign is None:
        return ""
    return (
        f"note: no shell runs _command, so its program gets {clean(cut(sign, _SIGN))} as it stands; if a shell should "
        "read it, write sh -c '…'"
    )


def cut(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def seconds(duration_s: float) -> str:
    """A duration with three digits that matter: `4 ms`, `1.23 s`; above a minute as `1h30m`."""
    if duration_s < 1:
        return f"{duration_s * 1000:.0f} ms"
    if duration_s < 60:
        return f"{duration_s:.2f} s"
    hours, rest = divmod(round(duration_s), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{left:02}s"
