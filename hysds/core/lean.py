"""Frozen values as JSON holds them, without what is at its default, so that equal values give equal text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any


def lean(value: Any) -> Any:
    """The value in dicts, lists, texts and numbers; a dataclass's field may name its key in JSON by `key`."""
    if isinstance(value, Mapping):
        return {key: lean(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [lean(part) for part in value]
    if not is_dataclass(value):
        return value
    shown = {}
    for item in fields(value):
        part = getattr(value, item.name)
        if item.init and part != _default(item):
            shown[item.metadata.get("key", item.name)] = lean(part)
    return shown


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()
