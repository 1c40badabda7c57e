"""Each rule of the ledger that is left out of the scripts is found, and the scripts as they are pass every scene.

The table of docs/mutations.md is what this run finds; HYSDS_TEST_WRITE_DOCS=1 writes it anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hysds.adapters.ledger import scripts
from hysds.adapters.ledger.scripts import Script
from hysds.chaos.checker import Violation, check
from mutation.mutants import MUTANTS, Mutant, written
from mutation.scenes import SCENES
from mutation.stage import SceneOver, ScriptedServer, Stage
from services.redis import RedisServer

_PAGE = Path(__file__).parents[2] / "docs" / "mutations.md"
_HEAD = """# Rules left out, and how each is found

The scripts of the ledger (`hysds/adapters/ledger/lua`) are copied, one rule of [`ledger.md`](ledger.md) is left out of
the copy, and short scenes (`test/mutation/scenes.py`) are played against a real server that runs it. The checker of
`hysds chaos` reads what happened. A rule that nothing finds fails the test run; so does a scene in which the scripts as
they are break a guarantee. Written by `test/mutation`, from what it found.

| rule | left out | found in the scene | broken guarantee |
|---|---|---|---|
"""


_LEFT = "nothing is left"
Play = Callable[..., tuple[Violation, ...]]


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """The rows of the table so far."""
    return {}


@pytest.fixture
def play(valkey_server: RedisServer) -> Play:
    """Play a scene on a ledger with these scripts, and judge it. One that can't go on ends there, where it may."""

    def play(
        name: str, script: Callable[[str], Script], may_break_off: bool = False
    ) -> tuple[Violation, ...]:
        valkey_server.flush()
        server = ScriptedServer(valkey_server.unix_url, script)
        stage = Stage(server)
        try:
            with suppress(*([SceneOver] if may_break_off else [])):
                SCENES[name](stage)
            return check(stage.history())
        finally:
            server.send("CONFIG", "SET", "maxmemory", "0")
            server.close()

    return play


@pytest.mark.parametrize("name", SCENES)
def test_the_scripts_as_they_are_keep_every_guarantee(name: str, play: Play) -> None:
    """In each scene, to its end."""
    assert [violation.text() for violation in play(name, scripts.transition)] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.rule} {mutant.left_out}")
def test_a_rule_that_is_left_out_is_found(
    mutant: Mutant,
    play: Play,
    tmp_path: Path,
    found: dict[str, str],
) -> None:
    """In some scene some guarantee is broken, and the shortest history that shows it is printed."""
    folder = written(mutant, tmp_path / "lua")
    made = {
        path.stem: scripts.assembled(folder, path.stem)
        for path in folder.glob("*.lua")
        if "log_" not in path.name
    }

    for name in SCENES:
        violations = play(name, made.__getitem__, may_break_off=True)
        guarantees = dict.fromkeys(violation.guarantee for violation in violations)
        if guarantees and (mutant.left_out not in found or set(guarantees) - {_LEFT}):
            print(violations[0].text())
            found[mutant.left_out] = (
                f"| {mutant.rule} | {mutant.left_out} | {name} | {', '.join(guarantees)} |"
            )
        if set(guarantees) - {_LEFT}:
            return  # what is only left behind is shown where nothing worse is

    assert mutant.left_out in found, f"nothing finds that rule {mutant.rule} is left out: {mutant.left_out}"


def test_the_page_tells_what_was_found(found: dict[str, str]) -> None:
    """docs/mutations.md is this run's table."""
    if len(found) < len(MUTANTS):
        pytest.skip("only a run of all mutants knows the whole table")
    page = _HEAD + "\n".join(found[mutant.left_out] for mutant in MUTANTS) + "\n"
    if os.environ.get("HYSDS_TEST_WRITE_DOCS"):
        _PAGE.write_text(page, "utf-8")

    assert _PAGE.read_text("utf-8") == page
