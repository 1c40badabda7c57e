"""Load order: arguments, then environment, then one file, then defaults."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hysds.core.errors import InvalidSettings
from hysds.settings import contradictions, environment, fields, files, model, policies
from hysds.settings.sources import DEFAULT, Given, Origins, Reading, Remark


@dataclasses.dataclass(frozen=True)
class Loaded:
    """Settings with all that is known of how they came to be."""

    settings: model.Settings
    origins: Origins
    notices: tuple[Remark, ...]
    """For the operator: names that nothing honours yet, values that HySDS decides itself. Print each once."""
    file: Path | None
    """The settings file that was read; None: there was none."""

    def handed_on(self) -> dict[str, str]:
        """Environment variables with which a child process loads the same settings."""
        return environment.handed_on(self.settings, self.origins, self.file)


def load(
    arguments: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Loaded:
    """Read the settings.

    `arguments` maps dotted names (`worker.slots`) to values in any notation; a value of None was not given.
    `environ` and `directory` are the process's own where None.
    Raises: InvalidSettings, naming the source, for the first thing wrong and with all others in its message.
    """
    environ = os.environ if environ is None else environ
    directory = Path.cwd() if directory is None else directory
    reading = Reading({}, [], [])
    environment.read(environ, directory, reading)
    _read_arguments(arguments or {}, directory, reading)
    above = dict(reading.given)
    home = _home(above, reading)
    if file := files.chosen(environ, directory, home, reading):
        files.read(file, reading)
    reading.given |= above
    settings, origins = _built(reading, home), _origins(reading)
    _stop_at(reading.complaints)
    _stop_at(contradictions.found(settings, origins))
    return Loaded(settings, origins, tuple(reading.notices), file)


def _read_arguments(arguments: Mapping[str, object], directory: Path, reading: Reading) -> None:
    known = fields.table()
    for name, value in arguments.items():
        origin = f"argument {name}"
        if name not in known:
            reading.complain(origin, f"no such setting{environment.nearest(name, known)}")
        elif value is not None:
            reading.given[name] = Given(value, origin, directory)


def _home(given: Mapping[str, Given], reading: Reading) -> Path:
    """Where the file may lie; a `home` that can't be read is complained about when the settings are built."""
    if "home" in given:
        try:
            return Path(fields.table()["home"].read(given["home"].raw, given["home"].base))
        except ValueError:
            pass  # once is enough
    return Path("~/.hysds").expanduser()


def _built(reading: Reading, home: Path) -> model.Settings:
    sections: dict[str, dict[str, Any]] = {}
    for name, row in fields.table().items():
        values = sections.setdefault(row.section, {})
        if name not in reading.given:
            continue
        given = reading.given[name]
        try:
            value = row.read(given.raw, given.base)
            values[row.attribute] = policies.placed(value, given.origin) if row.is_table else value
        except ValueError as error:
            reading.complain(given.origin, str(error))
    root: dict[str, Any] = {"home": home} | sections.pop("")
    kinds: dict[str, Any] = {field.name: field.type for field in dataclasses.fields(model.Settings)}
    return model.Settings(**root, **{name: kinds[name](**values) for name, values in sections.items()})


def _origins(reading: Reading) -> Origins:
    return MappingProxyType(
        {name: reading.given[name].origin if name in reading.given else DEFAULT for name in fields.table()}
    )


def _stop_at(complaints: list[Remark]) -> None:
    if not complaints:
        return
    first, *others = complaints
    raise InvalidSettings(first.source, "; ".join([first.message, *map(str, others)]))
