"""The page that maps HySDS's operator scripts: every command and setting that it names is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from hysds.cli.main import make_group
from hysds.core.metric_names import TABLE
from hysds.settings import fields

_PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
_SPANS = sorted(set(re.findall(r"`([^`\n]+)`", _PAGE)))
_COMMANDS = [span for span in _SPANS if span.startswith("hysds ") and "COMMAND" not in span]
_SECTIONS = {name.partition(".")[0] for name in fields.table() if "." in name}
_SETTINGS = sorted(set(re.findall(rf"(?<![\w/-])((?:{'|'.join(_SECTIONS)})\.[a-z_]+)", _PAGE)))


@pytest.mark.parametrize("line", _COMMANDS)
def test_a_command_is_there_with_its_options(line: str) -> None:
    """As the command line of today knows it."""
    _, *words = shlex.split(line)
    command: click.Command = make_group()
    context = click.Context(command, info_name="hysds")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}

    assert {word for word in words if word.startswith("--")} <= known


def test_settings_and_metrics_are_there() -> None:
    """By their names of today; scripts that end in .py are none."""
    known = set(fields.table())
    metrics = {shape.name for shape in TABLE}

    assert _SETTINGS
    assert [name for name in _SETTINGS if name not in known and not name.endswith((".py", ".sh"))] == []
    assert {span for span in _SPANS if span.startswith("hysds_")} - metrics == set()
