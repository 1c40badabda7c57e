"""Commands and limits that make no sense are refused before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.lib.process.command import Command, Limits


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["hard_s", "memory_bytes"])
def test_a_limit_is_a_finite_number_above_zero(name: str, value: float) -> None:
    """The message names the limit."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("hard_s", [None, 4])
def test_a_soft_limit_needs_a_later_hard_one(hard_s: float | None) -> None:
    """Else its grace would have no end, or none at all."""
    with pytest.raises(ValueError, match="soft limit"):
        Limits(soft_s=5, hard_s=hard_s)


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        ([], {}),
        (["a\0b"], {}),
        (["a"], {"B": "\0"}),
        (["a"], {"B\0": ""}),
        (["a"], {"": "x"}),
        (["a"], {"B=C": "x"}),
    ],
)
def test_what_the_system_cannot_express_is_refused(argv: list[str], env: dict[str, str]) -> None:
    """An empty argv, a NUL, a variable without a proper name."""
    with pytest.raises(ValueError, match=r"empty|NUL|environment variable"):
        Command(argv, Path("/"), 1, 2, env)
