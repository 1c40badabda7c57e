"""Settings for people: each with its value, its origin and what it means; secrets masked."""

import ast
import inspect
import json
from dataclasses import dataclass, replace

from hysds.settings import (
    archive,
    catalog,
    creators,
    fields,
    metrics,
    model,
    outward,
    policies,
    servers,
    tasks,
    urls,
    watchdogs,
    worker,
)
from hysds.settings.sources import Origins


@dataclass(frozen=True)
class Row:
    """One line of `config show`."""

    name: str
    value: str
    origin: str
    meaning: str
    variable: str
    """The environment variable that sets it."""
    is_set: bool
    """False where it has no value at all; `value` is a word for that then."""
    effective: str
    """What takes the place of a value that is not set, such as the embedded ledger; "" where nothing does."""


def rows(settings: model.Settings, origins: Origins) -> list[Row]:
    """All settings in the order of their sections. Costs some ms: the meanings are read from the source."""
    docs, places = meanings(), _places(settings)
    listed = [
        Row(
            name=name,
            value=setting.show(setting.value_in(settings)),
            origin=origins[name],
            meaning=docs[name],
            variable=setting.variable,
            is_set=setting.value_in(settings) is not None or setting.none_word != "",
            effective="" if setting.value_in(settings) is not None else places.get(name, ""),
        )
        for name, setting in fields.table().items()
    ]
    return [part for row in listed for part in _parts(row, settings)]


def _parts(row: Row, settings: model.Settings) -> list[Row]:
    """A row for each policy of a table, in place of one for all of them."""
    setting = fields.table()[row.name]
    table = setting.value_in(settings) if setting.is_table else {}
    return [
        replace(row, name=f"{row.name}.{name}", value=json.dumps(policies.plain(policy), ensure_ascii=False))
        for name, policy in table.items()
    ] or [row]


def _places(settings: model.Settings) -> dict[str, str]:
    """Where things are when no setting says so."""
    return {
        "ledger.url": urls.masked(settings.ledger_url),
        "broker.url": urls.masked(settings.broker_url),
        "store.url": str(settings.store_path),
        "worker.work_dir": str(settings.work_dir),
        "tasks.result_backend": urls.masked(settings.result_backend),
    }


def meanings() -> dict[str, str]:
    """The docstring under each field, on one line, by the setting's name."""
    docs: dict[tuple[str, str], str] = {}
    for module in (model, servers, worker, creators, tasks, outward, catalog, metrics, watchdogs, archive):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                docs |= {(node.name.lower(), name): text for name, text in _documented(node)}
    return {
        name: docs.get((row.section or "settings", row.attribute), "") for name, row in fields.table().items()
    }


def _documented(node: ast.ClassDef) -> list[tuple[str, str]]:
    """(field, docstring) of each annotated name with a text right under it."""
    found = []
    for before, after in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found.append((before.target.id, " ".join(str(after.value.value).split())))
    return found
