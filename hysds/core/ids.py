"""The ids of jobs: UUIDs in canonical form, checked against their grammar at every door."""

from __future__ import annotations

import hashlib
import re
from typing import NewType

from hysds.core.errors import Complaint, InvalidSpec

JobId = NewType("JobId", str)

_GRAMMAR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def job_id(text: object, path: str = "$.job_id") -> JobId:
    """`text` as an id.

    Raises: InvalidSpec where it is not a lower-case UUID of any version (RFC 9562).
    """
    if not isinstance(text, str) or not _GRAMMAR.fullmatch(text):
        shown = repr(text) if len(repr(text)) <= 80 else repr(text)[:77] + "…"
        raise InvalidSpec(
            (Complaint(path, f"{shown} is no job id; an id is a UUID in lower case, such as {_EXAMPLE}"),)
        )
    return JobId(text)


def made_ms(id_: JobId) -> int | None:
    """When a version 7 id was made (ms since 1970); None for other versions, which carry no such time."""
    return int(id_[:8] + id_[9:13], 16) if id_[14] == "7" else None


def child(parent: JobId, position: int) -> JobId:
    """The id of the parent's child at a position: the same each time it is asked for."""
    name = bytes.fromhex(parent.replace("-", "")) + str(position).encode()
    hex_ = hashlib.sha1(
        name, usedforsecurity=False
    ).hexdigest()  # version 5 of RFC 9562: a large group has many
    return JobId(f"{hex_[:8]}-{hex_[8:12]}-5{hex_[13:16]}-{_VARIANT[hex_[16]]}{hex_[17:20]}-{hex_[20:32]}")


_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
_EXAMPLE = "01930f5e-7b1c-7000-8000-0123456789ab"
