"""Tables of policies: a name, and what an operator lets it do. How they are written, read, shown, and what can't be.

A file has tables (`[queues.gpu]`, `[users."*"]`), a variable holds the same as JSON (`HYSDS_QUEUES={"gpu": {…}}`). Keys
are the fields of `core.policies` without the unit's suffix: `max_running`, `time_limit`, `rate`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, fields, replace
from typing import Any

from hysds.core import json_text, policies, queue_names
from hysds.core.errors import InvalidSpec
from hysds.core.limit_keys import MOST_PLACES, Rate
from hysds.core.policies import QueuePolicy, Share
from hysds.lib import units

Table = Mapping[str, QueuePolicy | Share]

QUEUES = "queues"
_LONGEST_NAME = 255
_TEN_YEARS_S = 315_360_000.0


def read(name: str, raw: object) -> Table:
    """The policies in the setting `name`.

    Raises: ValueError that names every policy and key that can't be.
    """
    table = _object(raw)
    kind = QueuePolicy if name == QUEUES else Share
    complaints: list[str] = []
    found: dict[str, QueuePolicy | Share] = {}
    for key, given in table.items():
        complaints += _about_name(name, key)
        if not isinstance(given, Mapping):
            complaints.append(f"{key}: a table of keys is needed, such as {{max_running = 4}}")
            continue
        found[key] = kind(**dict(_values(kind, key, given, complaints)))
        complaints += (f"{key}: {text}" for text in _contradictions(found[key], given))
    if complaints:
        raise ValueError("; ".join(complaints))
    return found


def placed(table: Table, origin: str) -> Table:
    """The policies, each with where it is set."""
    return {name: replace(policy, source=f"{origin}.{name}") for name, policy in table.items()}


def written(table: Table) -> str:
    """The text that `read` turns into the policies again."""
    return json.dumps({name: plain(policy) for name, policy in table.items()}, ensure_ascii=False)


def plain(policy: QueuePolicy | Share) -> dict[str, Any]:
    """A policy as a file would say it, with units; what is at its default is left out."""
    said = {item: getattr(policy, item.name) for item in fields(policy) if item.name != "source"}
    return {_key(item): _shown(item, value) for item, value in said.items() if value != item.default}


def keys(kind: type[QueuePolicy] | type[Share]) -> tuple[str, ...]:
    """What a policy of this kind may say."""
    return tuple(_key(item) for item in fields(kind) if item.name != "source")


def _object(raw: object) -> Mapping[str, object]:
    if isinstance(raw, str):
        try:
            raw, is_doubled = json_text.decode(raw)
        except InvalidSpec as error:
            raise ValueError(error.complaints[0].message) from error
        if is_doubled:
            raise ValueError("; ".join(map(str, json_text.given_twice(raw, "$"))))
    if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
        raise ValueError('a table of policies by name is needed, such as {"gpu": {"max_running": 4}}')
    return raw


def _about_name(setting: str, name: str) -> Iterator[str]:
    if setting == QUEUES and name != policies.OTHERS:
        for complaint in queue_names.check(name):
            yield f"{complaint.message}, or {policies.OTHERS} for all others"
    elif not name.isprintable() or not 1 <= len(name) <= _LONGEST_NAME:
        yield f"{json_text.shown(name)} is no name: {_LONGEST_NAME} printable characters at most"


def _values(
    kind: type, name: str, given: Mapping[str, object], complaints: list[str]
) -> Iterator[tuple[str, Any]]:
    known = {_key(item): item for item in fields(kind) if item.name != "source"}
    for key, raw in given.items():
        if key not in known:
            complaints.append(f"{name}: no such key: {key}; there are {', '.join(known)}")
            continue
        try:
            yield known[key].name, _reader(known[key])(raw)
        except (ValueError, TypeError) as error:
            complaints.append(f"{name}: {key}: {error}")


def _contradictions(policy: QueuePolicy | Share, given: Mapping[str, object]) -> Iterator[str]:
    if "burst" in given and policy.rate_per_s is None:
        yield "burst has no use without rate"
    if policy.rate_per_s is not None:
        try:
            Rate("x", policy.rate_per_s, policy.burst)
        except ValueError as error:
            yield str(error).replace("rate x: ", "")
    if isinstance(policy, QueuePolicy):
        yield from _within_queue(policy)


def _within_queue(policy: QueuePolicy) -> Iterator[str]:
    soft_s, hard_s, most_s = policy.soft_time_limit_s, policy.time_limit_s, policy.max_time_limit_s
    if soft_s is not None and hard_s is not None and soft_s > hard_s:
        yield "soft_time_limit is beyond time_limit"
    if most_s is not None and any(limit_s is not None and limit_s > most_s for limit_s in (soft_s, hard_s)):
        yield "soft_time_limit and time_limit can't be beyond max_time_limit"
    for part in ("user", "type", "key"):
        of_part = getattr(policy, f"max_running_per_{part}")
        if of_part is not None and policy.max_running is not None and of_part > policy.max_running:
            yield f"max_running_per_{part} is above max_running, so it bounds nothing"


def _key(item: Field[Any]) -> str:
    return item.name.removesuffix("_per_s").removesuffix("_s")


def _reader(item: Field[Any]) -> Callable[[Any], Any]:
    if item.name == "rate_per_s":
        return units.parse_rate
    if item.name.endswith("_s"):
        return _duration
    return _texts if item.default == () else _count


def _shown(item: Field[Any], value: Any) -> Any:
    if item.name == "rate_per_s":
        return units.format_rate(value)
    if item.name.endswith("_s"):
        text = units.format_duration(value)
        return text if units.parse_duration(text) == value else value
    return list(value) if isinstance(value, tuple) else value


def _duration(raw: Any) -> float:
    seconds = units.parse_duration(raw)
    if not 0 < seconds <= _TEN_YEARS_S:
        raise ValueError("must be more than nothing, and at most 3650d")
    return seconds


def _count(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MOST_PLACES:
        raise ValueError(f"a whole number from 1 to {MOST_PLACES} is needed, not {json_text.shown(raw)}")
    return raw


def _texts(raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple) or not raw:
        raise ValueError("a list of names or patterns is needed")
    if not all(isinstance(one, str) and one and one.isprintable() for one in raw):
        raise ValueError("names and patterns are texts")
    return tuple(raw)
