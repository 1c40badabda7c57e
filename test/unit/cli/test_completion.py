"""What a shell is told: the script that asks, and the words that fit."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.shell_completion import BashComplete

from hysds.cli.main import main, make_group

_SHELLS = ("bash", "zsh", "fish")


def _words(*arguments: str) -> list[str]:
    """What fits after these words; the last one is not whole."""
    *before, incomplete = arguments
    found = BashComplete(make_group(), {}, "hysds", "").get_completions(before, incomplete)
    return [item.value for item in found]


@pytest.mark.parametrize("shell", _SHELLS)
def test_the_script_asks_our_command_and_no_variable(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Variables are the settings' alone; what goes wrong is shown to nobody who only pressed Tab."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out

    assert script.count(f"completion {shell} --answer 2>/dev/null") == 1
    assert "_COMPLETE" not in script
    assert "_complete " not in script.replace("__fish_complete_", "")
    assert "%(" not in script


def test_commands_and_options_are_completed() -> None:
    """From the table, without loading what is not asked for."""
    assert _words("expl") == ["explain"]
    assert {"drain", "resume", "job"} <= set(_words("worker", ""))
    assert _words("worker", "drain", "--wi") == ["--within"]
    assert _words("jobs", "--status", "qu") == ["queued"]
    assert _words("--ver") == ["--version"]


def test_a_word_that_is_no_command_completes_nothing_and_is_no_error() -> None:
    """It may become one yet."""
    assert _words("no-such-command-begins-so") == []
    assert _words("nonsense", "") == _words("")


def test_names_of_the_commands_load_none_of_them() -> None:
    """Whoever presses Tab waits for click alone."""
    code = (
        "import json, sys\nfrom click.shell_completion import BashComplete\nfrom hysds.cli.main import make_group\n"
        "BashComplete(make_group(), {}, 'hysds', '').get_completions([], '')\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(run.stdout))

    assert not loaded & {"celery", "pydantic", "redis", "rich", "sqlite3"}


def test_files_are_left_to_the_shell() -> None:
    """It knows them better."""
    [item] = BashComplete(make_group(), {}, "hysds", "").get_completions(["submit"], "job")

    assert (item.type, item.value) == ("file", "job")


def test_without_a_system_no_names_are_offered(
    tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody is kept waiting, and nothing is said."""
    monkeypatch.setenv("HYSDS_HOME", str(tmp_path))
    monkeypatch.setenv("HYSDS_CONFIG", "")
    monkeypatch.setenv("HYSDS_LEDGER_URL", "redis://127.0.0.1:1/0")

    assert _words("worker", "drain", "") == []
    assert _words("jobs", "--queue", "") == []
