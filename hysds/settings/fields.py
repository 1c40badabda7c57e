"""The table of settings, made from the dataclasses: names, variables, and how each value is read and written.

A setting's name is its section and its field without the unit's suffix. Text that is empty sets a setting to None
where it may be None.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from hysds.lib import units
from hysds.settings import model, policies, urls

_URL_SCHEMES = {
    "ledger.url": urls.REDIS_SCHEMES,
    "broker.url": urls.BROKER_SCHEMES,
    "store.url": urls.STORE_SCHEMES,
    "tasks.result_backend": urls.RESULT_SCHEMES,
    "notifier.mail_url": urls.MAIL_SCHEMES,
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row of the table."""

    section: str
    """The attribute of `Settings`; empty for those of the root."""
    attribute: str
    """The dataclass's field, with its unit."""
    kind: type
    items: type | None
    """Of what a tuple is."""
    may_be_none: bool
    rules: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As people write it: `ledger.lease`."""
        bare = self.attribute.removesuffix("_s").removesuffix("_bytes")
        return f"{self.section}.{bare}" if self.section else bare

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"HYSDS_{self.name.replace('.', '_').upper()}"

    @property
    def is_table(self) -> bool:
        """Whether it holds policies by name."""
        return self.kind is Mapping

    @property
    def is_secret(self) -> bool:
        """Whether nobody may read its value."""
        return bool(self.rules.get("secret"))

    @property
    def none_word(self) -> str:
        """The text that means None."""
        return str(self.rules.get("none", ""))

    def value_in(self, settings: model.Settings) -> Any:
        """This setting's value."""
        return getattr(getattr(settings, self.section) if self.section else settings, self.attribute)

    def read(self, raw: object, base: Path) -> Any:
        """The typed value of what a source says; a relative path is taken from `base`.

        Raises: ValueError that says what is wrong and shows no secret.
        """
        if self.may_be_none and (raw is None or raw == self.none_word):
            return None
        value = self._typed(raw, base)
        if self.is_table:
            return value
        for one in value if isinstance(value, tuple) else (value,):
            self._check(one)
        return value

    def write(self, value: object) -> str:
        """The text that `read` turns into the value again."""
        if value is None:
            return self.none_word
        if self.is_table:
            return policies.written(value)  # type: ignore[arg-type]  # what `read` made
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    def show(self, value: object) -> str:
        """The value for people: with its unit, and without secrets."""
        if value is None:
            return self.none_word or "none"
        if self.is_secret:
            return "***"
        if self.is_table and not value:
            return "none"
        if isinstance(value, float) and units.parse_duration(units.format_duration(value)) == value:
            return units.format_duration(value)
        if self.attribute.endswith("_bytes") and isinstance(value, int):
            text = units.format_size(value)
            return text if units.parse_size(text) == value else f"{value} B"
        return urls.masked(self.write(value))

    def _typed(self, raw: object, base: Path) -> Any:
        if self.kind is float:
            return units.parse_duration(raw)  # type: ignore[arg-type]  # it refuses all else itself
        if self.attribute.endswith("_bytes"):
            return units.parse_size(raw)  # type: ignore[arg-type]
        if self.kind is int:
            return _whole(raw)
        if self.kind is Path:
            return _path(raw, base)
        if self.is_table:
            return policies.read(self.name, raw)
        if self.kind is tuple:
            texts = _texts(raw)
            return tuple(_path(one, base) for one in texts) if self.items is Path else texts
        return urls.normalised(_text(raw)) if self.name in _URL_SCHEMES else _text(raw)

    def _check(self, value: Any) -> None:
        least, most = self.rules.get("least"), self.rules.get("most")
        if least is not None and value < least:
            raise ValueError(f"{self.show(value)} is too little: at least {self._amount(least)}")
        if most is not None and value > most:
            raise ValueError(f"{self.show(value)} is too much: at most {self._amount(most)}")
        if "complaint" in self.rules and (wrong := self.rules["complaint"](value)):
            raise ValueError(wrong)
        if "choices" in self.rules and value not in self.rules["choices"]:
            raise ValueError(f"{value!r:.60} is none of {', '.join(self.rules['choices'])}")
        if "pattern" in self.rules and not re.fullmatch(self.rules["pattern"], value):
            raise ValueError(f"{value!r:.60} {self.rules['rule']}")
        if self.name in _URL_SCHEMES and (complaint := urls.problem(value, _URL_SCHEMES[self.name])):
            raise ValueError(complaint)

    def _amount(self, bound: float) -> str:
        return self.show(self.kind(bound))


def table() -> dict[str, Setting]:
    """All settings by name, in the order of their sections."""
    rows = []
    for outer in dataclasses.fields(model.Settings):
        if dataclasses.is_dataclass(outer.type):
            rows += [_row(outer.name, inner) for inner in dataclasses.fields(outer.type)]
        else:
            rows.append(_row("", outer))
    return {row.name: row for row in rows}


def _row(section: str, field: "dataclasses.Field[Any]") -> Setting:
    kinds: tuple[Any, ...] = field.type.__args__ if isinstance(field.type, UnionType) else (field.type,)
    kind = next(kind for kind in kinds if kind is not NoneType)
    origin = getattr(kind, "__origin__", kind)
    items = kind.__args__[0] if origin is tuple else None
    return Setting(section, field.name, origin, items, NoneType in kinds, field.metadata)


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip() or not raw.isprintable():
        raise ValueError("a line of text is needed")
    return raw.strip()


def _whole(raw: object) -> int:
    if isinstance(raw, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", raw):
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError("a whole number is needed")
    return raw


def _path(raw: object, base: Path) -> Path:
    """An absolute path; `~` is the caller's own directory."""
    return base / Path(raw if isinstance(raw, Path) else _text(raw)).expanduser()


def _texts(raw: object) -> tuple[str, ...]:
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list | tuple) or not parts:
        raise ValueError("a list of texts is needed, or one text with commas")
    texts = tuple(_text(part) for part in parts)
    if len(set(texts)) < len(texts):
        raise ValueError("a text stands there twice")
    return texts
