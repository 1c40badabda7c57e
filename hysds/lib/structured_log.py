"""Log lines with fields: JSON for machines, one line for people; without secrets, and never a whole document.

What is said of a job within `bound` carries the job's fields, whoever says it in that thread. The standard library's
loggers are used as everywhere; what is added is one handler's formatter.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
JSON, CONSOLE = "json", "console"

_MOST_MESSAGE, _MOST_TRACE, _MOST_FIELD = 4_000, 16_000, 300
"""Letters; more is a document, and stands elsewhere."""
_SHORTEST_SECRET = 6
"""What is shorter stands in many a harmless word."""
_HIDDEN = "***"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_URL = re.compile(r"(?P<kept>[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@\"']*:)[^\s\"']+(?=@)")
_NAMED = re.compile(
    r"""(?ix) (?P<kept> (?:passw(?:or)?d|passphrase|secret|token|api_?key|access_?key|credential) [a-z0-9_]{0,40}
    ["']? \s* [=:] \s* ) (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s,;&)}\]]+ )"""
)
_AUTHORIZATION = re.compile(r"(?i)(?P<kept>\b(?:bearer|basic)\s+)[a-z0-9+/=._~-]{6,}")
_SUSPICIOUS = re.compile(r"(?i)://|passw|passphrase|secret|token|key|credential|bearer|basic")
"""Most lines have none of these, and one look tells it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is logged and how."""

    level: int | None = None
    """From where on; None: not said."""
    form: str = CONSOLE
    rooms: Mapping[str, int] = field(default_factory=dict)
    """Levels of loggers by their names, over `level`."""


_bound_fields: ContextVar[Mapping[str, str | int]] = ContextVar("hysds_log_fields", default={})  # noqa: B039  read only
_bound_secrets: ContextVar[tuple[str, ...]] = ContextVar("hysds_log_secrets", default=())


@contextmanager
def bound(hidden: Collection[str] = (), **fields: str | int) -> Iterator[None]:
    """What this thread logs within carries these fields. `hidden`: texts that no line of it shows."""
    said = _bound_fields.set({**_bound_fields.get(), **fields})
    kept = _bound_secrets.set((*_bound_secrets.get(), *_worth_hiding(hidden)))
    try:
        yield
    finally:
        _bound_fields.reset(said)
        _bound_secrets.reset(kept)


class Formatter(logging.Formatter):
    """Makes a line of a record. `fields` are of the process, `secrets` no line shows."""

    def __init__(self, fields: Mapping[str, str | int], secrets: Collection[str] = ()) -> None:
        super().__init__()
        self.fields = dict(fields)
        self._secrets = _worth_hiding(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        raise NotImplementedError

    def clean(self, text: str, most: int) -> str:
        """Without secrets, and not longer than a line may be."""
        for secret in (*self._secrets, *_bound_secrets.get()):
            if secret in text:
                text = text.replace(secret, _HIDDEN)
        return redacted(_cut(text, most))

    def told(self, record: logging.LogRecord) -> dict[str, str | int | float | bool]:
        """The fields of a line: of the process, of what it is about, of the line itself."""
        found: dict[str, str | int | float | bool] = {**self.fields, **_bound_fields.get()}
        for name, value in record.__dict__.items():
            if name in _STANDARD or name.startswith("_"):
                continue
            if isinstance(value, str):
                found[name] = self.clean(f"{name}={value}", _MOST_FIELD).removeprefix(f"{name}=")
            elif isinstance(value, int | float | bool):
                found[name] = value
        return found

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback, "" where there is none."""
        text = self.formatException(record.exc_info) if record.exc_info else ""
        return self.clean(text, _MOST_TRACE)


class JsonFormatter(Formatter):
    """One object a line: time, level, room, message, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of ASCII."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": room(record.name),
            "message": self.clean(record.getMessage(), _MOST_MESSAGE),
            **self.told(record),
        }
        if trace := self.trace(record):
            line["error"] = trace
        return json.dumps(line, separators=(",", ":"))


class ConsoleFormatter(Formatter):
    """For people: the message first, fields that it does not name behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the lines of a traceback."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        message = self.clean(record.getMessage(), _MOST_MESSAGE).replace("\n", "\\n")
        fields = "".join(
            f" {name}={value}" for name, value in self.told(record).items() if str(value) not in message
        )
        head = f"[{moment},{int(record.msecs):03d}: {record.levelname}/{room(record.name)}] {message}{fields}"
        trace = self.trace(record)
        return f"{head}\n{trace}" if trace else head


def redacted(text: str) -> str:
    """The text without passwords of URLs, and without the values of names that sound like secrets."""
    if not _SUSPICIOUS.search(text):
        return text
    text = _URL.sub(rf"\g<kept>{_HIDDEN}", text)
    text = _NAMED.sub(rf"\g<kept>{_HIDDEN}", text)
    return _AUTHORIZATION.sub(rf"\g<kept>{_HIDDEN}", text)


def room(logger: str) -> str:
    """The name of a logger, without what all of ours begin with."""
    return logger.removeprefix("hysds.")


def configure(
    plan: Plan,
    secrets: Collection[str] = (),
    handler: logging.Handler | None = None,
    **fields: str | int,
) -> Formatter:
    """Log by this plan from now on, to `handler` alone (None: stderr); answers what makes the lines."""
    handler = logging.StreamHandler(sys.stderr) if handler is None else handler
    formatter = (JsonFormatter if plan.form == JSON else ConsoleFormatter)(fields, secrets)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS["info"] if plan.level is None else plan.level)
    for name, level in plan.rooms.items():
        logging.getLogger(name).setLevel(level)
    return formatter


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… [{len(text) - most} characters left out]"


def _worth_hiding(secrets: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({one for one in secrets if len(one) >= _SHORTEST_SECRET}, key=len, reverse=True))
