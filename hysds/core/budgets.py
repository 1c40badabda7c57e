"""What a spec may say of attempts after a failure, under `retry`: how often, how fast, with how much more memory."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le

from hysds.core.status import FailureClass

TEN_YEARS_S = 10 * 366 * 86_400
MAX_MEMORY = 1 << 50
STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}

Attempts = Annotated[int, Ge(1), Le(1000)] | None
"""In all, the first one counted; None: no limit."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How often and how fast failures of one kind are tried again."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    attempts: Attempts
    delay: Annotated[float, Ge(0), Le(TEN_YEARS_S)] = field(default=0.0, metadata={"unit": "duration"})
    """Seconds before the second attempt at most; doubles with each, and the true delay is a random part of it."""
    cap: Annotated[float, Ge(0), Le(TEN_YEARS_S)] = field(default=300.0, metadata={"unit": "duration"})
    """Seconds that no delay exceeds."""


@dataclass(frozen=True, slots=True)
class OomLadder:
    """How a job that ran out of memory is tried again: at once, with more of it each time."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    attempts: Attempts
    cap: Annotated[int, Gt(0), Le(MAX_MEMORY)] = field(metadata={"unit": "size"})
    """Bytes that no attempt gets more of; one that had them and ran out is the last."""
    factor: Annotated[float, Gt(1), Le(1000)] = 2.0
    """How many times the memory of the attempt before the next one gets."""


def _as_written(name: str) -> str:
    """A field's name in JSON: failure classes have hyphens there."""
    return "worker-lost" if name == "worker_lost" else name


@dataclass(frozen=True, slots=True)
class Retry:
    """A spec's own budgets. None: the default one of the class.

    Every failure class has one but `cancelled`, which nobody wants tried again.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {**STRICT, "alias_generator": _as_written}

    user: Budget | None = None
    invalid: Budget | None = None
    timeout: Budget | None = None
    oom: OomLadder | None = None
    environment: Budget | None = None
    data: Budget | None = None
    gpu: Budget | None = None
    worker_lost: Budget | None = field(default=None, metadata={"key": _as_written("worker_lost")})
    preempted: Budget | None = None
    internal: Budget | None = None
    on_exit_codes: dict[str, Budget] = field(default_factory=dict)
    """By exit code, "1" to "255": what holds for a command that ends with it, instead of `user`."""

    def budget(self, failure: FailureClass) -> Budget | None:
        """The budget of a class; None: the default one, or (`oom`) a ladder."""
        given = getattr(self, failure.name.lower(), None)
        return given if isinstance(given, Budget) else None


RETRY_KEYS = tuple(_as_written(item.name) for item in fields(Retry))
"""What a spec may write under `retry`."""


def from_stored(document: dict[str, Any]) -> Retry:
    """The value of its stored JSON; it is trusted."""
    values: dict[str, Any] = {}
    for key, given in document.items():
        if key == "on_exit_codes":
            values[key] = {code: Budget(**budget) for code, budget in given.items()}
        else:
            values[key.replace("-", "_")] = OomLadder(**given) if key == "oom" else Budget(**given)
    return Retry(**values)
