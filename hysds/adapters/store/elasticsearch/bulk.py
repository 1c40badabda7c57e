"""Many writes in one request, and what becomes of each: the server answers every item on its own.

An item that it has no room for now is sent again, alone with others of its kind; a request that is too large is split.
Every write carries a version, so one that is repeated, because its answer was lost, does no harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from elasticsearch import ApiError

from hysds.adapters.store.elasticsearch import mapping, server
from hysds.adapters.store.elasticsearch.server import Busy, Server
from hysds.core.errors import NotInitialised, Unreachable
from hysds.lib import transport_retry

MOST_ITEMS = 1_000
MOST_BYTES = 8_000_000
"""Of one request, unless one item is larger."""

_TOO_LARGE = 413
_FAILED = 500
_UNKNOWN_FIELD = "strict_dynamic_mapping_exception"
_NO_ONE_INDEX = "no write index is defined for alias"
"""Of an alias that stands for two indices, as one that was put back beside the first has the same."""
_HELD = re.compile(r"current version \[([0-9]+)\]")
_FILTER = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.result"


@dataclass(frozen=True, slots=True)
class Item:
    """One write: the action's line and, but for a delete, the source's, both without their ends. `target`: where to."""

    target: str
    action: bytes
    source: bytes | None = None

    @property
    def size_bytes(self) -> int:
        return len(self.action) + (len(self.source) if self.source is not None else 0) + 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said of one item: an HTTP status, its error's name and reason, and the `result` of a good one."""

    status: int
    kind: str = ""
    reason: str = ""
    result: str = ""

    @property
    def is_good(self) -> bool:
        return self.status < 300

    @property
    def is_older(self) -> bool:
        """The version that is held is as new, or newer."""
        return self.status == 409

    @property
    def held(self) -> int:
        """Of an older one: the version that the server says it has; 0 where it does not say."""
        # The last one: the reason begins with the id, which may be any text.
        found = _HELD.findall(self.reason) if self.is_older else []
        return int(found[-1]) if found else 0


def index(alias: str, id: str, version: int, source: bytes, equal: bool = False) -> Item:
    """Write a document through an alias, if its version is above the one that is held. `equal`: or the same."""
    return Item(alias, _action("index", alias, id, version, equal, True), source)


def delete(index: str, id: str, version: int) -> Item:
    """Delete what is held up to this version, in an index by its own name."""
    return Item(index, _action("delete", index, id, version, True, False))


def _action(what: str, target: str, id: str, version: int, equal: bool, through_alias: bool) -> bytes:
    kind = "external_gte" if equal else "external"
    require = ',"require_alias":true' if through_alias else ""
    place = f'"_index":"{target}","_id":{json.dumps(id)}'
    return f'{{"{what}":{{{place},"version":{version},"version_type":"{kind}"{require}}}}}'.encode()


class Bulk:
    """Sends writes to one cluster."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def send(self, items: Sequence[Item]) -> list[Answer]:
        """An answer an item: good, older, or refused for good.

        Raises: NotInitialised where an alias is missing, or an index does not know all fields yet; Unreachable where
        the store takes nothing now, or has no room.
        """
        answers: list[Answer] = []
        start = 0
        while start < len(items):
            end = _end(items, start)
            answers += self._insisted(items[start:end])
            start = end
        unknown = zip(items, answers, strict=True)
        self._check_fields({item.target for item, answer in unknown if answer.kind == _UNKNOWN_FIELD})
        return answers

    def _check_fields(self, targets: Collection[str]) -> None:
        """A field that an index does not know is no fault of the document, while the index is an earlier HySDS's."""
        for target in sorted(targets):
            said = self._server.ask(
                "GET",
                f"/{target}/_mapping",
                params={"filter_path": "*.mappings._meta.version,*.mappings.dynamic"},
            )
            for index, told in said.items():
                if told["mappings"].get("_meta", {}).get("version", 0) < mapping.VERSION:
                    raise NotInitialised(
                        "store", f"{index} lacks fields of this version; `hysds index init` adds them"
                    )

    def _insisted(self, items: Sequence[Item]) -> list[Answer]:
        answers: dict[int, Answer] = {}

        def attempt() -> None:
            left = [at for at in range(len(items)) if at not in answers or _is_busy(answers[at])]
            for at, answer in zip(left, self._split([items[at] for at in left]), strict=True):
                answers[at] = answer
            busy = [answer for answer in answers.values() if _is_busy(answer)]
            if busy:
                raise Busy("store", f"{len(busy)} of {len(items)} writes wait: {busy[0].reason}")

        try:
            transport_retry.insist(attempt, (Busy,), self._server.persistence)
        except Busy:
            if not _is_poisoned(answers, items):
                raise
        return [answers[at] for at in range(len(items))]

    def _split(self, items: Sequence[Item]) -> list[Answer]:
        """One request, or more where the server finds one too large."""
        try:
            return self._once(items)
        except ApiError as error:
            if error.meta.status != _TOO_LARGE:
                raise Unreachable("store", f"refuses a bulk: {server.reason(error)}") from error
        if len(items) == 1:
            size = items[0].size_bytes
            return [Answer(_TOO_LARGE, "too_large", f"the server takes no request of {size} bytes")]
        half = len(items) // 2
        return [*self._split(items[:half]), *self._split(items[half:])]

    def _once(self, items: Sequence[Item]) -> list[Answer]:
        lines = b"\n".join(part for item in items for part in (item.action, item.source) if part is not None)
        # What a shard that is away is waited for within the request, so that its answer still reaches us.
        timeout = f"{max(1, round(self._server.access.timeout_s * 500))}ms"
        said = self._server.ask_once(
            "POST", "/_bulk", lines + b"\n", {"filter_path": _FILTER, "timeout": timeout}
        )
        answers = [_answer(item) for item in said["items"]]
        if len(answers) != len(items):
            raise Unreachable("store", f"answers {len(answers)} of {len(items)} writes")
        for answer in answers:
            _check(answer)
        return answers


def _end(items: Sequence[Item], start: int) -> int:
    """Where the request that begins here ends."""
    end, room = start, MOST_BYTES
    while end < len(items) and end - start < MOST_ITEMS and (end == start or items[end].size_bytes <= room):
        room -= items[end].size_bytes
        end += 1
    return end


def _answer(item: dict[str, dict[str, object]]) -> Answer:
    (said,) = item.values()
    error = said.get("error")
    told = error if isinstance(error, dict) else {}
    status = said["status"]
    return Answer(
        status if isinstance(status, int) else _FAILED,
        str(told.get("type", "")),
        str(told.get("reason", "")),
        str(said.get("result", "")),
    )


def _is_busy(answer: Answer) -> bool:
    return answer.status in server.BUSY or answer.status >= _FAILED


def _check(answer: Answer) -> None:
    """What one item says about the store as a whole."""
    if answer.kind == "index_not_found_exception":
        raise NotInitialised("store", f"{answer.reason}; `hysds index init` makes what is missing")
    if answer.kind == server.CLOSED or answer.reason.startswith(_NO_ONE_INDEX):
        raise Unreachable("store", f"can't take a write: {answer.kind}: {answer.reason}")
    if answer.status in (401, 403):
        raise Unreachable("store", f"does not allow a write: {answer.kind}: {answer.reason}")


def _is_poisoned(answers: dict[int, Answer], items: Sequence[Item]) -> bool:
    """Whether what is left fails within indices that take other writes: then it is they that are at fault."""
    left = {at: answer for at, answer in answers.items() if _is_busy(answer)}
    take = {items[at].target for at in answers.keys() - left.keys()}
    return (
        0 < len(left) < len(items) == len(answers)
        and all(answer.status == _FAILED for answer in left.values())
        and all(items[at].target in take for at in left)
    )
